"""Pages and benchmarks name files that are there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
NAMED = re.compile(r"`((?:model|pipelines|saiten|tests|docs|scripts)/[\w./]*)`")

FILE = re.compile(r"(?<![\w/.])(?:model|pipelines|tests|docs|scripts|benchmarks)/[\w/]+\.(?:py|md|jinja|sh)\b")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design.md"])
def test_what_the_page_names_is_there(page: str) -> None:
    named = set(NAMED.findall((ROOT / page).read_text(encoding="utf-8")))
    assert named
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_no_page_and_no_benchmark_names_a_file_that_has_moved() -> None:
    """A command of the reliability page began files that had long been in rooms of their own."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.py")]
    named = {(page.name, name) for page in pages for name in FILE.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 50
    assert sorted((page, name) for page, name in named if not (ROOT / name).exists()) == []


def test_the_way_of_a_record_names_functions_that_are_there() -> None:
    table = (ROOT / "docs/design.md").read_text(encoding="utf-8").split("## One record's way", 1)[1].split("\n\n")[1]
    steps = re.findall(r"^\| \d+ \| `([\w/]+)\.(\w+)`", table, re.MULTILINE)
    missing = [
        f"{module}.{name}"
        for module, name in steps
        if not re.search(rf"^(def|class) {name}\b", (ROOT / f"pipelines/{module}.py").read_text(), re.MULTILINE)
    ]
    assert (len(steps), missing) == (10, [])
