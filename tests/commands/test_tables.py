"""Tables in the terminal: one look for all commands, whole at any width, and what they show is shown as it is."""

import io
import json
import pathlib
import unicodedata
from collections import Counter

import pytest
from rich.console import Console

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import terminal
from saiten.pipelines.commands.main import main
from saiten.pipelines.commands.pages.tables import GOOD, Row, facts, print_figures
from tests.conftest import SENTENCES
from tests.helpers.scoring import score


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def printed(columns: int, names: list[str], figures: list[str], rows: list[Row], title: str = "") -> list[str]:
    out = io.StringIO()
    print_figures(Console(file=out, width=columns), names, figures, rows, title)
    return [line.rstrip() for line in out.getvalue().splitlines()]


ROWS = [Row(["味"], ["0.9", "1\n0 to 2", "3"]), Row(["a[b]\x1b"], ["10", "-", "4"])]


def test_a_table_has_a_title_a_rule_below_its_headings_and_figures_on_the_right() -> None:
    assert printed(80, ["label"], ["mean error", "F1", "n"], ROWS, "two[x] texts") == [
        "two[x] texts",
        "           mean",
        "label     error      F1  n",
        "──────────────────────────",
        "味          0.9       1  3",
        "                 0 to 2",
        "a[b]\\x1b     10       -  4",
    ]


def test_figures_that_do_not_fit_beside_the_others_follow_below_with_the_names_again() -> None:
    assert printed(24, ["label"], ["mean error", "F1", "n"], ROWS) == [
        "           mean",
        "label     error      F1",
        "───────────────────────",
        "味          0.9       1",
        "                 0 to 2",
        "a[b]\\x1b     10       -",
        "",
        "label     n",
        "───────────",
        "味        3",
        "a[b]\\x1b  4",
    ]


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 160])
@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_every_figure_stands_once_and_no_line_is_wider_than_the_terminal(columns: int, n: int) -> None:
    figures = [[f"{i}.{j}{'x' * (j % 5)}" for j in range(n)] for i in range(3)]
    names = [f"a long heading {j}" for j in range(n)]
    lines = printed(columns, ["name"], names, [Row([f"row {i}"], cells) for i, cells in enumerate(figures)])
    assert max(map(width, lines)) <= columns
    found = Counter(word for line in lines for word in line.split())
    assert [cell for cells in figures for cell in cells if found[cell] != 1] == []


def test_facts_stand_below_each_other_and_leave_out_what_none_has() -> None:
    out = io.StringIO()
    console = Console(file=out, width=30)
    console.print(facts([(GOOD, "disk", "much [free] of it is there"), ("", "", "→ a remedy")]))
    console.print(facts([("", "id", "1")]))
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "✓  disk  much [free] of it is",
        "         there",
        "         → a remedy",
        "id  1",
    ]


def test_what_the_commands_print_fits_into_eighty_columns_and_has_no_other_frame(
    class_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(terminal, "_PIPE_WIDTH", 80)
    monkeypatch.chdir(tmp_path)
    names = class_bundle.outputs
    records = [{"id": f"a-long-name-of-a-record-{i}", "text": text, "kind": names[i % len(names)]}
               for i, text in enumerate(SENTENCES * 8)]  # fmt: skip
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    pathlib.Path("a.jsonl").write_text(lines, encoding="utf-8")
    assert score(class_bundle, "a.jsonl", "run", "--workers=1") == 0
    capsys.readouterr()
    bundle = f"--bundle={class_bundle.path}"
    for command in (
        ["evaluate", bundle, "--input=a.jsonl", "--class_field=kind"],
        ["compare", "run", "run"],
        ["inspect", "run"],
        ["score", bundle, "--input=a.jsonl", "--id_field=id", "--check"],
        ["explain", bundle, "とても美味しい。"],
    ):
        assert main(command) == 0
        shown = capsys.readouterr().out.splitlines()
        assert [line for line in shown if width(line.rstrip()) > 80] == [], command
        assert not set("│┃━└┏") & set("".join(shown)), command
