"""Runs that cannot be compared are refused in one sentence, and what is odd in others leaves the figures readable."""

import json
import pathlib
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import SaitenError
from saiten.pipelines.commands.main import main
from saiten.pipelines.run.results import read_scores
from tests.comparison.made_runs import FIRST, SECOND, make_run


@pytest.fixture
def runs(tmp_path: pathlib.Path) -> tuple[str, str]:
    return make_run(tmp_path / "a", FIRST), make_run(tmp_path / "b", SECOND)


def test_where_nothing_can_be_compared_no_gate_opens(
    runs: tuple[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A largest change of 0 among no records at all would let any model through."""
    nothing, emptied = make_run(tmp_path / "c", []), make_run(tmp_path / "d", [[("a", None, None), ("b", None, None)]])
    (tmp_path / "file").touch()
    for second, said in (
        (nothing, f"{nothing} has nothing to compare: 0 records = 0 scored + 0 empty + 0 dead letters."),
        (emptied, "Of the 2 records in both runs none has scores in both."),
        (f"{tmp_path}/file", f"{tmp_path}/file is a file, and no run: give the directory that was the --output."),
    ):
        assert main(["compare", runs[0], second, "--max_change=0", "--json"]) == 2
        assert capsys.readouterr() == ("", f"saiten: {said}\n")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda part: part.write_bytes(b"junk"), "is damaged (Parquet file size is 4 bytes, smaller than the minimum"),
        (lambda part: part.write_bytes(part.read_bytes()[:-20]), "is damaged ("),
        (lambda part: part.unlink(), "is gone, which the run's manifest names: copy the run again, or score anew."),
        (lambda part: pq.write_table(pa.table({"id": ["a"]}), part), "has no column 'score_x'; it has id."),
    ],
    ids=["junk", "cut", "gone", "another table"],
)
def test_a_run_that_was_damaged_later_is_refused_in_one_sentence_by_whoever_reads_it(
    harm: Callable[[pathlib.Path], None],
    said: str,
    runs: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = pathlib.Path(runs[1], "scores", "1.parquet")
    harm(part)
    assert main(["compare", *runs]) != 0
    error = capsys.readouterr().err
    assert error.startswith(f"saiten: {part} {said}")
    assert error.count("\n") == 1
    with pytest.raises(SaitenError, match=f"^{re.escape(f'{part} {said}')}"):
        read_scores(runs[1], columns=["id", "score_x"])


def test_ids_of_any_length_leave_the_comparison_readable(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record without an id field of its own may have been given its whole text for one."""
    ids = [f"{letter}{'長' * 5_000}{letter}" for letter in "abcd"]
    first = make_run(tmp_path / "a", [[(name, 1.0, 1.0) for name in ids[:3]]])
    second = make_run(tmp_path / "b", [[(name, 2.0, 1.0) for name in (*ids[:2], ids[3])]])
    page = tmp_path / "page.html"
    assert main(["compare", first, second, f"--html={page}"]) == 0
    said = capsys.readouterr()
    shown = page.read_text(encoding="utf-8")
    assert [bool(re.search(f"{name[0]}長{{39}}…長{{38}}{name[0]}", shown)) for name in ids] == [True] * 4
    assert (said.out.count("長"), shown.count("長")) == (4 * 77, 4 * 77)
    assert len(said.err) < 250
    assert main(["compare", first, second, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(one["id"] for one in found["moved_most"]) == ids[:2]
