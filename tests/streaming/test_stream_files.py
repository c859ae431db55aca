"""Files as they arrive: each once, when it is whole, under a name that does not change."""

import pathlib
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream as Events
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.reading.files import list_inputs
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.windows.window_manifest import WindowManifest, write_window_manifest
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming import files
from saiten.pipelines.streaming.files import WatchFiles, _OnceEachDoFn, folder_of
from saiten.pipelines.streaming.pipeline import build
from saiten.pipelines.streaming.stream import Stream

NOW = 1_800_000_000.0


@pytest.fixture
def stream(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> Stream:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    run = Run("20261130T000000Z-00000000", str(tmp_path / "out"), "b", ("taste",), (), True, "token")
    bundle = ScoringBundle(str(tiny_bundle.path), "b", "packed")
    return Stream(run, ReadOptions(), bundle, Deadline(60, run.reports, 0), input=f"{tmp_path}/in/*,{tmp_path}/in/sub")


def test_files_are_read_once_when_they_have_not_changed_between_two_looks(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pathlib.Path(stream.input.split("*")[0])
    (folder / "a.txt").write_text("良い。\n悪い。\n", encoding="utf-8")
    looks = iter(range(100))

    def listed(*arguments: Any, **settings: Any) -> Any:
        look = next(looks)
        if look == 1:
            (folder / "sub" / "b.jsonl").write_text('{"text": "良い。"}\n', encoding="utf-8")
        if look == 2:
            (folder / "sub" / "b.jsonl").write_text('{"text": "良い。"}\n{"text": "駅。"}\n', encoding="utf-8")
        return list_inputs(*arguments, **settings)

    monkeypatch.setattr(files, "list_inputs", listed)
    monkeypatch.setattr(files.time, "time", lambda: NOW)
    polls = Events()
    for i in range(6):
        polls = polls.add_elements([TimestampedValue("poll", NOW + i)]).advance_watermark_to(NOW + i)
    with beam.Pipeline(runner=BundleBasedDirectRunner(), options=PipelineOptions(["--streaming"])) as pipeline:
        found = (
            pipeline
            | polls.advance_watermark_to_infinity()
            | WatchFiles(stream)
            | beam.Map(
                lambda block, stamp=beam.DoFn.TimestampParam: (block.records.ids, list(block.records.texts), stamp)
            )
            | beam.Map(lambda found: (found[0], found[1], float(found[2]) - NOW))
        )
        assert_that(
            found,
            equal_to(
                [
                    (["a.txt:0", "a.txt:10"], ["良い。", "悪い。"], 1.0),
                    (["sub/b.jsonl:0", "sub/b.jsonl:22"], ["良い。", "駅。"], 3.0),
                ]
            ),
        )


def test_a_file_that_a_window_holds_is_not_read_by_a_later_job(stream: Stream) -> None:
    folder = pathlib.Path(stream.input.split("*")[0])
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("良い。\n", encoding="utf-8")
    lister = files._ListFilesDoFn(stream)
    lister.setup()
    assert [each.value[0] for each in lister.process("poll", NOW)] == ["a.txt", "b.txt"]
    manifest = WindowManifest(
        run_id="r", start=0, end=60, number=0, committed=61, counts=SourceCount(), sources={"a.txt": SourceCount()}
    )
    write_window_manifest(stream.run.output, manifest)
    assert [each.value[0] for each in lister.process("poll", NOW)] == ["b.txt"]
    nothing = files._ListFilesDoFn(replace(stream, input=f"{folder}/none/*"))
    nothing.setup()
    assert list(nothing.process("poll", NOW)) == []


def test_an_object_of_a_store_appears_whole_and_is_read_at_once() -> None:
    class Remembered:
        def __init__(self) -> None:
            self.value: Any = None

        def read(self) -> Any:
            return self.value

        def write(self, value: Any) -> None:
            self.value = value

    from saiten.pipelines.reading.files import InputFile

    seen = Remembered()
    element = ("a", InputFile("gs://bucket/a", 3, "1"))
    assert list(_OnceEachDoFn().process(element, seen)) == [element]
    assert list(_OnceEachDoFn().process(element, seen)) == []


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("/data/in/*.txt", "/data/in"),
        ("/data/2026/*.txt,/data/2025/*/a.txt", "/data"),
        ("/data/a.txt", "/data"),
        ("gs://bucket/in/part-*", "gs://bucket/in"),
        ("gs://bucket/in/", "gs://bucket/in"),
    ],
)
def test_a_files_name_is_what_lies_below_the_folder_of_all(patterns: str, expected: str) -> None:
    assert folder_of(patterns) == expected


def test_a_folders_files_are_named_below_it(tmp_path: pathlib.Path) -> None:
    assert folder_of(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("source", ["files", "messages"])
def test_a_streams_steps_fit_together_and_their_names_stay_as_they_are(stream: Stream, source: str) -> None:
    """State and updates of a job hang on the names of its steps."""
    if source == "messages":
        stream = replace(stream, input="", subscription="projects/p/subscriptions/s")
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    build(pipeline, replace(stream, bundle_watch="bundles/*"))
    proto = pipeline.to_runner_api()
    (root,) = proto.root_transform_ids
    steps = [proto.components.transforms[each].unique_name for each in proto.components.transforms[root].subtransforms]
    first = ["PollFiles", "WatchFiles"] if source == "files" else ["ReadSubscription"]
    assert steps == [
        *first,
        *("PollBundles", "WatchBundles", "Ticks", "StampVeryLate", "EncodeText", "InferScores", "Tick", "WithTicks"),
        *("Windows", "OneWriter", "ByWindow", "WriteWindow"),
    ]
    assert len(proto.SerializeToString()) < 200_000
