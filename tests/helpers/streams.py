"""Streams as `TestStream` lets time pass, and what they have written."""

import json
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream as Events
from apache_beam.transforms.window import TimestampedValue

from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows
from saiten.pipelines.streaming.messages import Message, blocks_of
from saiten.pipelines.streaming.pipeline import build_windows
from saiten.pipelines.streaming.score_blocks import _EncodeBlocksDoFn, _InferScoresDoFn
from saiten.pipelines.streaming.stream import Stream

WINDOW_SECS = 60.0
# A window's begin, recent enough that an engine would still remember it.
T0 = time.time() // WINDOW_SECS * WINDOW_SECS - 600
SUBSCRIPTION = "projects/p/subscriptions/s"
TICK, POLL = "tick", "poll"


def block(
    *records: tuple[int, float], text: str = "とても美味しい。", data: bytes | None = None
) -> list[TimestampedValue]:
    """Messages by their id and the second in which they were published, as the source gives them.

    Args:
        data: Of each, instead of a text's JSON.
    """
    messages = [
        Message(data or json.dumps({"text": text}).encode(), {}, str(number), T0 + second, f"ack-{number}")
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


def scored(stream: Stream, blocks: Sequence[TimestampedValue]) -> list[Any]:
    """The blocks as a window gets them."""
    encode, infer = _EncodeBlocksDoFn(stream), _InferScoresDoFn(stream)
    encode.setup()
    encoded = [found for each in blocks for found in encode.process(each.value)]
    return [found for each in encoded for found in infer.process(each)]
