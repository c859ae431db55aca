"""Compressed files: whole, in many streams, truncated, damaged."""

import bz2
import gzip
import lzma
import zlib

import zstandard

from saiten.model.errors import DamagedFileError, UsageError
from tests.reading.odd_inputs.case import OddInput


def _zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


_TEXT = b"aa\nbb\n"
_GZIP, _BZ2, _XZ, _ZSTD = gzip.compress(_TEXT, mtime=0), bz2.compress(_TEXT), lzma.compress(_TEXT), _zstd(_TEXT)
_TWO = ((0, "aa"), (3, "bb"))
_FOUR = (*_TWO, (6, "aa"), (9, "bb"))


def _greedy_xz() -> bytes:
    """The size of the dictionary stands in the fifth byte of the block's head, a checksum behind the head."""
    head = bytearray(_XZ[12:20])
    head[4] = 40
    return _XZ[:12] + head + zlib.crc32(head).to_bytes(4, "little") + _XZ[24:]


COMPRESSED = [
    OddInput("gzip", "a.txt.gz", _GZIP, _TWO),
    OddInput("bzip2", "a.txt.bz2", _BZ2, _TWO),
    OddInput("xz", "a.txt.xz", _XZ, _TWO),
    OddInput("zstd", "a.txt.zst", _ZSTD, _TWO),
    OddInput("an ending in capitals", "A.TXT.GZ", _GZIP, _TWO),
    OddInput("two gzip streams", "a.txt.gz", _GZIP * 2, _FOUR),
    OddInput("two bzip2 streams", "a.txt.bz2", _BZ2 * 2, _FOUR),
    OddInput("two xz streams", "a.txt.xz", _XZ * 2, _FOUR),
    OddInput("two zstd frames", "a.txt.zst", _ZSTD * 2, _FOUR),
    OddInput("gzip of nothing", "a.txt.gz", gzip.compress(b"", mtime=0)),
    OddInput("zstd of nothing", "a.txt.zst", _zstd(b"")),
    OddInput("gzip filled up with zeros", "a.txt.gz", _GZIP + bytes(512), _TWO),
    OddInput("xz filled up with zeros", "a.txt.xz", _XZ + bytes(4), _TWO),
    *(
        OddInput(f"{how} {name}", f"a.txt{ending}", content, error=DamagedFileError, message=f"a.txt{ending}")
        for name, ending, whole in (
            ("gzip", ".gz", _GZIP),
            ("bzip2", ".bz2", _BZ2),
            ("xz", ".xz", _XZ),
            ("zstd", ".zst", _ZSTD),
        )
        for how, content in (
            ("empty", b""),
            ("truncated", whole[:-1]),
            ("cut in the head of", whole[:3]),
            ("garbage behind", whole + b"garbage"),
            ("cut in the second stream of", whole + whole[:-3]),
            ("damaged second stream of", whole + whole[: len(whole) // 2] + b"\xff\x00" + whole[len(whole) // 2 + 2 :]),
            ("plain text as", _TEXT),
        )
    ),
    OddInput(
        "xz that wants 4 GiB of memory",
        "a.txt.xz",
        _greedy_xz(),
        error=UsageError,
        message="a.txt.xz needs more than 512 MiB to be unpacked",
    ),
]
