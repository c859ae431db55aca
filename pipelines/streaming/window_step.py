"""The step that writes a window when an engine says that it is over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from saiten.pipelines.beam_metrics import count, count_dead_letters
from saiten.pipelines.records import Code
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
        stream, ack_ids = self._stream, list[str]()

        def blocks() -> Iterator[WindowBlock]:
            for block in group[1]:
                ack_ids.extend(block.ack_ids)
                yield block

        with stream.run.reports.reported():
            start = float(window.start)
            # A message's time is the same whenever it comes; a file's is when it was found.
            held = self._files.of_others(start) if stream.input else frozenset()
            manifest = write_window(stream.run, start, float(window.end), blocks(), held=held)
            if self._client and stream.subscription:
                acknowledge(self._client, stream.subscription, ack_ids)
        if manifest:
            count("windows-written")
            count_dead_letters(Code.LATE, manifest.dead_letter_codes.get(Code.LATE, 0))
            yield manifest.name
