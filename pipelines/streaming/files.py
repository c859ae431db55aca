"""Files that are scored as they arrive."""

import dataclasses
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import TimestampedValue

from saiten.pipelines import storage
from saiten.pipelines.reading.files import InputFile, list_inputs, printable, shared_start
from saiten.pipelines.reading.plan import WorkPlan, plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.run.windows.window_manifest import FilesOfWindows
from saiten.pipelines.streaming.stream import Stream, UnscoredBlock

_WILDCARDS = "*?["


@dataclass
class WatchFiles(beam.PTransform):
    """Looks for files each time that an element comes, and reads each of them once, as soon as it is whole.

    A file is known by its name. All its records count under the time at which it was found.
    """

    stream: Stream

    def expand(self, polls: beam.PCollection) -> beam.PCollection:
        return (
            polls
            | "ListFiles" >> beam.ParDo(_ListFilesDoFn(self.stream)).with_output_types(tuple[str, InputFile])
            | "OnceEach" >> beam.ParDo(_OnceEachDoFn()).with_output_types(tuple[str, InputFile])
            | "SpreadFiles" >> beam.Reshuffle()
            | "ReadFiles" >> beam.ParDo(_ReadFilesDoFn(self.stream))
        )


def folder_of(patterns: str) -> str:
    """Returns the deepest folder that all that matches lies in.

    >>> folder_of("/data/2026/*.txt,/data/2025/*/a.txt")
    '/data'
    """
    fixed = []
    for item in filter(None, (part.strip() for part in patterns.split(","))):
        path = storage.absolute(item)
        whole = next((path[:i] for i, character in enumerate(path) if character in _WILDCARDS), path)
        is_folder = whole == path and not storage.is_remote(path) and os.path.isdir(path)
        fixed.append((path if is_folder else whole.rpartition("/")[0]).split("/"))
    return "/".join(shared_start(fixed))


class _ListFilesDoFn(beam.DoFn):
    """Gives every file that no window holds yet, at each look."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def setup(self) -> None:
        self._written = FilesOfWindows(self._stream.run.output)
        self._folder = folder_of(self._stream.input)

    def process(self, _poll: object, polled: Any = beam.DoFn.TimestampParam) -> Iterator[TimestampedValue]:
        with self._stream.run.reports.reported():
            # Looked at first: a file that is listed afterwards is in none of them, or is new.
            written = self._written.all()
            found = list_inputs(self._stream.input, table_files=self._stream.reading.table_files, may_be_none=True)
            # By the clock, not by the poll's own time: an engine that goes back to an earlier state polls again.
            now = max(time.time(), float(polled))
        for file in found:
            source = printable(file.path.removeprefix(f"{self._folder}/"))
            if source not in written:
                yield TimestampedValue((source, file), now)


_SEEN = beam.DoFn.StateParam(ReadModifyWriteStateSpec("seen", PickleCoder()))


class _OnceEachDoFn(beam.DoFn):
    """Lets a file through once: on a store at once, on a disk when it has not changed between two looks."""

    def process(self, element: tuple[str, InputFile], seen: Any = _SEEN) -> Iterator[tuple[str, InputFile]]:
        file, before = element[1], seen.read()
        if before == "read":
            return
        if storage.is_remote(file.path) or before == (file.size, file.modified):
            seen.write("read")
            yield element
        else:
            seen.write((file.size, file.modified))


class _ReadFilesDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def process(self, element: tuple[str, InputFile]) -> Iterable[UnscoredBlock]:
        source, file = element
        with self._stream.run.reports.reported():
            plan = _named(plan_work(file.path, self._stream.reading), source)
            for block in iter_blocks(plan):
                yield UnscoredBlock(block)


def _named(plan: WorkPlan, source: str) -> WorkPlan:
    """Returns the plan of a single file under the name that it has among all others."""
    ranges = (
        dataclasses.replace(work, slices=tuple(dataclasses.replace(piece, source=source) for piece in work.slices))
        for work in plan.ranges
    )
    return dataclasses.replace(plan, ranges=tuple(ranges))
