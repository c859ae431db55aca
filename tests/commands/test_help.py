"""What `--help` shows: every flag with its meaning and default, within 80 columns, with an example that parses."""

import argparse
import pathlib
import re
import runpy
import shlex
import unicodedata

import pytest

from saiten.pipelines.commands.command_line.catalog import COMMANDS
from saiten.pipelines.commands.command_line.parser import command_module, command_parser, overview, shown_help
from saiten.pipelines.commands.main import main

ROOT = pathlib.Path(__file__).parents[2]
# Flags that may be left out and change nothing by that: their meaning says all.
WITHOUT_DEFAULT = {
    "--output", "--keep_fields", "--beam_option", "--class_weight", "--label_fields", "--class_field", "--keep_pos",
    "--stop_words", "--prefix_token", "--suffix_token", "--user_dictionary", "--word2vec_input", "--validation_input",
    "--tokenizer", "--tokenizer_input", "--filters", "--oov", "--oov_token", "--expected", "--sample_texts", "--input",
    "--html", "--lower", "--bundle", "--run", "--min_metric", "--subscription", "--bundle_watch",
}  # fmt: skip


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_holds_in_eighty_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    if command:
        with pytest.raises(SystemExit):
            main([command, "--help"])
    else:
        assert main(["--help"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f"usage: saiten {command or 'COMMAND'} ")
    assert [line for line in shown if width(line) > 80] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_says_what_it_is_and_what_it_is_by_default(command: str) -> None:
    actions = [action for action in command_parser(command)._actions if not isinstance(action, argparse._HelpAction)]
    assert [action.dest for action in actions if not action.help] == []
    takes_value = [action for action in actions if action.option_strings and action.nargs != 0 and not action.required]
    silent = {action.option_strings[0] for action in takes_value if "(default" not in shown_help(action)}
    assert silent - WITHOUT_DEFAULT == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_is_a_command_that_is_understood(command: str) -> None:
    words = shlex.split(command_module(command).EXAMPLE.replace("\\\n", " "))
    assert words[:2] == ["saiten", command]
    command_parser(command).parse_args(words[2:])


def test_what_most_runs_need_comes_first_and_the_rest_by_what_one_wants_to_do() -> None:
    groups = {
        group.title: [action.option_strings[0] for action in group._group_actions]
        for group in command_parser("score")._action_groups
        if group._group_actions
    }
    titles = list(groups)
    assert titles[:2] == ["options", "most runs need no more than these"]
    assert all(title.startswith("to ") for title in titles[2:])
    assert groups[titles[1]] == [
        "--input", "--text_field", "--id_field", "--keep_fields", "--bundle", "--output", "--check", "--resume",
        "--overwrite", "--workers",
    ]  # fmt: skip


def test_the_overview_explains_the_words_that_no_other_tool_has() -> None:
    shown = overview()
    assert [f"\n  {word:<11} " in shown for word in ("bundle", "run", "dead letter", "OOV")] == [True] * 4


def test_the_overview_names_every_command_with_its_summary() -> None:
    shown = overview()
    assert [f"  {name:<12}{summary}" in shown for name, summary in COMMANDS.items()] == [True] * len(COMMANDS)


def test_a_flag_that_the_recipes_set_shows_what_each_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = {action.dest: action.help for action in command_parser("train")._actions}
    assert str(actions["truncating"]).endswith("(default: article pre, wide_deep post)")
    assert str(actions["loss"]).endswith("(default: article mse, wide_deep as the labels are)")
    assert str(actions["seed"]).endswith("(default: 0)")


def test_a_command_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["scor", "version", "help", "frobnicate"]
    assert [main([word]) for word in words] == [2] * 4
    assert capsys.readouterr().err.splitlines() == [
        "saiten: There is no command 'scor'; did you mean saiten score?",
        "saiten: There is no command 'version'; did you mean saiten --version?",
        "saiten: There is no command 'help'; did you mean saiten --help?",
        "saiten: There is no command 'frobnicate'; see saiten --help.",
    ]


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("evaluate", "(--bundle=DIR --input=FILES | --run=DIR) (--class_field=FIELD | --label_fields=FIELDS) [flags]"),
        ("explain", "--bundle=DIR (TEXT | --input=FILES) [flags]"),
        ("inspect", "DIR [flags]"),
        ("score", "--input=FILES --bundle=DIR (--output=DIR | --check) [flags]"),
        ("train", "--input=FILES --bundle=DIR (--class_field=FIELD | --label_fields=FIELDS) [flags]"),
    ],
)
def test_the_usage_names_all_that_a_command_needs(command: str, usage: str) -> None:
    shown = str(command_parser(command).usage)
    assert " ".join(shown.split()) == f"saiten {command} {usage}"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_default_that_is_a_number_has_no_idle_zeros(command: str) -> None:
    shown = [shown_help(action) for action in command_parser(command)._actions]
    assert [text for text in shown if re.search(r"default: \d+\.0\)", text)] == []


def test_what_is_missing_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["train"]), main(["train", "--input=a.csv", "--class_field=a"]), main(["score"])] == [2, 2, 2]
    assert capsys.readouterr().err.splitlines() == [
        "saiten: saiten train needs --input, --bundle, --class_field or --label_fields; see saiten train --help.",
        "saiten: saiten train needs --bundle; see saiten train --help.",
        "saiten: saiten score needs --input, --bundle, --output or --check; see saiten score --help.",
    ]


def test_the_version_is_saitens_in_the_first_line_and_below_what_it_stands_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "saiten"
    assert [line.split()[0] for line in lines[1:]] == [
        "Python", "apache-beam", "mecab-python3", "unidic-lite", "numba", "numpy", "pyarrow", "keras", "tensorflow",
    ]  # fmt: skip


def test_the_reference_of_flags_is_what_the_code_says() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "pages" / "flags.py"))["flags_page"]()
    assert (ROOT / "docs" / "flags.md").read_text(encoding="utf-8") == page


def test_a_directory_without_a_name_is_not_the_folder_that_one_stands_in(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `--output=$OUT` gives it where the shell knows no `OUT`."""
    monkeypatch.chdir(tmp_path)
    found = 0
    for command in COMMANDS:
        for action in command_parser(command)._actions:
            if action.metavar not in ("DIR", "RUN_A", "RUN_B"):
                continue
            others = [one for one in command_parser(command)._actions if one.required and one.dest != action.dest]
            given = [f"{one.option_strings[0]}=x" if one.option_strings else "x" for one in others]
            name = (*action.option_strings, action.metavar)[0]
            empty = f"{name}=" if action.option_strings else ""
            given.insert(0 if action.metavar != "RUN_B" else 1, empty)
            assert main([command, *given]) == 2
            said = f"saiten: {name} is empty: name a directory, and look whether a variable of the shell is not set.\n"
            assert capsys.readouterr().err == said
            found += 1
    assert found >= 10
    assert not any(tmp_path.iterdir())
