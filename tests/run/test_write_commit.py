"""A run becomes visible whole or not at all, and only when every record is accounted for."""

import dataclasses
import pathlib
import re
from collections.abc import Sequence

import pyarrow.parquet as pq
import pytest

from saiten.model.errors import CountMismatchError, SaitenError, TooManyDeadLettersError
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.run.range_summary import RangeSummary
from saiten.pipelines.run.resume import without_finished_ranges
from saiten.pipelines.run.run_manifest import RunCounts, RunManifest, read_run_manifest
from saiten.pipelines.run.run_plan import read_plan, record_plan
from saiten.pipelines.statistics.run_statistics import RunStatistics, StatisticsPlan
from saiten.pipelines.steps.commit import CommitSettings, commit_run
from saiten.pipelines.steps.write import _WritePartsDoFn
from tests.helpers.fakes import make_scored_block, record_a_plan


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    output = str(tmp_path / "out")
    write_owner(output, "token")
    return Run("20260101T000000Z-aaaaaaaa", output, "b" * 64, ("sum", "length"), (), keep_raw=True, token="token")


def plan(run: Run, *, n_ranges: int = 1, rate: float = 1.0, id_field: str | None = None) -> CommitSettings:
    """Records what the run sets out to do, and returns what its commit goes by."""
    record_a_plan(run, n_ranges=n_ranges, id_field=id_field)
    return CommitSettings(run, rate, versions={})


def write_and_count(run: Run, blocks: Sequence[ScoredBlock]) -> tuple[list[RangeSummary], list[RunStatistics]]:
    """Sends blocks through the writer, as one Beam bundle."""
    writer = _WritePartsDoFn(run, DeadLetterLimit(1.0, 100, 1), run.work_folder)
    writer.setup()
    writer.start_bundle()
    given = [one for block in blocks for one in writer.process(block)]
    writer.finish_bundle()
    summaries = [one for one in given if isinstance(one, RangeSummary)]
    return summaries, [one.value for one in given if not isinstance(one, RangeSummary)]


def write(run: Run, blocks: Sequence[ScoredBlock]) -> list[RangeSummary]:
    return write_and_count(run, blocks)[0]


def commit(settings: CommitSettings, summaries: Sequence[RangeSummary]) -> RunManifest:
    """Commits what was written, and not counted."""
    return commit_run(settings, summaries, [])


def files_below(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())


def without_attempts(paths: Sequence[str]) -> list[str]:
    """The paths with a word for what differs from attempt to attempt."""
    return [re.sub(r"-[0-9a-f]{8}\.parquet$", "-ATTEMPT.parquet", path) for path in paths]


def test_a_committed_run_holds_every_row_once_and_nothing_else(run: Run) -> None:
    blocks = [
        make_scored_block(["ab", ""], is_last=False),
        make_scored_block(["c", "x"], dead=[1]),
        make_scored_block(["d"], range_index=1),
    ]
    manifest = commit(plan(run, n_ranges=2), write(run, blocks))
    rows = pq.read_table(pathlib.Path(run.output, "scores")).sort_by("score_sum").to_pylist()
    assert [(row["id"], row["score_sum"], row["score_length"], row["n_tokens"], row["status"]) for row in rows] == [
        ("a.txt:0", 99.0, 1.0, 1, "scored"),
        ("a.txt:0", 100.0, 1.0, 1, "scored"),
        ("a.txt:0", 195.0, 2.0, 2, "scored"),
        ("a.txt:3", None, None, 0, "empty"),
    ]
    dead = pq.read_table(pathlib.Path(run.output, "dead_letters")).to_pylist()
    assert dead == [
        {
            "source": "a.txt",
            "position": 2,
            "id": "a.txt:2",
            "stage": "read",
            "code": "BAD_JSON",
            "message": "not JSON",
            "raw": b"x",
            "raw_bytes": 1,
        }
    ]
    assert manifest.counts == RunCounts(records=5, scored=3, empty=1, dead=1, duplicate_ids=0)
    assert manifest.dead_letter_codes == {"BAD_JSON": 1}
    assert without_attempts(files_below(run.output)) == [
        "_SUCCESS",
        f"dead_letters/part-{run.run_id}-00000-ATTEMPT.parquet",
        "manifest.json",
        "report.html",
        f"scores/part-{run.run_id}-00000-ATTEMPT.parquet",
        f"scores/part-{run.run_id}-00001-ATTEMPT.parquet",
    ]
    assert [part.path for part in manifest.outputs] == files_below(run.output)[1:2] + files_below(run.output)[4:]


def test_the_columns_and_the_metadata_are_those_of_the_design(run: Run) -> None:
    commit(plan(run), write(run, [make_scored_block(["a"])]))
    schema = pq.read_schema(next(pathlib.Path(run.output, "scores").iterdir()))
    assert [(field.name, str(field.type)) for field in schema] == [
        ("id", "string"),
        ("score_sum", "float"),
        ("score_length", "float"),
        ("n_tokens", "int32"),
        ("n_oov", "int32"),
        ("truncated", "bool"),
        ("status", "string"),
        ("source", "string"),
        ("position", "int64"),
    ]
    assert schema.metadata[b"saiten.bundle_id"] == b"b" * 64
    assert schema.metadata[b"saiten.run_id"] == run.run_id.encode()
    assert schema.metadata[b"saiten.schema_version"] == b"1"


def test_no_records_give_one_empty_file_of_each_kind(run: Run) -> None:
    manifest = commit(plan(run), write(run, [make_scored_block([])]))
    assert [(part.path.split("/")[0], part.rows) for part in manifest.outputs] == [
        ("dead_letters", 0),
        ("scores", 0),
    ]
    assert pq.read_table(pathlib.Path(run.output, "scores")).num_rows == 0


def test_committing_twice_changes_nothing(run: Run) -> None:
    settings, summaries = plan(run), write(run, [make_scored_block(["a"])])
    first = commit(settings, summaries)
    before = files_below(run.output)
    assert commit(settings, summaries) == first
    assert files_below(run.output) == before
    assert read_run_manifest(run.output) == first


def test_a_lost_record_is_never_committed(run: Run) -> None:
    summaries = write(run, [make_scored_block(["a", "b"])])
    count = dataclasses.replace(summaries[0].counts["a.txt"], records=3)
    with pytest.raises(
        CountMismatchError, match=r"a\.txt: 3 records read, but 2 scored \+ 0 empty \+ 0 dead letters: 1 unaccounted"
    ):
        commit(plan(run), [dataclasses.replace(summaries[0], counts={"a.txt": count}), *summaries[1:]])
    assert not pathlib.Path(run.output, "manifest.json").exists()
    assert not pathlib.Path(run.output, "_SUCCESS").exists()


def test_a_range_that_did_not_report_is_never_committed(run: Run) -> None:
    with pytest.raises(SaitenError, match="Range 1 has not said"):
        commit(plan(run, n_ranges=2), write(run, [make_scored_block(["a"])]))


def test_a_part_that_is_not_as_it_was_written_is_never_committed(run: Run) -> None:
    summaries = write(run, [make_scored_block(["a"])])
    (part,) = pathlib.Path(run.output, "scores").iterdir()
    part.write_bytes(part.read_bytes()[:-10])
    with pytest.raises(SaitenError, match="cannot be read back"):
        commit(plan(run), summaries)


def test_a_part_of_another_size_or_other_rows_is_never_committed(run: Run) -> None:
    summaries = write(run, [make_scored_block(["a"])])
    (part,) = pathlib.Path(run.output, "scores").iterdir()
    table, content = pq.read_table(part), part.read_bytes()
    pq.write_table(table.slice(1), part)
    with pytest.raises(SaitenError, match="holds 0 rows, not the 1 that were written"):
        commit(plan(run), summaries)
    part.write_bytes(b"PAR1" + content)
    with pytest.raises(SaitenError, match=f"holds other bytes than the {len(content)} that were written"):
        commit(plan(run), summaries)
    part.unlink()
    with pytest.raises(SaitenError, match="is gone"):
        commit(plan(run), summaries)


def test_too_many_dead_letters_are_not_committed_and_the_commonest_are_named(run: Run) -> None:
    summaries = write(run, [make_scored_block(["a", "b", "c"], dead=[1, 2])])
    with pytest.raises(TooManyDeadLettersError, match=r"2 of 3 records .* BAD_JSON 2 \(such as a\.txt:2\)"):
        commit(plan(run, rate=0.5), summaries)
    assert commit(plan(run, rate=0.7), summaries).counts.dead == 2


def test_the_new_run_replaces_the_old_one_and_leaves_foreign_files(run: Run) -> None:
    commit(plan(run), write(run, [make_scored_block(["old"])]))
    newer = dataclasses.replace(run, run_id="20260102T000000Z-bbbbbbbb")
    write_owner(run.output, run.token)
    foreign = pathlib.Path(run.output, "scores", "notes.txt")
    foreign.write_text("mine")
    commit(plan(newer), write(newer, [make_scored_block(["n", "ew"])]))
    assert without_attempts(files_below(run.output)) == [
        "_SUCCESS",
        f"dead_letters/part-{newer.run_id}-00000-ATTEMPT.parquet",
        "manifest.json",
        "report.html",
        "scores/notes.txt",
        f"scores/part-{newer.run_id}-00000-ATTEMPT.parquet",
    ]


def test_blocks_of_two_ranges_mixed_stop_the_run(run: Run) -> None:
    with pytest.raises(SaitenError, match="Range 1 began before range 0 had ended"):
        write(run, [make_scored_block(["a"], is_last=False), make_scored_block(["b"], range_index=1)])


def test_a_range_without_its_last_block_leaves_nothing_behind(run: Run) -> None:
    with pytest.raises(SaitenError, match="Range 0 has no end"):
        write(run, [make_scored_block(["a"], is_last=False)])
    assert files_below(run.output) == ["_work/owner.json"]


def test_two_attempts_of_a_range_never_write_one_file_and_the_one_that_the_runner_took_counts(run: Run) -> None:
    """They may go on side by side: a worker that was given up may still be writing."""
    (lost,), (taken,) = (write(run, [make_scored_block(["a", "b"], dead=[1])]) for _ in range(2))
    assert len({part.path for summary in (lost, taken) for part in summary.parts}) == 4
    manifest = commit(plan(run), [taken])
    assert {part.path for part in manifest.outputs} == {part.path for part in taken.parts}
    assert files_below(f"{run.output}/scores") == [pathlib.Path(taken.scores.path).name]


def test_repeated_ids_are_kept_and_counted(run: Run) -> None:
    run = dataclasses.replace(run, statistics=StatisticsPlan(counts_ids=True))
    blocks = [make_scored_block(["a", "b"], is_last=False), make_scored_block(["c"])]
    manifest = commit_run(plan(run, id_field="id"), *write_and_count(run, blocks))
    assert (manifest.counts.duplicate_ids, manifest.duplicate_ids_exact) == (1, True)
    assert manifest.counts.scored == 3


def test_what_was_counted_of_finished_ranges_counts_too(run: Run) -> None:
    run = dataclasses.replace(run, statistics=StatisticsPlan({"sum": (0.0, 100.0)}, counts_ids=True))
    settings = plan(run, n_ranges=2, id_field="id")
    write(run, [make_scored_block(["a"])])
    record_plan(run, without_finished_ranges(run, read_plan(run.output, run.run_id)))
    manifest = commit_run(settings, *write_and_count(run, [make_scored_block(["c", ""], range_index=1)]))
    assert manifest.statistics is not None
    assert manifest.statistics.scores["sum"].total == ord("a") + ord("c")
    assert (manifest.counts.duplicate_ids, manifest.statistics.ids) == (1, None)
    assert read_run_manifest(run.output) == manifest
