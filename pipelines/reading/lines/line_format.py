"""What formats have in common whose files are lines."""

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import IO

from saiten.pipelines.reading.format import Format, SizedSlice, even_bounds
from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import Rows, no_rows
from saiten.pipelines.records import FileSlice

# A line of four characters, or the smallest JSON object with a text.
_LEAST_RECORD_BYTES = 12
# About how often text unpacks to more than it is packed.
_UNPACKED_RATIO = 4


class LineFormat(Format):
    """A format whose files may be compressed, and are read line by line."""

    least_record_bytes = _LEAST_RECORD_BYTES

    def look_at(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileSlice:
        """Finds out what ends the lines."""
        chunks, has_return = Chunks(file, whole), False
        while chunk := chunks.read():
            view = chunks.breaks.ascii_view(chunk)
            if b"\n" in view:
                return whole
            has_return = has_return or b"\r" in view
        return dataclasses.replace(whole, line_end="\r") if has_return else whole

    def cut(self, whole: FileSlice, options: ReadOptions, target_bytes: int, most: int) -> list[SizedSlice]:
        ratio = 1
        n_slices = -(-whole.size // target_bytes)
        if whole.compression is not None:
            # Each slice is unpacked from the file's beginning on.
            ratio = _UNPACKED_RATIO
            n_slices = min(most, -(-whole.size * ratio // target_bytes))
        width = LineBreaks(whole.codec).width
        bounds = even_bounds(whole.size // width, n_slices)
        return [
            SizedSlice(dataclasses.replace(whole, start=start, end=end), (end - start) * ratio)
            for start, end in pairwise([*(bound * width for bound in bounds[:-1]), whole.size])
        ]


def with_progress(
    rows: Iterator[Rows], chunks: Chunks, file_slice: FileSlice, options: ReadOptions
) -> Iterator[tuple[Rows, int]]:
    """Yields rows that are made of chunks, each with the bytes of the file that were read for it."""
    done = file_slice.start
    for some in rows:
        now = min(max(chunks.position, done), file_slice.end)
        yield some, now - done
        done = now
    yield no_rows(options), file_slice.end - done
