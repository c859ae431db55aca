"""Two runs are joined by id, whatever the order, the parts and the number of partitions."""

import json
import pathlib
import re

import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.commands.main import main
from saiten.pipelines.comparison import partitions
from saiten.pipelines.comparison.compare_runs import Comparison, MovedRecord, compare_runs
from saiten.pipelines.run.run_manifest import RunManifest
from tests.comparison.made_runs import FIRST, SECOND, make_run
from tests.helpers.reports import HeardPage


def compared(first: str, second: str, n_moved: int = 10) -> Comparison:
    def with_manifest(directory: str) -> tuple[str, RunManifest]:
        from saiten.pipelines.run.run_manifest import read_run_manifest

        manifest = read_run_manifest(directory)
        assert manifest is not None
        return directory, manifest

    return compare_runs(with_manifest(first), with_manifest(second), n_moved)


@pytest.fixture
def runs(tmp_path: pathlib.Path) -> tuple[str, str]:
    return make_run(tmp_path / "a", FIRST), make_run(tmp_path / "b", SECOND)


@pytest.mark.parametrize("partition_rows", [1, 3, 500_000])
def test_records_are_joined_by_id(runs: tuple[str, str], partition_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "_PARTITION_ROWS", partition_rows)
    found = compared(*runs)
    assert (found.outputs, found.n_both, found.n_only_first, found.n_only_second) == (("x", "y"), 7, 1, 2)
    assert (found.only_first, sorted(found.only_second)) == (("gone",), ["new", "newer"])
    assert (found.n_lost_scores, found.n_gained_scores) == (1, 0)
    assert found.moved == (
        MovedRecord(3.0, "b", "y", 20.0, 17.0),
        MovedRecord(0.5, "twice", "x", 5.0, 5.5),
        MovedRecord(0.25, "a", "x", 1.0, 1.25),
    )
    assert {name: (one.sizes.n, one.sizes.total) for name, one in found.changes.items()} == {
        "x": (5, 0.75),
        "y": (5, 3.0),
    }
    assert found.changes["x"].ranks.correlation == pytest.approx(1.0)


@pytest.mark.parametrize("partition_rows", [1, 500_000])
def test_labels_that_changed_are_counted_by_pair(
    tmp_path: pathlib.Path,
    partition_rows: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of records in both runs that have a label in both: a new class is what a person sees of a new model."""
    monkeypatch.setattr(partitions, "_PARTITION_ROWS", partition_rows)
    before = {"a": "寿司", "b": "寿司", "c": "麺", "twice": "麺", "gone": "麺", "emptied": "麺"}
    first = make_run(tmp_path / "a", FIRST, labels=before)
    second = make_run(tmp_path / "b", SECOND, labels={**before, "b": "麺", "c": "丼", "twice": "寿司", "emptied": None})
    found = compared(first, second).labels
    assert found is not None
    assert (found.n, found.n_changed) == (5, 4)
    assert found.commonest(2) == [("麺", "寿司", 2), ("寿司", "麺", 1)]
    assert main(["compare", first, second, f"--html={tmp_path / 'page.html'}"]) == 0
    assert "labels  4 of 5 records got another (80.0%): 麺 → 寿司 2, 寿司 → 麺 1, 麺 → 丼 1" in " ".join(
        capsys.readouterr().out.split("\n")
    )
    assert '<td class="name">麺</td><td class="name">寿司</td><td class="n">2</td>' in (
        (tmp_path / "page.html").read_text("utf-8")
    )
    assert main(["compare", first, second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == {
        "records": 5,
        "changed": 4,
        "commonest": [
            {"a": "麺", "b": "寿司", "records": 2},
            {"a": "寿司", "b": "麺", "records": 1},
            {"a": "麺", "b": "丼", "records": 1},
        ],
    }


def test_labels_are_compared_only_where_both_runs_have_them(
    runs: tuple[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = make_run(tmp_path / "c", FIRST, labels={"a": "麺"})
    assert compared(labelled, runs[1]).labels is None
    # A field of the records that was kept under this name is none.
    kept = make_run(tmp_path / "d", FIRST, labels={"a": "麺"}, label_columns=["label"])
    assert compared(labelled, kept).labels is None
    assert main(["compare", labelled, kept, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] is None


def test_only_the_furthest_are_named(runs: tuple[str, str]) -> None:
    assert [one.id for one in compared(*runs, n_moved=1).moved] == ["b"]
    unnamed = compared(*runs, n_moved=0)
    assert (unnamed.moved, unnamed.largest_change) == ((), 3.0)


def test_outputs_that_one_run_has_alone_are_left_out(runs: tuple[str, str], tmp_path: pathlib.Path) -> None:
    other = make_run(tmp_path / "c", SECOND, ("y", "z"))
    assert compared(runs[0], other).outputs == ("y",)
    with pytest.raises(UsageError, match=r"a scored x, y; .*d scored p, q: they have no output in common"):
        compared(runs[0], make_run(tmp_path / "d", SECOND, ("p", "q")))


def test_runs_of_other_records_are_not_compared(runs: tuple[str, str], tmp_path: pathlib.Path) -> None:
    other = make_run(tmp_path / "c", [[("z", 1.0, 1.0)]])
    with pytest.raises(UsageError, match="no id in common: score both with --id_field, or the same input files"):
        compared(runs[0], other)


def test_the_command_gates_a_new_model(runs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs]) == 0
    assert main(["compare", *runs, "--max_change=3"]) == 0
    capsys.readouterr()
    assert main(["compare", *runs, "--max_change=2.99"]) == 3
    said = capsys.readouterr()
    assert said.err == (
        "saiten: 7 records in both, 1 in A alone, 2 in B alone; largest change 3 (y of b: 20, then 17), "
        "more than --max_change=2.99\n"
    )
    assert main(["compare", runs[0], runs[0], "--max_change=0"]) == 0


def test_the_figures_are_the_same_in_the_terminal_as_json_and_as_a_page(
    runs: tuple[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *runs, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["outputs"]["y"] == {
        "records": 5,
        "mean_a": pytest.approx(71 / 5),
        "mean_b": pytest.approx(68 / 5),
        "mean_change": pytest.approx(-0.6),
        "mean_absolute_change": pytest.approx(0.6),
        "absolute_change_99_percent": pytest.approx(3, rel=0.25),
        "largest_absolute_change": 3.0,
        "rank_correlation": pytest.approx(1.0),
    }
    assert figures["moved_most"][0] == {"id": "b", "output": "y", "a": 20.0, "b": 17.0, "change": -3.0}
    assert (figures["only_in_a"], figures["ids_only_in_a"]) == (1, ["gone"])
    assert main(["compare", *runs, f"--html={tmp_path / 'page.html'}"]) == 0
    printed = capsys.readouterr().out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.search(r"twice\s+x\s+5\s+5\.5\s+0\.5", printed)
    assert '<th scope="row" class="name">twice</th><td>x</td><td class="n">5</td><td class="n">5.5</td>' in page
    assert "only in A  1: gone" in printed
    HeardPage(page).check()


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--max_change=-1"], "--max_change is a number from 0 on, not -1."),
        (["--max_change=nan"], "--max_change is a number from 0 on, not nan."),
        (["--moved=-1"], "--moved is a number from 0 to 1,000, not -1."),
    ],
)
def test_a_limit_that_is_none_is_refused(
    flags: list[str], problem: str, runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *runs, *flags]) == 2
    assert capsys.readouterr().err == f"saiten: {problem}\n"


def test_what_did_not_move_is_not_drawn(runs: tuple[str, str], tmp_path: pathlib.Path) -> None:
    """A bar of all records at 0 is as wide as the plot: it looks like changes of one half."""
    drawn = []
    for second in (runs[1], runs[0]):
        assert main(["compare", runs[0], second, f"--html={tmp_path / 'page.html'}"]) == 0
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        drawn.append((page.count("<svg"), "No output moved, so none is drawn." in page))
    assert drawn == [(2, False), (0, True)]


def test_outputs_that_one_run_alone_has_are_named(
    runs: tuple[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a gate would pass, and nobody know that the new model has lost an output."""
    other = make_run(tmp_path / "c", SECOND, ("x", "z"))
    page = tmp_path / "page.html"
    assert main(["compare", runs[0], other, f"--html={page}"]) == 0
    printed, shown = capsys.readouterr().out, page.read_text(encoding="utf-8")
    for run, name in (("A", "y"), ("B", "z")):
        assert f"outputs of {run} alone  not compared: {name}\n" in printed
        assert f"<p>Not compared, because {run} alone has them: {name}.</p>" in shown
    assert main(["compare", runs[0], other, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["outputs_only_in_a"], figures["outputs_only_in_b"]) == (["y"], ["z"])
    assert list(figures["outputs"]) == ["x"]


def test_a_page_that_cannot_be_written_is_refused_before_runs_are_compared(
    runs: tuple[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for page, problem in (
        (f"{tmp_path}/file/page.html", f" cannot be written: {tmp_path}/file is a file; give another file."),
        (f"{tmp_path}", " is no file: give a name for the page, such as --html=page.html."),
        ("", " is no file: give a name for the page, such as --html=page.html."),
    ):
        assert main(["compare", *runs, f"--html={page}"]) == 2
        assert capsys.readouterr() == ("", f"saiten: --html={page}{problem}\n")


def test_what_is_no_run_is_refused(runs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", runs[0], f"{runs[0]}/scores"]) == 2
    assert "scores holds no committed run: it has no manifest.json." in capsys.readouterr().err
