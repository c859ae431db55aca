"""Records that come so late that an engine would drop them without a word."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import TimestampedValue

from saiten.pipelines.records import Code
from saiten.pipelines.streaming.stream import UnscoredBlock

LATE_STAGE = "window"
# Engines remember a window for so long, for what comes late; a day is 1,440 windows of a minute.
GRACE_SECS = 24 * 3600
# How far a watermark may be ahead of this clock.
_MARGIN_SECS = 3600


@dataclass
class StampVeryLate(beam.PTransform):
    """Turns the records of windows that no engine remembers into dead letters of the present window.

    Attributes:
        window_secs: How long a window is.
        clock: Seconds since the epoch; injected in tests.
    """

    window_secs: float
    clock: Callable[[], float] = time.time

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Stamp" >> beam.ParDo(_StampVeryLateDoFn(self.window_secs, self.clock))


class _StampVeryLateDoFn(beam.DoFn):
    def __init__(self, window_secs: float, clock: Callable[[], float]) -> None:
        self._remembered_secs = window_secs + GRACE_SECS - _MARGIN_SECS
        self._clock = clock

    def process(self, block: UnscoredBlock, timestamp: Any = beam.DoFn.TimestampParam) -> Iterator[Any]:
        now = self._clock()
        if float(timestamp) + self._remembered_secs >= now:
            yield block
            return
        records = block.records
        late = (Code.LATE, f"It came more than {self._remembered_secs // 3600:.0f} hours after its time.")
        dead = records.move_to_dead_letters(dict.fromkeys(range(len(records.texts)), late), LATE_STAGE)
        yield TimestampedValue(dataclasses.replace(block, records=dead), now)
