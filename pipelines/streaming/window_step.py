"""The step that writes a window when an engine says that it is over."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from saiten.pipelines.beam_metrics import count, count_outcome
from saiten.pipelines.run.windows.window_manifest import FilesOfWindows
from saiten.pipelines.streaming.stream import Stream, WindowBlock
from saiten.pipelines.streaming.subscription import acknowledge, make_client
from saiten.pipelines.streaming.window_writer import write_window


@dataclass
class WriteWindow(beam.PTransform):
    """Writes each window's blocks and acknowledges their messages; gives the window's name."""

    stream: Stream

    def expand(self, groups: beam.PCollection) -> beam.PCollection:
        return groups | "Write" >> beam.ParDo(_WriteWindowDoFn(self.stream))


class _WriteWindowDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def setup(self) -> None:
        # Made where it is needed: a stream of files needs no library of Google's.
        self._client = make_client() if self._stream.subscription else None
        self._files = FilesOfWindows(self._stream.run.output)

    def process(self, group: tuple[str, Iterable[WindowBlock]], window: Any = beam.DoFn.WindowParam) -> Iterator[str]:
        stream, blocks = self._stream, _Blocks(group[1])
        start = float(window.start)

        def held() -> Set[str]:
            # A message's time is the same whenever it comes; a file's is when it was found.
            return self._files.of_others(start) if stream.input else frozenset()

        with stream.run.reports.reported():
            manifest = write_window(stream.run, start, float(window.end), blocks, held=held)
            if self._client and stream.subscription:
                acknowledge(self._client, stream.subscription, list(blocks.ack_ids))
        if manifest:
            count("windows-written")
            count_outcome(manifest.counts.scored, manifest.counts.empty, manifest.dead_letter_codes)
            yield manifest.name


class _Blocks:
    """A window's blocks, as often as they are gone through.

    Attributes:
        ack_ids: What acknowledges the messages among them; as keys, in order.
    """

    def __init__(self, given: Iterable[WindowBlock]) -> None:
        self._given = given
        self.ack_ids: dict[str, None] = {}

    def __iter__(self) -> Iterator[WindowBlock]:
        for block in self._given:
            self.ack_ids.update(dict.fromkeys(block.ack_ids))
            yield block
