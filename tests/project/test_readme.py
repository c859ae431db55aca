"""What the documents say is what the program does: flags, columns, codes, links."""

import argparse
import pathlib
import re
import shlex

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from saiten.model.errors import (
    FINDINGS_EXIT_CODE,
    CountMismatchError,
    SaitenError,
    TooManyDeadLettersError,
    UsageError,
)
from saiten.pipelines.commands.command_line.catalog import COMMANDS
from saiten.pipelines.commands.command_line.parser import command_parser
from saiten.pipelines.commands.flags import known_flags
from saiten.pipelines.records import Code
from saiten.pipelines.run.schema import DEAD_LETTER_SCHEMA, scores_schema

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [ROOT / "README.md", ROOT / "README.ja.md", *sorted(ROOT.glob("docs/**/*.md"))]
}
DOCUMENTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
README = DOCUMENTS["README.md"]
# Other pages, and the notebook's, link too.
LINKING = PAGES | {path.relative_to(ROOT).as_posix(): path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.ipynb")]}


def commands(document: str) -> list[list[str]]:
    """The arguments of every `saiten` command in the document's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", document, re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
    found = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in found if words[0].endswith("saiten")]


def own_text(document: str) -> str:
    """The document without the commands of other programs, whose flags are theirs."""
    return re.sub(
        r"(^|`)(docker|gcloud|zstd|bq|pip|python -m apache_beam\S*) ([^\n`]*\\\n)*[^\n`]*",
        "",
        document,
        flags=re.MULTILINE,
    )


def first_column(document: str, header: str) -> list[str]:
    """The code-quoted names in the first column of the table with this header."""
    table = document.split(f"\n{header}\n", 1)[1].split("\n\n", 1)[0]
    cells = [row.split("|")[1] for row in table.splitlines()[1:]]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def beam_parser() -> argparse.ArgumentParser:
    """Beam's own flags, which `saiten score` hands on."""
    parser = argparse.ArgumentParser(allow_abbrev=False, conflict_handler="resolve")
    for options in PipelineOptions.__subclasses__():
        if "_add_argparse_args" in vars(options):
            options._add_argparse_args(parser)
    return parser


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name, text in DOCUMENTS.items() for words in commands(text)]
)
def test_every_command_of_a_document_is_understood(name: str, words: list[str]) -> None:
    command_parser(words[0]).parse_args(words[1:])


def test_every_python_example_of_the_readme_runs_and_imports_the_front_door_alone(
    workplace: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "reviews" / "june.jsonl").write_text('{"body": "とても美味しい。"}\n', encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})
    imported = {line for example in examples for line in example.splitlines() if "import" in line}
    assert imported == {"import saiten", "import apache_beam as beam"}
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("(")]
    assert [line.partition(",")[0] for line in printed] == ["('r1'", "('r2'"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_flag_named_in_a_document_exists(name: str) -> None:
    known = set(known_flags(beam_parser()))
    for command in COMMANDS:
        known.update(known_flags(command_parser(command)))
    for path in [*ROOT.glob("scripts/*.py"), *ROOT.glob("benchmarks/**/*.py")]:
        known.update(re.findall(r'"(--[a-z_]+)"', path.read_text(encoding="utf-8")))
    assert set(re.findall(r"--[a-z][a-z_0-9-]*[a-z0-9]", own_text(DOCUMENTS[name]))) - known == set()


@pytest.mark.parametrize("name", ["README.md", "docs/formats.md"])
def test_the_columns_of_the_scores_are_those_of_the_schema(name: str) -> None:
    header = "| column | meaning |" if name == "README.md" else "| column | type | meaning |"
    assert first_column(DOCUMENTS[name], header) == scores_schema(["<output>"], [], 1).names


def test_the_columns_of_the_dead_letters_are_those_of_the_schema() -> None:
    section = DOCUMENTS["docs/formats.md"].split("### Dead letters")[1]
    assert first_column(section, "| column | type | meaning |") == DEAD_LETTER_SCHEMA.names


def test_the_documented_types_are_those_of_the_schema() -> None:
    for schema, section in zip(
        (scores_schema(["<output>"], [], 1), DEAD_LETTER_SCHEMA),
        DOCUMENTS["docs/formats.md"].split("\n### ")[1:],
        strict=True,
    ):
        rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|", section, re.MULTILINE)
        assert rows == [(field.name, str(field.type)) for field in schema]


@pytest.mark.parametrize("name", ["README.md", "docs/formats.md"])
def test_every_code_is_documented_and_no_other(name: str) -> None:
    assert first_column(DOCUMENTS[name], "| code | the record |") == [code.value for code in Code]


def test_the_exit_codes_are_those_of_the_errors() -> None:
    table = README.split("| exit | means |")[1].split("\n\n")[0]
    documented = {int(number) for number in re.findall(r"^\| (\d)", table, re.MULTILINE)}
    errors = (SaitenError, UsageError, TooManyDeadLettersError, CountMismatchError)
    assert documented == {0, FINDINGS_EXIT_CODE} | {error.exit_code for error in errors}


def headings(page: pathlib.Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line) for line in re.findall("^#+ (.*)$", text, re.MULTILINE))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", LINKING)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    """To a file that is there, and to a heading that it has."""
    page = LINKING[name]
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]
    astray = []
    for link in links:
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in headings(file)):
            astray.append(link)
    assert astray == []
    assert links or name != "README.md"
