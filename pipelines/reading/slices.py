"""A slice of a file as lines, unpacked and cut as the format and the encoding want it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.decompress import decompress
from saiten.pipelines.reading.formats import ReadOptions, compression_of, is_splittable
from saiten.pipelines.reading.lines import CHUNK_BYTES, LineBatch, LineBreaks, LongLine, read_lines
from saiten.pipelines.records import FileSlice

# How far to read at a time for the end of a line that the slice begins and the next one contains.
_LOOK_AHEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Lines:
    """The lines of a slice and the codec they are in."""

    codec: str
    batches: Iterator[LineBatch | LongLine]


def slice_lines(file: IO[bytes], piece: FileSlice, options: ReadOptions) -> Lines:
    """Returns the lines whose first byte lies in the slice.

    Args:
        file: The slice's file, open at its beginning.

    Raises:
        DamagedFileError: While the lines are read: the file is truncated or damaged.
    """
    compression = compression_of(piece.path)
    if compression is not None:
        chunks, offset, end = decompress(file, compression, piece.source), 0, None
    elif piece.start > 0:
        first = _plain_chunks(file, piece, piece.start - 1)
        chunks, offset = _skip_line(first, piece.start - 1, piece.end)
        end = piece.end
    else:
        chunks, offset = _plain_chunks(file, piece, 0), 0
        end = piece.end if is_splittable(piece.path, options) else None
    codec = options.codec
    if options.is_wide:
        codec, chunks = _resolve_wide(codec, chunks)
    return Lines(codec, read_lines(chunks, offset, end, LineBreaks.of(codec), options.max_record_bytes))


def _plain_chunks(file: IO[bytes], piece: FileSlice, start: int) -> Iterator[bytes]:
    """Yields the file's bytes from `start` on, up to the size it had when the work was planned."""
    file.seek(start)
    while start < piece.size:
        wanted = min(CHUNK_BYTES, piece.end - start) if start < piece.end else _LOOK_AHEAD_BYTES
        chunk = file.read(min(wanted, piece.size - start))
        if not chunk:
            raise DamagedFileError(f"{piece.source} ends at byte {start} of {piece.size}; was it cut meanwhile?")
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
