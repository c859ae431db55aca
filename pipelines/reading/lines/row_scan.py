r"""Finds the rows of CSV and TSV files: where each begins and ends, without a look into its cells.

    id,text\n            a row
    1,"良い\n本\n"\n     a row of three lines
    2,"悪い\n            its quote is never closed: a bad row of one line
    3,本\n               a row

A row with a quote that is not closed, or that stands where none may, costs the lines up to the one in which that
quote opens; the next line is read as a row of its own. Not closed is a quote whose row goes on for more bytes than
the longest record has and for more than `_OPEN_QUOTE_LINES`, or for more than `_OPEN_QUOTE_BYTES`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.lines import read_long_line
from saiten.pipelines.reading.lines.row_grammar import RowGrammar
from saiten.pipelines.reading.rows import too_large
from saiten.pipelines.records import MAX_RAW_BYTES, Code

# A row may go on for so many bytes, or for those of the longest record that is read if they are more.
_OPEN_QUOTE_BYTES = 10 * 1024 * 1024
# One of so few lines that is longer than a record may be is one long record, not a quote that was left open.
_OPEN_QUOTE_LINES = 100
_LINE_END = len("\r\n")


@dataclass(frozen=True)
class RowRun:
    """Rows that follow each other.

    Attributes:
        offset: Of the first byte in the unpacked file.
        end: One behind the last byte.
        data: The bytes, line ends included; of a row that cannot be read the first ones.
        n_rows: Their number.
        n_lines: How many lines they take.
        is_one_row: All lines are one row; else each line is one.
        failure: Code and message of one row that cannot be read.
        n_bytes: Of one row, without its last line end.
        has_blank_rows: Blank lines count as rows.
    """

    offset: int
    end: int
    data: bytes
    n_rows: int
    n_lines: int
    is_one_row: bool = False
    failure: tuple[str, str] | None = None
    n_bytes: int = 0
    has_blank_rows: bool = False

    def split(self, offset: int, breaks: LineBreaks) -> tuple["RowRun | None", "RowRun | None"]:
        """Returns the rows that begin before an offset in the file, and the others; None for none."""
        if offset <= self.offset:
            return None, self
        if self.is_one_row or offset >= self.end:
            return self, None
        view = _row_view(self.data, breaks)
        cut = view.find(b"\n", (offset - self.offset - 1) // breaks.width) + 1
        if not 0 < cut < len(view):
            return self, None
        start = cut * breaks.width
        return (
            line_run(self.offset, self.data[:start], view[:cut], has_blank_rows=self.has_blank_rows),
            line_run(self.offset + start, self.data[start:], view[cut:], has_blank_rows=self.has_blank_rows),
        )


def line_run(offset: int, data: bytes, view: bytes, *, has_blank_rows: bool) -> RowRun:
    """Returns a run of rows of a line each."""
    lines = view.removesuffix(b"\n").split(b"\n")
    n_blank = 0 if has_blank_rows else lines.count(b"") + lines.count(b"\r")
    n_rows = len(lines) - n_blank
    return RowRun(offset, offset + len(data), data, n_rows, len(lines), has_blank_rows=has_blank_rows)


def scan_rows(chunks: Chunks, grammar: RowGrammar, max_bytes: int) -> Iterator[RowRun]:
    """Yields all rows from where the chunks are on, up to the end of the file or a little beyond that of the slice.

    Never holds more than the longest row that there may be, and a chunk.

    Args:
        chunks: At the beginning of a row.
        max_bytes: Of the longest record that is read.
    """
    return _RowScanner(chunks, grammar, max_bytes).scan()


def _row_view(data: bytes, breaks: LineBreaks) -> bytes:
    """Returns a byte a character, with line feeds between lines."""
    view = breaks.ascii_view(data)
    return view if breaks.end == "\n" else view.replace(b"\r", b"\n")


class _RowScanner:
    def __init__(self, chunks: Chunks, grammar: RowGrammar, max_bytes: int) -> None:
        self._chunks = chunks
        self._grammar = grammar
        self._breaks = chunks.breaks
        self._max_bytes = max_bytes
        # What is looked at to find the end of a row does not go by how the chunks come.
        self._least, self._most = (
            n_bytes // self._breaks.width + _LINE_END for n_bytes in (max_bytes, max(max_bytes, _OPEN_QUOTE_BYTES))
        )
        self._goes_on = True
        self._begin(b"")

    def _begin(self, data: bytes) -> None:
        """Takes the bytes before `chunks.offset` to look for rows in."""
        self._data = data
        self._view = _row_view(data, self._breaks)
        self._offset = self._chunks.offset - len(data)
        self._place = 0

    def scan(self) -> Iterator[RowRun]:
        while True:
            lines = self._grammar.lines.match(self._view, self._place)
            if lines and lines.end() > self._place:
                yield line_run(*self._take(lines.end()), has_blank_rows=self._grammar.has_blank_rows)
            n_left = len(self._view) - self._place
            if not n_left and (not self._goes_on or self._is_behind_slice()):
                return
            bound = self._row_bound()
            row = self._grammar.row.match(self._view, self._place, self._place + bound)
            if row:
                yield self._take_row(row.end(), None)
            elif self._goes_on and n_left < bound:
                self._read_more()
            else:
                yield self._take_bad_row(bound)

    def _row_bound(self) -> int:
        """Returns how far a row may go on."""
        stop = self._place
        for _ in range(_OPEN_QUOTE_LINES):
            stop = self._view.find(b"\n", stop) + 1
            if not stop:
                return self._most
        return min(self._most, max(self._least, stop - self._place))

    def _is_behind_slice(self) -> bool:
        return self._chunks.end is not None and self._chunks.offset >= self._chunks.end

    def _read_more(self) -> None:
        """Reads at least as much again as is left."""
        pieces = [self._data[self._place * self._breaks.width :]]
        n_bytes, wanted = 0, len(pieces[0])
        while n_bytes <= wanted and (chunk := self._chunks.read() or self._chunks.read_beyond()):
            is_first = self._chunks.offset == len(chunk)
            pieces.append(chunk.removeprefix(self._breaks.byte_order_mark) if is_first else chunk)
            n_bytes += len(chunk)
        self._begin(b"".join(pieces))
        self._goes_on = n_bytes > 0
        if not self._goes_on and self._view and not self._view.endswith(b"\n"):
            self._view += b"\n"  # the last line need not end in one

    def _take(self, stop: int) -> tuple[int, bytes, bytes]:
        """Goes on to `stop`; returns offset, bytes and view of what lies before it."""
        start, width = self._place, self._breaks.width
        self._place = stop
        return self._offset + start * width, self._data[start * width : stop * width], self._view[start:stop]

    def _take_row(self, stop: int, failure: tuple[str, str] | None) -> RowRun:
        offset, data, view = self._take(stop)
        n_bytes = len(self._breaks.strip(data.removesuffix(self._breaks.end_bytes)))
        if n_bytes > self._max_bytes:
            failure = too_large(n_bytes, self._max_bytes)
        end = offset + len(data)
        if failure is not None:
            data = data[: min(n_bytes, MAX_RAW_BYTES)]
        return RowRun(offset, end, data, 1, view.count(b"\n"), True, failure, n_bytes)

    def _take_bad_row(self, bound: int) -> RowRun:
        fault = self._grammar.find_fault(self._view, self._place, self._place + bound)
        stop = self._view.find(b"\n", fault.place) + 1
        if not stop:
            return self._take_long_row()
        message = fault.message
        if fault.is_open:
            width = self._breaks.width
            goes_beyond = len(self._data) - self._place * width >= bound * width
            within = f" within {(bound - _LINE_END) * width:,} bytes" if goes_beyond else ""
            message = f"{message}{within}, so the row ends there"
        return self._take_row(stop, (Code.BAD_CSV_ROW, f"{message}."))

    def _take_long_row(self) -> RowRun:
        """Takes a row whose last line does not end within what is looked at."""
        offset, data, view = self._take(len(self._view))
        line = read_long_line(data, self._chunks)
        self._begin(b"")
        failure = too_large(line.n_bytes, self._max_bytes)
        return RowRun(offset, self._chunks.offset, line.head, 1, view.count(b"\n") + 1, True, failure, line.n_bytes)
