"""Another bundle takes the place of the one that scores, whole, once it has been judged."""

import pathlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.test_stream import TestStream as Events
from apache_beam.transforms.window import TimestampedValue

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming import bundles
from saiten.pipelines.streaming.bundles import BundleWatch, RefusedBundle, refused_bundles
from saiten.pipelines.streaming.judge_bundle import judge_bundle
from saiten.pipelines.streaming.stream import Stream
from tests.helpers.streams import POLL, T0, block, run, windows


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
    with pytest.raises(ValueError, match=r"its judge took longer than 0\.01 s"):
        bundles._judge_elsewhere(replace(stream, deadline=replace(stream.deadline, secs=0.01)), str(better))
    (better / "packed.npz").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"packed\.npz"):
        bundles._judge_elsewhere(stream, str(better))
    with pytest.raises(Exception, match="It gives taste, service, and the stream's windows have taste"):
        judge_bundle(stream.bundle.path, "packed", ["taste"], is_classes=False, trusted=False)
    with pytest.raises(Exception, match="no exclusive classes"):
        judge_bundle(stream.bundle.path, "packed", ["taste", "service"], is_classes=True, trusted=False)
