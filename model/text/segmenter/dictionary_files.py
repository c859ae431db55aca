"""Reads MeCab's compiled dictionaries: `sys.dic`, `unk.dic`, user dictionaries, `matrix.bin`, `char.bin`, `dicrc`.

Written from the format that MeCab 0.996 reads, which Taku Kudo and NTT publish under the GPL, the LGPL or, as it is
used here, the BSD licence; nothing of MeCab's code is copied.

    sys.dic, unk.dic, user.dic   ten uint32: magic, version, type, entries, left ids, right ids, bytes of the double
                                 array, of the entries and of the features, nothing; 32 bytes of character set;
                                 double array; entries of 16 bytes; features
    matrix.bin                   uint16 right ids, uint16 left ids, int16 costs
    char.bin                     uint32 categories, 32 bytes of name for each, uint32 for each of 65,535 code points
"""

import mmap
import pathlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saiten.model.compiled import compiled
from saiten.model.errors import LeftToMeCabError
from saiten.model.text.segmenter.lookup import DEFAULT_MASK, DEFAULT_SHIFT, KINDS, find_word
from saiten.model.text.segmenter.tables import (
    COST_SHIFT,
    LAST_SHIFT,
    MASK,
    RIGHT_SHIFT,
    Int16Array,
    Tables,
    Uint32Array,
    Uint64Array,
)

_MAGIC, _VERSION = 0xEF718F77, 102
_SYSTEM, _USER, _UNKNOWN = 0, 1, 2
_HEADER_BYTES, _ENTRY_BYTES, _NAME_BYTES = 72, 16, 32
_CODES = 0xFFFF
# Marks an entry that belongs to a surface.
_TAKEN = np.uint64(1 << 33)
_UTF8 = ("utf8", "utf_8", "utf-8")
# What a dicrc may set that changes no token. MeCab takes those of its options from there that have no default of its
# own: max-grouping-size, for one, has.
_HARMLESS = (
    "cost-factor", "max-grouping-size", "eval-size", "unk-eval-size", "config-charset", "dictionary-charset",
    "output-format-type", "bos-feature", "unk-feature", "node-format", "unk-format", "bos-format", "eos-format",
    "eon-format",
)  # fmt: skip


@dataclass(frozen=True)
class _File:
    """A compiled dictionary, mapped.

    Attributes:
        units: uint64, the double array, and what lies behind it.
        n_units: Of the double array alone.
        entries: uint64 [entries, 2]; the first of two is what the search needs.
        n_right, n_left: Of the matrix that it was compiled for.
    """

    units: Uint64Array
    n_units: int
    entries: Uint64Array
    n_right: int
    n_left: int


def read_tables(directory: pathlib.Path, user_dictionary: str | None) -> Tables:
    """Reads a dictionary; the large files are mapped, and shared between processes.

    Raises:
        LeftToMeCabError: It is not in UTF-8, its dicrc sets what is not known here, or a file is not as MeCab's
            tools write it.
    """
    _refuse_settings(directory / "dicrc")
    system, unknown = _read_file(directory / "sys.dic", _SYSTEM), _read_file(directory / "unk.dic", _UNKNOWN)
    if user_dictionary is not None and not set(user_dictionary).isdisjoint(',"'):
        raise LeftToMeCabError("several user dictionaries")
    users = [] if user_dictionary is None else [_read_file(pathlib.Path(user_dictionary), _USER)]
    n_right, costs = _read_matrix(directory / "matrix.bin", system)
    names, characters = _read_characters(directory / "char.bin")
    words = [_pack(file, n_right, len(costs) // n_right) for file in (system, *users, unknown)]
    starts = np.cumsum([0, *(len(part) for part in words)])
    return Tables(
        system.units, users[0].units if users else np.frombuffer(b"", np.uint64), np.concatenate(words),
        int(starts[1]), int(starts[-2]), _find_categories(unknown, names, int(starts[-2])),
        characters, costs, n_right, np.zeros(0, np.int16), np.arange(len(costs) // n_right, dtype=np.uint16),
        np.arange(n_right, dtype=np.uint16), int(characters[ord(" ")]),
    )  # fmt: skip


def _map(path: pathlib.Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise LeftToMeCabError(f"{path.name} cannot be mapped") from error


def _read(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LeftToMeCabError(f"{path.name} cannot be read") from error


def _read_file(path: pathlib.Path, kind: int) -> _File:
    mapped = _map(path)
    if len(mapped) < _HEADER_BYTES:
        raise LeftToMeCabError(f"{path.name} is cut off")
    header = [int(value) for value in np.frombuffer(mapped, "<u4", 9)]
    charset = mapped[40:_HEADER_BYTES].partition(b"\0")[0].decode("ascii", "replace").lower()
    units_bytes, entries_bytes = header[6:8]
    if header[0] != _MAGIC ^ len(mapped) or header[1:3] != [_VERSION, kind]:
        raise LeftToMeCabError(f"{path.name} is not of version {_VERSION} of the format")
    if charset not in _UTF8:
        raise LeftToMeCabError(
            f"{path.name} is in {charset}, and texts come in UTF-8, so that MeCab cuts within characters: compile the "
            "dictionary with mecab-dict-index -t utf-8"
        )
    if _HEADER_BYTES + sum(header[6:9]) != len(mapped) or units_bytes % 8 or entries_bytes % _ENTRY_BYTES:
        raise LeftToMeCabError(f"{path.name} is not as its header says")
    n_units = units_bytes // 8
    units = np.frombuffer(mapped, "<u8", n_units, _HEADER_BYTES)
    entries = np.frombuffer(mapped, "<u8", entries_bytes // 8, _HEADER_BYTES + units_bytes).reshape(-1, 2)
    return _File(units, n_units, entries, header[4], header[5])


def _read_matrix(path: pathlib.Path, system: _File) -> tuple[int, Int16Array]:
    mapped = _map(path)
    n_right, n_left = (int(value) for value in np.frombuffer(mapped, "<u2", 2))
    if len(mapped) != 4 + 2 * n_right * n_left or (n_right, n_left) != (system.n_right, system.n_left):
        raise LeftToMeCabError(f"{path.name} does not belong to the dictionary")
    return n_right, np.frombuffer(mapped, "<i2", n_right * n_left, 4)


def _read_characters(path: pathlib.Path) -> tuple[list[bytes], Uint32Array]:
    content = _read(path)
    n_names = int.from_bytes(content[:4], "little")
    start = 4 + n_names * _NAME_BYTES
    if len(content) != start + 4 * _CODES:
        raise LeftToMeCabError(f"{path.name} is not as its header says")
    names = [content[i : i + _NAME_BYTES].partition(b"\0")[0] for i in range(4, start, _NAME_BYTES)]
    # MeCab reads U+FFFF, too, from behind the end of the file, where the page holds zeros.
    characters = np.append(np.frombuffer(content, "<u4", _CODES, start), np.uint32(0))
    if (characters >> DEFAULT_SHIFT & DEFAULT_MASK >= n_names).any():
        raise LeftToMeCabError(f"{path.name} names a category that it has not")
    spaces = np.flatnonzero(characters & characters[ord(" ")] & KINDS)
    if (spaces > ord(" ")).any() or (characters[spaces] & KINDS != characters[ord(" ")] & KINDS).any():
        raise LeftToMeCabError(f"{path.name} takes more for spaces than the space and control characters")
    return names, characters


def _refuse_settings(path: pathlib.Path) -> None:
    for line in _read(path).decode("utf-8", "replace").split("\n"):
        key = line.partition("=")[0].strip()
        if key and line[0] not in ";#" and not any(key == name or key.startswith(f"{name}-") for name in _HARMLESS):
            raise LeftToMeCabError(f"its dicrc sets {key}")


def _find_categories(unknown: _File, names: list[bytes], start: int) -> npt.NDArray[np.int32]:
    first = np.array([find_word(unknown.units, np.frombuffer(name, np.uint8)) for name in names], np.int32)
    if (first < 0).any():
        raise LeftToMeCabError("unk.dic lacks a category of char.bin")
    return first + np.int32(start)


def _pack(file: _File, n_right: int, n_left: int) -> Uint64Array:
    words = np.zeros(len(file.entries), np.uint64)
    if not _pack_entries(file.units, file.entries, words, n_right, n_left):
        raise LeftToMeCabError("an entry of the dictionary lies outside of what it belongs to")
    return words


@compiled(fast=False, inlined=True)
def _is_cheapest(entries: Uint64Array, i: int) -> bool:
    """Tells whether no entry with the same ids is cheaper, or as cheap and earlier."""
    own = np.int64(entries[i]) >> COST_SHIFT
    for j in range(entries.shape[0]):
        if (entries[i] ^ entries[j]) & np.uint64(0xFFFFFFFF) == 0:
            cost = np.int64(entries[j]) >> COST_SHIFT
            if cost < own or (cost == own and j < i):
                return False
    return True


@compiled(fast=False, inlined=True)
def _pack_surface(entries: Uint64Array, words: Uint64Array, n_right: int, n_left: int) -> bool:
    size, n = entries.shape[0], 0
    for i in range(size):
        left_id, right_id = entries[i] & np.uint64(MASK), entries[i] >> np.uint64(RIGHT_SHIFT) & np.uint64(MASK)
        if words[i] or left_id >= n_left or right_id >= n_right:
            return False
        words[i] = _TAKEN
    for i in range(size - 1, -1, -1):
        if _is_cheapest(entries, i):
            words[n] = entries[i] & ~np.uint64(MASK << LAST_SHIFT) | _TAKEN
            n += 1
    words[n - 1] |= np.uint64(1 << LAST_SHIFT)
    return True


@compiled(fast=False)
def _pack_entries(units: Uint64Array, entries: Uint64Array, words: Uint64Array, n_right: int, n_left: int) -> bool:
    """Writes the entries of each surface, the last first, but of those with the same ids the cheapest only.

    Returns:
        False where an entry or an id is none, or belongs to two surfaces.
    """
    for place in range(units.shape[0]):
        unit = units[place]
        if unit >> np.uint64(32) != place or not unit & np.uint64(0x80000000):
            continue
        value = np.int64(~unit & np.uint64(0xFFFFFFFF))
        first, size = value >> 8, value & 0xFF
        if size == 0 or first + size > words.shape[0]:
            return False
        if not _pack_surface(entries[first : first + size, 0], words[first : first + size], n_right, n_left):
            return False
    return True
