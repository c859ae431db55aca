"""The streaming pipeline: wires the steps, and nothing else.

    files or messages ─ StampVeryLate ─ EncodeText ─ InferScores ─┬─ by window ─ WriteWindow
                                                    ticks ────────┘

A tick a window lets one without a record appear too.
"""

import apache_beam as beam
from apache_beam.transforms import trigger, window
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.utils.timestamp import Timestamp

from saiten.pipelines.streaming.bundles import WatchBundles
from saiten.pipelines.streaming.files import WatchFiles
from saiten.pipelines.streaming.lateness import GRACE_SECS, StampVeryLate
from saiten.pipelines.streaming.score_blocks import EncodeBlocks, InferScores
from saiten.pipelines.streaming.stream import Stream, WindowBlock
from saiten.pipelines.streaming.subscription import ReadSubscription
from saiten.pipelines.streaming.window_step import WriteWindow


def build(pipeline: beam.Pipeline, stream: Stream) -> beam.PCollection:
    """Wires a stream; gives the name of each window as it is written."""
    if stream.subscription:
        blocks = pipeline | "ReadSubscription" >> ReadSubscription(stream)
    else:
        blocks = pipeline | "PollFiles" >> _every(stream, stream.poll_secs) | "WatchFiles" >> WatchFiles(stream)
    if stream.bundle_watch:
        _ = pipeline | "PollBundles" >> _every(stream, stream.poll_secs) | "WatchBundles" >> WatchBundles(stream)
    ticks = pipeline | "Ticks" >> _every(stream, stream.window_secs)
    return build_windows(stream, blocks, ticks)


def build_windows(stream: Stream, blocks: beam.PCollection, ticks: beam.PCollection) -> beam.PCollection:
    """Wires all behind the source.

    Args:
        blocks: `UnscoredBlock`s, each with the time that its records count under.
        ticks: One at least in each window that is to appear.
    """
    scored = (
        blocks
        | "StampVeryLate" >> StampVeryLate(stream.window_secs)
        | "EncodeText" >> EncodeBlocks(stream)
        | "InferScores" >> InferScores(stream)
    )
    windows = beam.WindowInto(
        window.FixedWindows(stream.window_secs),
        trigger=trigger.AfterWatermark(late=trigger.AfterCount(1)),
        accumulation_mode=trigger.AccumulationMode.DISCARDING,
        allowed_lateness=GRACE_SECS,
    )
    return (
        (scored, ticks | "Tick" >> beam.Map(lambda _: WindowBlock()))
        | "WithTicks" >> beam.Flatten()
        | "Windows" >> windows
        | "OneWriter" >> beam.WithKeys("")
        | "ByWindow" >> beam.GroupByKey()
        | "WriteWindow" >> WriteWindow(stream)
    )


def _every(stream: Stream, secs: float) -> beam.PTransform:
    return PeriodicImpulse(start_timestamp=Timestamp(stream.started), fire_interval=secs)
