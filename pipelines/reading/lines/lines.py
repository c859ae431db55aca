r"""Bytes to lines, whatever the chunks they come in.

    chunks       | いい\nとて | も\n...     |
    batches      | いい\n | とても\n... |        positions 0, 7

A line belongs to the slice of a file in which its first byte lies, and is read to its end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.rows import BLOCK_RECORDS
from saiten.pipelines.records import MAX_RAW_BYTES


@dataclass(frozen=True)
class LineBatch:
    """Lines that follow each other.

    Attributes:
        positions: Offset of each line's first byte in the unpacked file.
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
    """

    position: int
    head: bytes
    n_bytes: int


def read_lines(chunks: Chunks, max_bytes: int) -> Iterator[LineBatch | LongLine]:
    """Yields the lines that begin in a slice, at most `BLOCK_RECORDS` at a time.

    Never holds more than `max_bytes` and a chunk.

    Args:
        chunks: Of the slice, none of them read.
        max_bytes: A longer line comes as a `LongLine`.
    """
    breaks = chunks.breaks
    if not chunks.skip_to_start() and not _skip_line(chunks):
        return
    most = max_bytes + 2 * breaks.width
    offset, tail = chunks.offset, b""
    while chunk := chunks.read():
        cut = breaks.last_end(chunk)
        data, tail = (tail + chunk[:cut], chunk[cut:]) if cut else (b"", tail + chunk)
        yield from _cut_batches(data, offset, breaks, max_bytes)
        offset += len(data)
        if len(tail) > most:
            yield read_long_line(tail, chunks)
            offset, tail = chunks.offset, b""
    while tail and (chunk := chunks.read_beyond()):
        cut = breaks.next_end(chunk)
        tail += chunk[:cut] if cut else chunk
        if cut:
            break
        if len(tail) > most:
            yield read_long_line(tail, chunks)
            return
    if offset > 0 or tail != breaks.byte_order_mark:
        yield from _cut_batches(tail, offset, breaks, max_bytes)


def read_long_line(head: bytes, chunks: Chunks) -> LongLine:
    """Reads on to the end of a line, and keeps nothing but its beginning.

    Args:
        head: What has been read of it.
        chunks: What follows; they go on behind the line then.
    """
    breaks = chunks.breaks
    position, n_bytes = chunks.offset - len(head), len(head)
    end, head = head[-2 * breaks.width :], head[:MAX_RAW_BYTES]
    while chunk := chunks.read() or chunks.read_beyond():
        cut = breaks.next_end(chunk)
        part = chunk[:cut] if cut else chunk
        n_bytes += len(part)
        head += part[: MAX_RAW_BYTES - len(head)]
        end = (end + part)[-2 * breaks.width :]
        if cut:
            chunks.push_back(chunk[cut:])
            break
    # In UTF-16 a line that ends in half a character has no line end, whatever its last bytes look like.
    is_whole = n_bytes % breaks.width == 0
    bare = breaks.strip(end.removesuffix(breaks.end_bytes) if is_whole else end)
    n_bytes -= len(end) - len(bare)
    return LongLine(position, head[:n_bytes], n_bytes)


def _skip_line(chunks: Chunks) -> bool:
    """Drops the end of a line that belongs to the slice before; tells whether there is anything behind it."""
    while chunk := chunks.read():
        cut = chunks.breaks.next_end(chunk)
        if cut:
            chunks.push_back(chunk[cut:])
            return True
    return False


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
            yield LongLine(positions[stop], line[:MAX_RAW_BYTES], len(line))
        start = stop + 1
