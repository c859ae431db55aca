r"""Bytes to lines, whatever the chunks they come in.

    chunks       | いい\nとて | も\n...     |
    batches      | いい\n | とても\n... |        positions 0, 7

A line belongs to the range of bytes in which its first byte lies, and is read to its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from saiten.pipelines.reading.rows import BLOCK_RECORDS
from saiten.pipelines.records import MAX_RAW_BYTES


@dataclass(frozen=True)
class LineBreaks:
    """Where lines end in an encoding: at a line feed, which takes two bytes in UTF-16.

    All bytes given to the methods start at a whole character.
    """

    feed: bytes = b"\n"
    quote: bytes = b'"'
    carriage_return: bytes = b"\r"
    byte_order_mark: bytes = b""

    @classmethod
    def of(cls, codec: str) -> "LineBreaks":
        """Returns the line ends of ``utf-16-le``, ``utf-16-be``, or of any encoding that contains ASCII."""
        if not codec.startswith("utf"):
            return cls()
        return cls(*(text.encode(codec) for text in ("\n", '"', "\r", "\ufeff")))

    @property
    def width(self) -> int:
        """Bytes that a line feed takes."""
        return len(self.feed)

    def next_end(self, data: bytes, start: int = 0) -> int:
        """Returns the index behind the first line end at or after `start`; 0 where there is none."""
        found = data.find(self.feed, start)
        while found % self.width and found > 0:
            found = data.find(self.feed, found + 1)
        return found + self.width if found >= 0 else 0

    def last_end(self, data: bytes) -> int:
        """Returns the index behind the last line end; 0 where there is none."""
        found = data.rfind(self.feed)
        while found % self.width and found > 0:
            found = data.rfind(self.feed, 0, found + self.width - 1)
        return found + self.width if found >= 0 else 0

    def split(self, data: bytes) -> list[bytes]:
        """Returns the lines without their line feeds; a last line without one counts."""
        if self.width == 1:
            lines = data.split(self.feed)
            return lines if lines[-1] else lines[:-1]
        lines, start = [], 0
        while end := self.next_end(data, start):
            lines.append(data[start : end - self.width])
            start = end
        return [*lines, data[start:]] if start < len(data) else lines

    def strip(self, line: bytes) -> bytes:
        """Returns the line without the one carriage return before its line feed."""
        return line.removesuffix(self.carriage_return)

    def strip_all(self, lines: Sequence[bytes]) -> list[bytes]:
        """Returns the lines, each without the one carriage return before its line feed."""
        end = self.carriage_return
        return [line.removesuffix(end) for line in lines]

    def count_quotes(self, data: bytes) -> int:
        """Returns the number of quotation marks."""
        found = data.count(self.quote)
        if self.width == 1 or not found:
            return found
        return sum(data[i : i + 2] == self.quote for i in range(0, len(data), 2))


@dataclass(frozen=True)
class LineBatch:
    """Lines that follow each other.

    Attributes:
        positions: Offset of each line's first byte.
        lines: Without the line feed, with the carriage return before it.
    """

    positions: Sequence[int]
    lines: Sequence[bytes]


@dataclass(frozen=True)
class LongLine:
    """A line that is too long to be kept.

    Attributes:
        head: Its first bytes.
        n_bytes: Its true length, without its line end.
        n_quotes: How many quotation marks it has.
    """

    position: int
    head: bytes
    n_bytes: int
    n_quotes: int


def read_lines(
    chunks: Iterable[bytes], offset: int, end: int | None, breaks: LineBreaks, max_bytes: int
) -> Iterator[LineBatch | LongLine]:
    """Yields the lines, at most `BLOCK_RECORDS` at a time.

    Never holds more than `max_bytes` and a chunk.

    Args:
        chunks: The bytes from `offset` on, cut between whole characters.
        offset: Where a line starts.
        end: No line that starts here or later is yielded; None reads all.
        max_bytes: A longer line comes as a `LongLine`.
    """
    tail, long = b"", None
    for chunk in chunks:
        if long is not None:
            cut = breaks.next_end(chunk)
            long.add(chunk[:cut] if cut else chunk)
            if not cut:
                continue
            yield long.line()
            offset, chunk, long = offset + long.n_bytes, chunk[cut:], None  # noqa: PLW2901
        if end is not None and offset >= end:
            return
        cut = breaks.last_end(chunk)
        data, tail = (tail + chunk[:cut], chunk[cut:]) if cut else (b"", tail + chunk)
        if end is not None and offset + len(data) >= end:
            data = data[: breaks.next_end(data, end - offset - breaks.width)]
            yield from _cut_batches(data, offset, breaks, max_bytes)
            return
        yield from _cut_batches(data, offset, breaks, max_bytes)
        offset += len(data)
        if len(tail) > max_bytes + 2 * breaks.width:
            long = _LongLineSoFar(offset, breaks)
            long.add(tail)
            tail = b""
    if long is not None:
        yield long.line()
    elif offset > 0 or tail != breaks.byte_order_mark:
        yield from _cut_batches(tail, offset, breaks, max_bytes)


@dataclass
class _LongLineSoFar:
    """Counts a line that is too long, and keeps its head and its end."""

    position: int
    breaks: LineBreaks
    n_bytes: int = 0
    head: bytes = b""
    end: bytes = b""
    n_quotes: int = 0

    def add(self, data: bytes) -> None:
        self.n_bytes += len(data)
        self.head += data[: MAX_RAW_BYTES - len(self.head)]
        self.end = (self.end + data[-2 * self.breaks.width :])[-2 * self.breaks.width :]
        self.n_quotes += self.breaks.count_quotes(data)

    def line(self) -> LongLine:
        # In UTF-16 a line that ends in half a character has no line feed, whatever its last bytes look like.
        is_whole = self.n_bytes % self.breaks.width == 0
        bare = self.breaks.strip(self.end.removesuffix(self.breaks.feed) if is_whole else self.end)
        n_bytes = self.n_bytes - len(self.end) + len(bare)
        return LongLine(self.position, self.head[:n_bytes], n_bytes, self.n_quotes)


def _cut_batches(data: bytes, offset: int, breaks: LineBreaks, max_bytes: int) -> Iterator[LineBatch | LongLine]:
    if not data:
        return
    lines = breaks.split(data)
    sizes = np.fromiter(map(len, lines), np.int64, len(lines)) + breaks.width
    positions = (offset + np.cumsum(sizes) - sizes).tolist()
    sizable: list[int] = np.flatnonzero(sizes - breaks.width > max_bytes).tolist()
    too_long = [i for i in sizable if len(breaks.strip(lines[i])) > max_bytes]
    start = 0
    for stop in [*too_long, len(lines)]:
        for i in range(start, stop, BLOCK_RECORDS):
            yield LineBatch(positions[i : min(i + BLOCK_RECORDS, stop)], lines[i : min(i + BLOCK_RECORDS, stop)])
        if stop < len(lines):
            line = breaks.strip(lines[stop])
            yield LongLine(positions[stop], line[:MAX_RAW_BYTES], len(line), breaks.count_quotes(line))
        start = stop + 1
