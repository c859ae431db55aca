"""A slice of a file as lines, unpacked and cut as the format and the encoding want it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.lines.decompress import compression_of, decompress
from saiten.pipelines.reading.lines.lines import LineBatch, LineBreaks, LongLine, read_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import CHUNK_BYTES
from saiten.pipelines.records import FileSlice

# How far to read at a time for the end of a line that the slice begins and the next one contains.
_LOOK_AHEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Lines:
    """The lines of a slice and the codec they are in."""

    codec: str
    batches: Iterator[LineBatch | LongLine]


def slice_lines(file: IO[bytes], file_slice: FileSlice, options: ReadOptions, *, cut_anywhere: bool) -> Lines:
    """Returns the lines whose first byte lies in the slice.

    Args:
        file: The slice's file, open at its beginning.
        cut_anywhere: Whether other slices of the file may follow where this one ends.

    Raises:
        DamagedFileError: While the lines are read: the file is truncated or damaged.
    """
    compression = compression_of(file_slice.path)
    if compression is not None:
        chunks, offset, end = decompress(file, compression, file_slice.source), 0, None
    elif file_slice.start > 0:
        first = _plain_chunks(file, file_slice, file_slice.start - 1)
        chunks, offset = _skip_line(first, file_slice.start - 1, file_slice.end)
        end = file_slice.end
    else:
        chunks, offset = _plain_chunks(file, file_slice, 0), 0
        end = file_slice.end if cut_anywhere and not options.is_wide else None
    codec = options.codec
    if options.is_wide:
        codec, chunks = _resolve_wide(codec, chunks)
    return Lines(codec, read_lines(chunks, offset, end, LineBreaks.of(codec), options.max_record_bytes))


def _plain_chunks(file: IO[bytes], file_slice: FileSlice, start: int) -> Iterator[bytes]:
    """Yields the file's bytes from `start` on, up to the size it had when the work was planned."""
    file.seek(start)
    while start < file_slice.size:
        wanted = min(CHUNK_BYTES, file_slice.end - start) if start < file_slice.end else _LOOK_AHEAD_BYTES
        chunk = file.read(min(wanted, file_slice.size - start))
        if not chunk:
            raise DamagedFileError(
                f"{file_slice.source} ends at byte {start} of {file_slice.size}; was it cut meanwhile?"
            )
        start += len(chunk)
        yield chunk


def _skip_line(chunks: Iterator[bytes], offset: int, end: int) -> tuple[Iterator[bytes], int]:
    """Drops the end of a line that belongs to the slice before; returns what follows and its offset."""
    for chunk in chunks:
        cut = chunk.find(b"\n") + 1
        if cut:
            return chain([chunk[cut:]], chunks), offset + cut
        offset += len(chunk)
        if offset >= end:
            break
    return iter(()), offset


def _resolve_wide(codec: str, chunks: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """Returns the UTF-16 codec that the byte-order mark says, and the bytes in whole characters."""
    even = _even_chunks(chunks)
    first = next(even, b"")
    if codec == "utf-16":
        # Without a mark it is what Windows writes.
        codec = "utf-16-be" if first.startswith(b"\xfe\xff") else "utf-16-le"
    return codec, chain([first], even)


def _even_chunks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    odd = b""
    for chunk in chunks:
        data = odd + chunk
        odd = data[len(data) - len(data) % 2 :]
        if len(data) > 1:
            yield data[: len(data) - len(odd)]
    if odd:
        yield odd
