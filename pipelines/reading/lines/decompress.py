"""Compressed files as a stream of bytes that never loses its end.

Python's own `bz2` and `lzma` files take a damaged second stream for the end of the file, and
python-zstandard takes a truncated frame for a whole one; so the streams are followed here, or read by pyarrow,
which notices. Memory stays bounded however much a small file unpacks to.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO

import pyarrow as pa

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.rows import CHUNK_BYTES

# `xz -9` asks for 65 MiB; a file that asks for GiBs wants to harm.
_XZ_MEMORY_BYTES = 512 * 1024 * 1024
_INPUT_BYTES = 64 * 1024

_COMPRESSIONS_BY_ENDING = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


def compression_of(path: str) -> str | None:
    """Returns ``gzip``, ``bz2``, ``xz`` or ``zstd`` by the path's ending; None for any other."""
    return next((name for ending, name in _COMPRESSIONS_BY_ENDING.items() if path.lower().endswith(ending)), None)


def decompress(file: IO[bytes], compression: str, source: str) -> Iterator[bytes]:
    """Yields what is in a compressed file, all its streams one after the other.

    Args:
        file: Open at its beginning, not empty.
        compression: ``gzip``, ``bz2``, ``xz`` or ``zstd``.
        source: The file's name, for errors.

    Raises:
        DamagedFileError: The file is truncated or damaged, or something else follows its last stream.
    """
    pieces = _READERS[compression](file)
    while True:
        try:
            piece = next(pieces, b"")
        except (EOFError, ValueError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedFileError(f"{source} is a truncated or damaged {compression} file: {error}.") from error
        if not piece:
            return
        yield piece


def _read_gzip(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            yield piece


def _read_zstd(file: IO[bytes]) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(_KeptOpen(file), mode="r"), "zstd")
    while piece := stream.read(CHUNK_BYTES):
        yield piece


class _KeptOpen:
    """A file that pyarrow does not close when it is done: that is for who opened it."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read

    def close(self) -> None:
        pass


def _read_bz2(file: IO[bytes]) -> Iterator[bytes]:
    return _read_streams(file, bz2.BZ2Decompressor)


def _read_xz(file: IO[bytes]) -> Iterator[bytes]:
    return _read_streams(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY_BYTES))


def _read_streams(file: IO[bytes], new: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]) -> Iterator[bytes]:
    decompressor, data = new(), b""
    while True:
        if not data and decompressor.needs_input:
            data = file.read(_INPUT_BYTES)
            if not data:
                raise EOFError("it ends in the middle of a stream")
        piece = decompressor.decompress(data, CHUNK_BYTES)
        data = b""
        if piece:
            yield piece
        if decompressor.eof:
            # Zero bytes may fill up a file behind a stream.
            data = decompressor.unused_data.lstrip(b"\0")
            while not data:
                data = file.read(_INPUT_BYTES)
                if not data:
                    return
                data = data.lstrip(b"\0")
            decompressor = new()


_READERS: dict[str, Callable[[IO[bytes]], Iterator[bytes]]] = {
    "gzip": _read_gzip,
    "bz2": _read_bz2,
    "xz": _read_xz,
    "zstd": _read_zstd,
}
