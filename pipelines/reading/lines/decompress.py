"""Compressed files as a stream of bytes that never loses its end.

Python's own `bz2` and `lzma` files take a damaged second stream for the end of the file, and
python-zstandard takes a truncated frame for a whole one; so the streams are followed here, or read by pyarrow,
which notices. Memory stays bounded however much a small file unpacks to.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Protocol, cast

import pyarrow as pa
from isal import isal_zlib

from saiten.model.errors import DamagedFileError, UsageError

# `xz -9` asks for 65 MiB; a file that asks for GiBs wants to harm.
_XZ_MEMORY_BYTES = 512 * 1024 * 1024
INPUT_BYTES = 64 * 1024
_OUTPUT_BYTES = 256 * 1024
# Its stub takes the class for an error.
_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)
# What the libraries say of a file that is whole, but needs more memory than they give it.
_NEEDS_MEMORY = ("requires too much memory", "Memory usage limit")
_MEMORY_LIMITS = {
    "zstd": "needs a window of more than 128 MiB to be unpacked; write it with zstd --long=27 at most.",
    "xz": f"needs more than {_XZ_MEMORY_BYTES >> 20} MiB to be unpacked; write it with xz -9 at most.",
}

_COMPRESSIONS_BY_ENDING = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


def compression_of(path: str) -> str | None:
    """Returns ``gzip``, ``bz2``, ``xz`` or ``zstd`` by the path's ending; None for any other."""
    return next((name for ending, name in _COMPRESSIONS_BY_ENDING.items() if path.lower().endswith(ending)), None)


def decompress(file: IO[bytes], compression: str, source: str) -> Iterator[tuple[int, bytes]]:
    """Yields what is in a compressed file, all its streams one after the other.

    Args:
        file: Open at its beginning, not empty.
        compression: ``gzip``, ``bz2``, ``xz`` or ``zstd``.
        source: The file's name, for errors.

    Yields:
        How many bytes of the file were read before, and what was unpacked then. The same file always comes in
        the same pieces.

    Raises:
        DamagedFileError: The file is truncated or damaged, or something else follows its last stream.
        UsageError: It needs more memory to be unpacked than it gets.
    """
    pieces = _READERS[compression](file)
    while True:
        position = file.tell()
        try:
            piece = next(pieces, b"")
        except (EOFError, ValueError, _GZIP_ERROR, lzma.LZMAError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if any(words in str(error) for words in _NEEDS_MEMORY):
                raise UsageError(f"{source} {_MEMORY_LIMITS[compression]}") from error
            raise DamagedFileError(f"{source} is a truncated or damaged {compression} file: {error}.") from error
        if not piece:
            return
        yield position, piece


def _read_zstd(file: IO[bytes]) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(_KeptOpen(file), mode="r"), "zstd")
    while piece := stream.read(_OUTPUT_BYTES):
        yield piece


class _KeptOpen:
    """A file that pyarrow does not close when it is done: that is for who opened it."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, n_bytes: int) -> bytes:
        return self._file.read(min(n_bytes, INPUT_BYTES))

    def close(self) -> None:
        pass


class _Decompressor(Protocol):
    """What `bz2` and `lzma` have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _GzipDecompressor:
    """ISA-L, as `zlib` is used, with the interface of `bz2`."""

    def __init__(self) -> None:
        self._stream = isal_zlib.decompressobj(wbits=isal_zlib.MAX_WBITS | 16)
        self._has_more = False

    @property
    def needs_input(self) -> bool:
        return not self._has_more

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        # What has no room stays in the stream, also when all input is taken.
        self._has_more = bool(self._stream.unconsumed_tail) or len(piece) == max_length
        return piece


def _read_streams(new: Callable[[], _Decompressor], file: IO[bytes]) -> Iterator[bytes]:
    decompressor, data = new(), b""
    while True:
        if not data and decompressor.needs_input:
            data = file.read(INPUT_BYTES)
            if not data:
                raise EOFError("it ends in the middle of a stream")
        piece = decompressor.decompress(data, _OUTPUT_BYTES)
        data = b""
        if piece:
            yield piece
        if decompressor.eof:
            # Zero bytes may fill up a file behind a stream.
            data = decompressor.unused_data.lstrip(b"\0")
            while not data:
                data = file.read(INPUT_BYTES)
                if not data:
                    return
                data = data.lstrip(b"\0")
            decompressor = new()


_READERS: dict[str, Callable[[IO[bytes]], Iterator[bytes]]] = {
    "gzip": partial(_read_streams, _GzipDecompressor),
    "bz2": partial(_read_streams, bz2.BZ2Decompressor),
    "xz": partial(_read_streams, partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _XZ_MEMORY_BYTES)),
    "zstd": _read_zstd,
}
