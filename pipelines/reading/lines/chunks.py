"""The bytes of a slice of a file, unpacked, a chunk at a time.

    plain          |  before  |   slice    |  beyond  |     read from the slice's first byte on
    compressed     |  before  |   slice    |  beyond  |     unpacked from the file's first byte on

What a compressed file unpacks to belongs to the slice in which the packed bytes before it lie.
"""

from collections.abc import Iterator
from itertools import chain
from typing import IO, NamedTuple

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.decompress import decompress
from saiten.pipelines.reading.rows import CHUNK_BYTES
from saiten.pipelines.records import FileSlice

# How far to read at a time for the end of a record that the slice begins and the next one contains.
_LOOK_AHEAD_BYTES = 64 * 1024


class _Piece(NamedTuple):
    """Some bytes.

    Attributes:
        position: How many bytes of the file, packed if it is compressed, were read before.
    """

    position: int
    data: bytes


class Chunks:
    """Reads a slice of a file, whole characters at a time, and what lies around it.

    Args:
        file: The slice's file, open.
        file_slice: Of a file in lines.
        chunk_bytes: How much to read at a time, about.

    Attributes:
        breaks: Where its lines end.
        offset: Of the next byte in the unpacked file.
        start: Offset of the slice's first byte in the unpacked file; None until all before it is read.
        end: One behind its last byte; None until all before it is read, and of the last slice.
    """

    def __init__(self, file: IO[bytes], file_slice: FileSlice, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.breaks = LineBreaks(file_slice.codec, file_slice.line_end)
        self.start: int | None = None
        self.end: int | None = None
        self._slice = file_slice
        if file_slice.compression is not None:
            self.offset = 0
            pieces = _packed_pieces(file, file_slice)
        else:
            # The character before it tells whether a line begins where the slice does.
            self.offset = max(0, file_slice.start - self.breaks.width)
            pieces = _plain_pieces(file, file_slice, self.offset, chunk_bytes)
        self._pieces = _whole_characters(pieces, self.breaks.width)
        self._next: _Piece | None = None
        self._taken_from = 0
        self._advance()

    def skip_to_start(self) -> bool:
        """Drops what lies before the slice; tells whether a line begins where it does."""
        before = self.breaks.end_bytes
        while self.start is None and self._next is not None:
            before = self._take()[-self.breaks.width :]
        return before == self.breaks.end_bytes

    def read(self) -> bytes:
        """Returns the next bytes up to the end of the slice; none there."""
        return b"" if self.end is not None and self.offset >= self.end else self._take()

    def read_beyond(self) -> bytes:
        """Returns the next bytes of the file; none at its end."""
        return self._take()

    @property
    def position(self) -> int:
        """How many bytes of the file, packed if it is compressed, stand before what comes next."""
        return self._next.position if self._next else self._slice.size

    def push_back(self, data: bytes) -> None:
        """Takes back the end of the chunk that was read last."""
        if data:
            self.offset -= len(data)
            self._pieces = chain([self._next] if self._next else [], self._pieces)
            self._next = _Piece(self._taken_from, data)

    def _take(self) -> bytes:
        if self._next is None:
            return b""
        self._taken_from, data = self._next
        self.offset += len(data)
        self._advance()
        return data

    def _advance(self) -> None:
        """Looks at the next piece, which may be the first one of the slice, or the first one behind it."""
        self._next = next(self._pieces, None)
        if self.start is None and self.position >= self._slice.start:
            self.start = self.offset
        # The last slice has what is still unpacked when all of the file is read.
        if self.end is None and self.position >= self._slice.end and self._slice.end < self._slice.size:
            self.end = self.offset


def _plain_pieces(file: IO[bytes], file_slice: FileSlice, start: int, chunk_bytes: int) -> Iterator[_Piece]:
    """Yields the file's bytes from `start` on, up to the size it had when the work was planned."""
    file.seek(start)
    while start < file_slice.size:
        if start < file_slice.start:
            wanted = file_slice.start - start
        elif start < file_slice.end:
            wanted = min(chunk_bytes, file_slice.end - start)
        else:
            wanted = _LOOK_AHEAD_BYTES
        data = file.read(min(wanted, file_slice.size - start))
        if not data:
            raise DamagedFileError(
                f"{file_slice.source} ends at byte {start} of {file_slice.size}; was it cut meanwhile?"
            )
        yield _Piece(start, data)
        start += len(data)


def _packed_pieces(file: IO[bytes], file_slice: FileSlice) -> Iterator[_Piece]:
    assert file_slice.compression is not None
    file.seek(0)
    for position, data in decompress(file, file_slice.compression, file_slice.source):
        yield _Piece(position, data)


def _whole_characters(pieces: Iterator[_Piece], width: int) -> Iterator[_Piece]:
    """Moves half a character from the end of a piece to the next one."""
    if width == 1:
        yield from pieces
        return
    half, position = b"", 0
    for position, piece in pieces:
        data = half + piece
        half = data[len(data) - len(data) % width :]
        if len(data) > len(half):
            yield _Piece(position, data[: len(data) - len(half)])
    if half:
        yield _Piece(position, half)
