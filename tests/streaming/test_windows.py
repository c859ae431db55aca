"""Windows of a stream, as `TestStream` lets time pass: each record is in one window, or is a dead letter."""

import json
import pathlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from apache_beam.testing.test_stream import TestStream as Events
from apache_beam.transforms.window import IntervalWindow

from saiten.pipelines.run.notes.failures import FencedOffError
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.run.results import read_dead_letters, read_scores
from saiten.pipelines.run.windows.window_manifest import Windows, start_name
from saiten.pipelines.streaming import window_writer
from saiten.pipelines.streaming.stream import Stream
from saiten.pipelines.streaming.window_step import _WriteWindowDoFn
from saiten.pipelines.streaming.window_writer import write_window
from tests.helpers.streams import (
    SUBSCRIPTION,
    T0,
    WINDOW_SECS,
    block,
    positions,
    run,
    scored,
    tick,
    windows,
)


def test_each_record_is_in_the_window_of_its_time_and_an_empty_window_appears_too(stream: Stream) -> None:
    events = Events().advance_watermark_to(T0)
    for second in (0, 60, 120):
        events = events.add_elements(tick(second))
    events = (
        events.add_elements(block((1, 3), (2, 59.9)))
        .add_elements(block((3, 121)))
        .advance_watermark_to(T0 + 60)
        .add_elements(block((4, 150), text=""))
        .advance_watermark_to_infinity()
    )
    run(stream, events)
    found = windows(stream)
    assert {name: positions(stream, manifest) for name, manifest in found.items()} == {
        "0/0": [1, 2],
        "60/0": [],
        "120/0": [3, 4],
    }
    assert [(m.counts.records, m.counts.scored, m.counts.empty, m.counts.dead) for m in found.values()] == [
        (2, 2, 0, 0),
        (0, 0, 0, 0),
        (2, 1, 1, 0),
    ]
    assert all(part.bundle_id == stream.bundle.bundle_id for m in found.values() for part in m.parts)
    scores = read_scores(stream.run.output)
    assert scores["id"].to_pylist() == [f"{SUBSCRIPTION}:{number}" for number in (1, 2, 3, 4)]
    assert read_dead_letters(stream.run.output).num_rows == 0


def test_what_comes_late_is_a_dead_letter_and_the_windows_files_stay_as_they_are(stream: Stream) -> None:
    events = (
        Events()
        .advance_watermark_to(T0)
        .add_elements(block((1, 3)))
        .advance_watermark_to(T0 + 70)
        .add_elements(block((2, 5)))
        .add_elements(block((3, 6)))
        .advance_watermark_to_infinity()
    )
    run(stream, events)
    found = windows(stream)
    assert {name: positions(stream, manifest) for name, manifest in found.items()} == {
        "0/0": [1],
        "0/1": [],
        "0/2": [],
    }
    assert [positions(stream, found[f"0/{n}"], "dead_letters") for n in range(3)] == [[], [2], [3]]
    letters = read_dead_letters(stream.run.output).to_pylist()
    assert [(letter["stage"], letter["code"], letter["position"]) for letter in letters] == [
        ("window", "LATE", 2),
        ("window", "LATE", 3),
    ]
    assert letters[0]["message"] == f"It came when the window {start_name(T0)} was written already."
    assert json.loads(letters[0]["raw"]) == {"text": "とても美味しい。"}
    assert found["0/1"].dead_letter_codes == {"LATE": 1}


def test_what_comes_so_late_that_no_engine_remembers_its_window_is_a_dead_letter_of_the_present(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = 3 * 24 * 3600
    events = (
        Events()
        .advance_watermark_to(T0)
        .add_elements(block((1, -days), (2, -days)))
        .add_elements(block((3, 1)))
        .advance_watermark_to_infinity()
    )
    run(stream, events)
    letters = read_dead_letters(stream.run.output).to_pylist()
    assert [(letter["code"], letter["position"]) for letter in letters] == [("LATE", 1), ("LATE", 2)]
    assert letters[0]["message"] == "It came more than 23 hours after its time."
    assert [positions(stream, manifest) for manifest in windows(stream).values()] == [[3], []]


def test_a_message_that_is_delivered_twice_counts_once_and_later_not_at_all(stream: Stream) -> None:
    events = (
        Events()
        .advance_watermark_to(T0)
        .add_elements(block((1, 3), (2, 4)))
        .add_elements(block((2, 4), (3, 5)))
        .advance_watermark_to(T0 + 70)
        .add_elements(block((1, 3), (3, 5)))
        .advance_watermark_to_infinity()
    )
    run(stream, events)
    found = windows(stream)
    assert {name: positions(stream, manifest) for name, manifest in found.items()} == {"0/0": [1, 2, 3]}
    assert (found["0/0"].counts.records, found["0/0"].duplicates) == (3, 1)
    assert len(list(pathlib.Path(stream.run.output).rglob("*.parquet"))) == 1


def test_a_window_that_an_engine_gives_again_is_not_written_again(stream: Stream) -> None:
    """An engine that goes back to an earlier state gives what it gave, or less, or what nobody had yet."""
    first = scored(stream, block((1, 1), (2, 2)))
    written = write_window(stream.run, T0, T0 + 60, first, lambda: T0 + 61)
    assert written is not None
    assert written.lag_secs == 1
    before = {path: path.read_bytes() for path in pathlib.Path(stream.run.output).rglob("*") if path.is_file()}
    assert write_window(stream.run, T0, T0 + 60, first) is None
    assert write_window(stream.run, T0, T0 + 60, scored(stream, block((2, 2)))) is None
    assert {path: path.read_bytes() for path in pathlib.Path(stream.run.output).rglob("*") if path.is_file()} == before
    late = write_window(stream.run, T0, T0 + 60, scored(stream, block((2, 2), (3, 3))))
    assert late is not None
    assert (late.number, late.counts.records, late.counts.dead) == (1, 1, 1)
    write_owner(stream.run.output, "another's")
    with pytest.raises(FencedOffError):
        write_window(stream.run, T0 + 60, T0 + 120, scored(stream, block((9, 61))))
    assert [manifest.number for manifest in Windows(stream.run.output).new()] == [0, 1]


@pytest.mark.parametrize("same", [True, False])
def test_of_two_attempts_at_a_window_in_one_instant_one_writes_it_and_the_other_goes_on_behind_it(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """An engine that has given an attempt up may not have reached its worker."""
    barrier, really = threading.Barrier(2, timeout=60), window_writer.start_name
    given = [
        scored(stream, block((1, 1), (2, 2))),
        scored(stream, block(*(((1, 1), (2, 2)) if same else ((2, 2), (3, 3))))),
    ]

    def together(start: float) -> str:
        barrier.wait()  # both have looked whether the window is there, and neither has written it
        monkeypatch.setattr(window_writer, "start_name", really)
        return really(start)

    monkeypatch.setattr(window_writer, "start_name", together)
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda blocks: write_window(stream.run, T0, T0 + 60, blocks), given))
    first, second = sorted(written, key=lambda manifest: manifest.number if manifest else 1)
    assert first is not None
    assert (first.number, first.counts.records, first.counts.scored, first.duplicates) == (0, 2, 2, 0)
    assert positions(stream, first) in ([1, 2], [2, 3])
    if same:
        assert second is None
    else:
        assert second is not None
        assert (second.number, second.counts.records, second.dead_letter_codes) == (1, 1, {"LATE": 1})
        assert sorted([*positions(stream, first), *positions(stream, second, "dead_letters")]) == [1, 2, 3]
    assert list(Windows(stream.run.output).new()) == [each for each in (first, second) if each]
    named = {part.part.path for each in (first, second) if each for part in each.parts}
    output = pathlib.Path(stream.run.output)
    assert {str(path.relative_to(output)) for path in output.rglob("*.parquet")} == named, "nothing else is left"


def test_two_windows_at_one_instant_hold_a_file_once(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that was given up writes one window of it, the next one, which read the file again, another."""
    barrier, really = threading.Barrier(2, timeout=60), window_writer.deciding

    @contextmanager
    def together(output: str) -> Iterator[None]:
        if not barrier.broken and len(begun) < 2:
            begun.append(output)
            barrier.wait()
        with really(output):
            yield

    begun: list[str] = []
    monkeypatch.setattr(window_writer, "deciding", together)

    def write(second: float) -> None:
        writer = _WriteWindowDoFn(replace(stream, input="in/*"))
        writer.setup()
        window = IntervalWindow(T0 + second, T0 + second + WINDOW_SECS)
        list(writer.process(("", scored(stream, block((1, second + 1), (2, second + 2)))), window))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 60)))
    found = windows(stream)
    assert set(found) == {"0/0", "60/0"}
    assert sorted(positions(stream, manifest) for manifest in found.values()) == [[], [1, 2]]
    assert sorted((manifest.counts.records, manifest.duplicates) for manifest in found.values()) == [(0, 2), (2, 0)]


def test_a_file_that_another_window_holds_counts_no_second_time(stream: Stream) -> None:
    """An attempt that was given up may still write a window while the next one has read its files again."""
    writer = _WriteWindowDoFn(replace(stream, input="in/*"))
    writer.setup()

    def write(second: float, *records: tuple[int, float]) -> None:
        window = IntervalWindow(T0 + second, T0 + second + WINDOW_SECS)
        list(writer.process(("", scored(stream, block(*records))), window))

    write(0, (1, 1), (2, 2))
    write(60, (1, 61), (2, 62))
    write(0, (1, 1), (2, 2))
    found = windows(stream)
    assert {name: positions(stream, manifest) for name, manifest in found.items()} == {"0/0": [1, 2], "60/0": []}
    assert (found["60/0"].counts.records, found["60/0"].duplicates, found["60/0"].sources) == (0, 2, {})
