"""Windows of a stream, as `TestStream` lets time pass: each record is in one window, or is a dead letter."""

import json
import pathlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream as Events
from apache_beam.transforms.window import TimestampedValue

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.failures import FencedOffError
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.run.results import read_dead_letters, read_scores
from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows, start_name
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming import bundles
from saiten.pipelines.streaming.bundles import BundleWatch, RefusedBundle, refused_bundles
from saiten.pipelines.streaming.judge_bundle import judge_bundle
from saiten.pipelines.streaming.messages import Message, blocks_of
from saiten.pipelines.streaming.pipeline import build_windows
from saiten.pipelines.streaming.stream import Stream
from saiten.pipelines.streaming.window_writer import write_window

WINDOW_SECS = 60.0
# A window's begin, recent enough that an engine would still remember it.
T0 = time.time() // WINDOW_SECS * WINDOW_SECS - 600
SUBSCRIPTION = "projects/p/subscriptions/s"
TICK, POLL = "tick", "poll"


@pytest.fixture
def stream(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> Stream:
    output = str(tmp_path / "out")
    write_owner(output, "token")
    run = Run("20261130T000000Z-00000000", output, tiny_bundle.bundle_id, ("taste", "service"), (), True, "token")
    bundle = ScoringBundle(str(tiny_bundle.path), tiny_bundle.bundle_id, "packed")
    return Stream(run, ReadOptions(), bundle, Deadline(60, run.reports, 0), window_secs=WINDOW_SECS)


def block(*records: tuple[int, float], text: str = "とても美味しい。") -> list[TimestampedValue]:
    """Messages by their id and the second in which they were published, as the source gives them."""
    messages = [
        Message(json.dumps({"text": text}).encode(), {}, str(number), T0 + second, f"ack-{number}")
        for number, second in records
    ]
    found = blocks_of(messages, SUBSCRIPTION, ReadOptions(), lambda secs: secs // WINDOW_SECS * WINDOW_SECS)
    return [TimestampedValue(each, secs) for secs, each in found]


def tick(second: float) -> list[TimestampedValue]:
    return [TimestampedValue(TICK, T0 + second)]


def run(stream: Stream, events: Events, watch: "beam.PTransform | None" = None) -> None:
    with beam.Pipeline(runner=BundleBasedDirectRunner(), options=PipelineOptions(["--streaming"])) as pipeline:
        source = pipeline | events
        blocks = source | "Blocks" >> beam.Filter(lambda each: not isinstance(each, str))
        build_windows(stream, blocks, source | "OnlyTicks" >> beam.Filter(lambda each: each == TICK))
        if watch:
            _ = source | "Polls" >> beam.Filter(lambda each: each == POLL) | watch


def windows(stream: Stream) -> dict[str, WindowManifest]:
    """What is written, by the second in which the window begins, and which of the late ones it is."""
    return {f"{manifest.start - T0:g}/{manifest.number}": manifest for manifest in Windows(stream.run.output).new()}


def positions(stream: Stream, manifest: WindowManifest, folder: str = "scores") -> list[int]:
    tables = [
        pq.read_table(pa.BufferReader(pathlib.Path(stream.run.output, part.part.path).read_bytes()))
        for part in manifest.parts
        if part.part.path.startswith(folder)
    ]
    return sorted(position for table in tables for position in table["position"].to_pylist())


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
    from saiten.pipelines.streaming.score_blocks import _EncodeBlocksDoFn, _InferScoresDoFn

    encode, infer = _EncodeBlocksDoFn(stream), _InferScoresDoFn(stream)
    encode.setup()

    def scored(blocks: Sequence[TimestampedValue]) -> list[Any]:
        encoded = [found for each in blocks for found in encode.process(each.value)]
        return [found for each in encoded for found in infer.process(each)]

    first = scored(block((1, 1), (2, 2)))
    written = write_window(stream.run, T0, T0 + 60, first, lambda: T0 + 61)
    assert written is not None
    assert written.lag_secs == 1
    before = {path: path.read_bytes() for path in pathlib.Path(stream.run.output).rglob("*") if path.is_file()}
    assert write_window(stream.run, T0, T0 + 60, first) is None
    assert write_window(stream.run, T0, T0 + 60, scored(block((2, 2)))) is None
    assert {path: path.read_bytes() for path in pathlib.Path(stream.run.output).rglob("*") if path.is_file()} == before
    late = write_window(stream.run, T0, T0 + 60, scored(block((2, 2), (3, 3))))
    assert late is not None
    assert (late.number, late.counts.records, late.counts.dead) == (1, 1, 1)
    write_owner(stream.run.output, "another's")
    with pytest.raises(FencedOffError):
        write_window(stream.run, T0 + 60, T0 + 120, scored(block((9, 61))))
    assert [manifest.number for manifest in Windows(stream.run.output).new()] == [0, 1]


@pytest.fixture
def better(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder that is watched, with one bundle in it, `v1`, whose manifest is another's."""
    return pathlib.Path(shutil.copytree(tiny_bundle.path, tmp_path / "watched" / "v1"))


def in_process(ids: dict[str, str]) -> Callable[[Stream, str], str]:
    """A judge that passes what it knows, and refuses the rest."""

    def judge(_stream: Stream, path: str) -> str:
        name = pathlib.Path(path).name
        if name not in ids:
            raise ValueError("golden record 3 differs")
        return ids[name]

    return judge


def test_another_bundle_is_taken_over_whole_from_one_block_to_the_next(
    stream: Stream, better: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window has records of both, in a part for each, and says which is which."""
    from saiten.pipelines.streaming import score_blocks
    from saiten.pipelines.streaming.bundles import WatchBundles

    stream = replace(stream, bundle_watch=f"{better.parent}/*")
    monkeypatch.setattr(bundles, "_LOOK_SECS", 0.0)
    monkeypatch.setattr(bundles, "_judge_elsewhere", in_process({"v1": "better"}))
    loaded: list[str] = []

    class Loaded(ScoringBundle):
        pass

    def encoder(bundle: ScoringBundle) -> Any:
        loaded.append(bundle.bundle_id)
        return stream.bundle.load_encoder()

    monkeypatch.setattr(score_blocks, "_encoder", encoder)
    monkeypatch.setattr(score_blocks, "_engine", lambda _bundle: stream.bundle.load_engine())
    events = (
        Events()
        .advance_watermark_to(T0)
        .add_elements(block((1, 1)))
        .add_elements([TimestampedValue(POLL, T0 + 2)])
        .add_elements(block((2, 3)))
        .advance_watermark_to_infinity()
    )
    run(stream, events, WatchBundles(stream))
    (manifest,) = windows(stream).values()
    assert loaded == [stream.bundle.bundle_id, "better"]
    by_bundle = {}
    for part in manifest.parts:
        file = pq.ParquetFile(pa.BufferReader(pathlib.Path(stream.run.output, part.part.path).read_bytes()))
        assert file.schema_arrow.metadata[b"saiten.bundle_id"].decode() == part.bundle_id
        by_bundle[part.bundle_id] = file.read()["position"].to_pylist()
    assert by_bundle == {stream.bundle.bundle_id: [1], "better": [2]}


def test_a_bad_bundle_is_refused_once_and_tried_again_when_there_is_more_of_it(
    stream: Stream, better: pathlib.Path
) -> None:
    stream = replace(stream, bundle_watch=f"{better.parent}/*")
    ids: dict[str, str] = {}
    watch = BundleWatch(stream, in_process(ids))
    assert list(watch.look()) == []
    assert refused_bundles(stream.run.work_folder) == [RefusedBundle(str(better), "golden record 3 differs")]
    ids["v1"] = "now-good"
    assert list(watch.look()) == [], "nothing has changed there"
    (better / "vocabulary.json").write_text("longer than it was " * 1000)
    assert list(watch.look()) == [str(better)]
    assert bundles.read_current(stream).bundle_id == "now-good"
    shutil.copytree(better, better.parent / "v0")
    ids["v0"] = "older"
    assert list(watch.look()) == [], "an older one by its name does not come back"


def test_the_judge_lets_the_streams_own_bundle_pass_and_names_what_is_wrong_with_others(
    stream: Stream, better: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, as it runs in a stream."""
    assert bundles._judge_elsewhere(stream, str(better)) == stream.bundle.bundle_id
    (better / "packed.npz").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"packed\.npz"):
        bundles._judge_elsewhere(stream, str(better))
    with pytest.raises(Exception, match="It gives taste, service, and the stream's windows have taste"):
        judge_bundle(stream.bundle.path, "packed", ["taste"], is_classes=False, trusted=False)
    with pytest.raises(Exception, match="no exclusive classes"):
        judge_bundle(stream.bundle.path, "packed", ["taste", "service"], is_classes=True, trusted=False)
