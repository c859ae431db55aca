"""A hopeless run stops early, a good one never does."""

import dataclasses
import itertools
import math
import pathlib
import re

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import SaitenError, TooManyDeadLettersError
from saiten.pipelines.records import DeadLetter, SourceSpan
from saiten.pipelines.run.notes import progress_notes as progress
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit, Progress, ProgressNote, read_progress
from saiten.pipelines.storage import list_named
from tests.helpers.fakes import make_block, make_scored_block
from tests.helpers.scoring import score


def letter(code: str, position: int = 0) -> DeadLetter:
    return DeadLetter("a.txt", position, f"a.txt:{position}", "read", code, "wrong", None, 1)


def tally(records: int, dead: int) -> DeadLetterTally:
    made = DeadLetterTally()
    made.add(records, [letter("BAD_JSON", i) for i in range(dead)])
    return made


@pytest.mark.parametrize(("records", "dead", "rate"), [(100, 1, 0.01), (0, 0, 0.0), (5, 5, 1.0), (10**6, 0, 0.0)])
def test_a_rate_that_is_reached_but_not_passed_is_allowed(records: int, dead: int, rate: float) -> None:
    tally(records, dead).refuse_too_many(rate)


def test_the_commonest_codes_come_first_with_an_example_of_each() -> None:
    made = DeadLetterTally()
    made.add(10, [letter("BAD_UTF8", 7), letter("BAD_JSON", 8), letter("BAD_JSON", 9)])
    with pytest.raises(TooManyDeadLettersError) as caught:
        made.refuse_too_many(0.1)
    assert str(caught.value) == (
        "3 of 10 records are dead letters, more than --max_dead_letter_rate=0.1 allows: "
        "BAD_JSON 2 (such as a.txt:8), BAD_UTF8 1 (such as a.txt:7). Nothing is committed."
    )


@pytest.mark.parametrize(
    ("records", "dead", "to_come", "stops"),
    [
        (2_000, 201, 18_000, True),
        (2_000, 200, 18_000, False),
        (999, 999, 0, False),  # the end is near, and judges exactly
        (2_000, 2_000, math.inf, False),
        (2_000, 41, 0, True),
    ],
)
def test_a_run_stops_early_only_if_it_is_hopeless(records: int, dead: int, to_come: float, stops: bool) -> None:
    if not stops:
        tally(records, dead).refuse_hopeless(0.01, to_come)
        return
    with pytest.raises(TooManyDeadLettersError, match=f"{dead:,} of the first {records:,} records"):
        tally(records, dead).refuse_hopeless(0.01, to_come)


def test_the_rest_of_the_input_is_taken_for_as_many_good_records_as_it_can_hold() -> None:
    limit = DeadLetterLimit(0.01, total_bytes=1_000_000, least_record_bytes=10)
    limit.stop_if_hopeless(Progress(100_000, tally(2_000, 920), record_bytes=300.0))  # 90,000 to come, 92,000 in all
    with pytest.raises(TooManyDeadLettersError, match="for there are 92,000 at most"):
        limit.stop_if_hopeless(Progress(100_000, tally(2_000, 921), record_bytes=300.0))
    limit.stop_if_hopeless(Progress(100_000, tally(2_000, 1_820), record_bytes=5.0))
    with pytest.raises(TooManyDeadLettersError):
        limit.stop_if_hopeless(Progress(2_000_000, tally(2_000, 21)))


def test_only_blocks_that_are_good_for_the_most_part_say_how_small_records_get(tmp_path: pathlib.Path) -> None:
    note = ProgressNote(str(tmp_path), itertools.count().__next__)
    bad = make_scored_block(["", "abc", "abc"], dead=(1, 2))
    sizes = [getattr(note.add(block), "record_bytes", None) for block in (bad, make_scored_block(["abc", "a"]))]
    assert sizes == [math.inf, 3.0]


def test_bytes_are_done_when_all_their_records_have_come(tmp_path: pathlib.Path) -> None:
    """One chunk of an archive may hold many blocks of records, of which the first stands for its bytes."""
    note = ProgressNote(str(tmp_path), itertools.count().__next__)
    block = dataclasses.replace(make_scored_block(["a"], is_last=False), n_bytes=0)
    blocks = [
        dataclasses.replace(block, n_bytes=10),
        block,
        dataclasses.replace(block, n_bytes=5),
        dataclasses.replace(block, is_last=True),
    ]
    done = []
    for block in blocks:
        note.add(block)
        done.append(progress.read_progress(str(tmp_path)).n_bytes)
    assert done == [0, 0, 10, 15]


def test_on_an_object_store_a_writer_judges_by_itself_and_writes_nothing() -> None:
    done = ProgressNote("memory://bucket/out", itertools.count().__next__).add(make_scored_block(["ab", "c"]))
    assert done is not None
    assert (done.n_bytes, done.tally.records) == (3, 2)


def score_at_once(tmp_path: pathlib.Path, bundle: StoredBundle, source: pathlib.Path, patch: pytest.MonkeyPatch) -> int:
    """Scores a file in one process that judges after every block."""
    patch.setattr(progress, "WRITE_SECS", 0.0)
    return score(bundle, source, tmp_path / "out", "--workers=1")


def test_a_file_in_another_encoding_is_given_up_long_before_its_end(
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "cp932.txt"
    source.write_bytes("駅から遠くて、値段も高い。もう行きません！\n\n".encode("cp932") * 50_000)
    assert score_at_once(tmp_path, tiny_bundle, source, monkeypatch) == 4
    said = re.match(
        r"saiten: ([\d,]+) of the first ([\d,]+) records are dead letters.*BAD_UTF8", capsys.readouterr().err
    )
    assert said is not None
    n_dead, n_read = (int(number.replace(",", "")) for number in said.groups())
    assert n_dead * 2 == n_read < 20_000


def test_a_run_that_a_long_rest_of_short_records_saves_is_never_given_up(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead are 0.9 % of the records, and 95 % of the bytes."""
    source = tmp_path / "long_first.jsonl"
    source.write_bytes(b'{"text": ""}\n' + (b"x" * 20_000 + b"\n") * 1_100 + b'{"text": ""}\n' * 120_000)
    assert score_at_once(tmp_path, tiny_bundle, source, monkeypatch) == 3


def test_progress_is_the_sum_of_what_every_writer_noted(tmp_path: pathlib.Path) -> None:
    seconds = iter([0.0, 1.0, 1.0, 0.0, 0.1, 2.0, 2.0])
    note = ProgressNote(str(tmp_path), lambda: next(seconds))
    block = make_scored_block(["ab", "c"], dead=[1])
    first = note.add(block)
    assert first is not None
    assert (first.n_bytes, first.tally.records, dict(first.tally.codes)) == (3, 2, {"BAD_JSON": 1})
    other = ProgressNote(str(tmp_path), lambda: next(seconds))
    assert other.add(block) is None, "written before it was time"
    assert other.add(block) is not None
    total = read_progress(str(tmp_path))
    assert (total.n_bytes, total.tally.records, total.tally.dead) == (9, 6, 3)
    assert total.tally.examples == {"BAD_JSON": "a.txt:3"}


def test_the_gravest_report_of_a_worker_reaches_the_launcher(tmp_path: pathlib.Path) -> None:
    reports = FailureReports(str(tmp_path))
    assert reports.gravest() is None
    for error in (SaitenError("disk full"), TooManyDeadLettersError("too many")):
        with pytest.raises(SaitenError), reports.reported():
            raise error
    first = reports.gravest()
    assert (str(first), first.exit_code if first else 0) == ("too many", 4)


def test_notes_are_known_by_their_own_names_whatever_folders_they_lie_in(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "progress-2026" / "failure-x" / "worker-7"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    assert read_progress(str(folder)).tally.records == 0
    assert FailureReports(str(folder)).gravest() is None
    (folder / "worker-123").touch()
    assert list_named(str(folder), "worker-") == [f"{folder}/worker-123"]
    assert list_named(f"{folder}/none", "worker-") == []


def test_only_a_writer_that_has_met_a_dead_letter_looks_at_what_the_others_have(tmp_path: pathlib.Path) -> None:
    """All of them looking, twice a second each, would be the run's main work on a large machine."""
    seconds = iter([0.0, 1.0, 1.0, 2.0, 2.0])
    note = ProgressNote(str(tmp_path), lambda: next(seconds))
    assert note.add(make_scored_block(["ab", "c"])) is None
    assert read_progress(str(tmp_path)).tally.records == 2, "it has noted its own"
    assert note.add(make_scored_block(["ab", "c"], dead=[1])) == read_progress(str(tmp_path))


def test_a_block_that_lost_a_record_stops_the_run() -> None:
    block = make_block(["a", "b"])
    block.check_counts()
    lost = dataclasses.replace(block, spans=(SourceSpan("a.txt", 3, 2),))
    with pytest.raises(SaitenError, match="3 records read, 2 still there"):
        lost.check_counts()
    strayed = dataclasses.replace(block, spans=(SourceSpan("a.txt", 1, 1), SourceSpan("b.txt", 1, 1)))
    died = strayed.move_to_dead_letters({1: ("BAD_JSON", "wrong")}, "read")
    died.check_counts()
    assert (died.spans, died.sources) == ((SourceSpan("a.txt", 1, 1), SourceSpan("b.txt", 1, 0)), ["a.txt"])
    with pytest.raises(SaitenError, match="2 records read, 2 still there"):
        dataclasses.replace(died, spans=(SourceSpan("a.txt", 2, 1),)).check_counts()
