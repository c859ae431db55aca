"""What formats have in common whose files are lines."""

import abc
import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import IO

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.format import Format, SizedSlice
from saiten.pipelines.reading.lines.decompress import compression_of
from saiten.pipelines.reading.lines.slices import Lines, slice_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import Rows, no_rows
from saiten.pipelines.records import FileSlice

# A line of four characters, or the smallest JSON object with a text.
_LEAST_RECORD_BYTES = 12


class LineFormat(Format):
    """A format whose files may be compressed, and are read line by line.

    Attributes:
        record_is_line: Every line begins a record, so that a plain file may be cut into byte ranges at any place.
    """

    least_record_bytes = _LEAST_RECORD_BYTES
    record_is_line = True

    @abc.abstractmethod
    def read_lines(self, lines: Lines, source: str, options: ReadOptions) -> Iterator[Rows]:
        """Yields the records of the lines."""

    def cut(self, file: FileSlice, options: ReadOptions, target_bytes: int) -> list[SizedSlice]:
        compression = compression_of(file.path)
        if compression is not None and file.size == 0:
            raise DamagedFileError(f"{file.source} is empty, so it is no whole {compression} file.")
        may_be_cut = self.record_is_line and compression is None and not options.is_wide
        n_slices = _dealt_evenly(-(-file.size // target_bytes)) if may_be_cut else 1
        bounds = [file.size * i // n_slices for i in range(n_slices + 1)] if file.size else [0, 0]
        return [
            SizedSlice(dataclasses.replace(file, start=start, end=end), end - start) for start, end in pairwise(bounds)
        ]

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        lines = slice_lines(file, file_slice, options, cut_anywhere=self.record_is_line)
        done = file_slice.start
        for rows in self.read_lines(lines, file_slice.source, options):
            now = min(max(file.tell(), done), file_slice.end)
            yield rows, now - done
            done = now
        yield no_rows(options), file_slice.end - done


def _dealt_evenly(n_slices: int) -> int:
    """The local runner deals ranges out before it starts: by a multiple of 4, most workers get equal shares."""
    return n_slices if n_slices <= 1 else -(-n_slices // 4) * 4
