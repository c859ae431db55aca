"""A compiled user dictionary of MeCab's, written without its tools."""

import pathlib
import struct
from collections.abc import Sequence

# A state's children lie in the 256 units behind it, and no state shares them.
_SPAN = 257
_MAGIC, _VERSION, _USER = 0xEF718F77, 102, 1


def write_user_dictionary(
    path: pathlib.Path, system: pathlib.Path, entries: Sequence[tuple[str, int, int, int]], charset: str = "utf-8"
) -> pathlib.Path:
    """Writes entries of surface, left id, right id and cost, for a system dictionary; returns the path."""
    surfaces = sorted({entry[0].encode(charset) for entry in entries})
    prefixes = sorted({surface[:i] for surface in surfaces for i in range(len(surface) + 1)})
    base = {prefix: 1 + _SPAN * i for i, prefix in enumerate(prefixes)}
    units = [(0, 0)] * (1 + _SPAN * len(prefixes))
    units[0] = (base[b""], 0)
    for prefix in prefixes[1:]:
        units[base[prefix[:-1]] + prefix[-1] + 1] = (base[prefix], base[prefix[:-1]])
    tokens = b""
    for surface in surfaces:
        same = [entry for entry in entries if entry[0].encode(charset) == surface]
        value = (len(tokens) // 16 << 8) + len(same)
        units[base[surface]] = (-value - 1, base[surface])
        for _, left_id, right_id, cost in same:
            tokens += struct.pack("<HHHhII", left_id, right_id, 0, cost, 0, 0)
    array, features = b"".join(struct.pack("<iI", *unit) for unit in units), b"*\0"
    n_left, n_right = struct.unpack("<HH", (system / "matrix.bin").read_bytes()[:4])
    sizes = (len(array), len(tokens), len(features), 0)
    header = struct.pack("<9I", _VERSION, _USER, len(entries), n_left, n_right, *sizes)
    content = header + charset.encode().ljust(32, b"\0") + array + tokens + features
    path.write_bytes(struct.pack("<I", (len(content) + 4) ^ _MAGIC) + content)
    return path
