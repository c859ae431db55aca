"""Where the columns of a Parquet file lie, by the struct at its end.

pyarrow knows the same, but ends the process over a column whose statistics are damaged: its binding lets the
exception of `ColumnChunkMetaData` through to nobody. Source: parquet.thrift of Apache.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import IO, TypeVar

from saiten.pipelines.reading.parquet.thrift import Compact, Struct, ThriftError

# Behind the struct: its length, and PAR1.
_TAIL_BYTES = 8
_ROW_GROUPS, _COLUMNS, _N_ROWS, _COLUMN, _ENCRYPTION = 4, 1, 3, 3, 8
_ENCODINGS, _PATH, _N_VALUES, _PACKED_BYTES, _DATA_START, _DICTIONARY_START = 2, 3, 5, 7, 9, 11
_DELTA_STRINGS = {6, 7}

Field = TypeVar("Field")


@dataclass(frozen=True)
class ColumnChunk:
    """A column of a row group.

    Attributes:
        path: Its name, with those of the fields in a struct or list behind dots.
        start: First byte of its first page.
        end: One behind its last page.
        n_values: Nulls included; of a list's elements all.
        has_delta_strings: Strings are written as differences, which Arrow cannot read as a dictionary.
    """

    path: str
    start: int
    end: int
    n_values: int
    has_delta_strings: bool


@dataclass(frozen=True)
class RowGroup:
    """A row group and the columns of it that are read, in the order of the file."""

    n_rows: int
    columns: tuple[ColumnChunk, ...]


def read_row_groups(file: IO[bytes], names: Collection[str]) -> list[RowGroup]:
    """Returns the row groups of a file that pyarrow has opened already, with the columns of these names.

    Raises:
        ThriftError: Its end is damaged.
    """
    file.seek(-_TAIL_BYTES, os.SEEK_END)
    n_bytes = int.from_bytes(file.read(4), "little")
    file.seek(-_TAIL_BYTES - n_bytes, os.SEEK_END)
    end = Compact(file.read(n_bytes))
    groups: list[RowGroup] = []
    try:
        for number, kind in end.fields():
            if number == _ROW_GROUPS:  # one after the other: those of a wide file fill the memory
                groups += [_row_group(end.read_struct(), names) for _ in end.items(kind)]
            else:
                end.read(kind)
    except IndexError:
        raise ThriftError("what stands at its end does not end") from None
    return groups


def _row_group(group: Struct, names: Collection[str]) -> RowGroup:
    chunks: list[ColumnChunk] = []
    for column in _is(group.get(_COLUMNS, []), list):
        # A column that is encrypted with a key of its own says nothing of itself here.
        about = _is(_is(column, dict).get(_COLUMN, {}), dict)
        path = _path(about)
        if any(f"{path}.".startswith(f"{name}.") for name in names):
            if _ENCRYPTION in column:
                raise ThriftError(f"its column {path!r} is encrypted")
            chunks.append(_column_chunk(path, about))
    return RowGroup(_is(group.get(_N_ROWS), int), tuple(chunks))


def _path(column: Struct) -> str:
    return b".".join(_is(name, bytes) for name in _is(column.get(_PATH, []), list)).decode("utf-8", "replace")


def _column_chunk(path: str, column: Struct) -> ColumnChunk:
    start = _is(column.get(_DATA_START), int)
    dictionary_start = column.get(_DICTIONARY_START)
    if isinstance(dictionary_start, int) and 0 < dictionary_start < start:
        start = dictionary_start
    return ColumnChunk(
        path,
        start,
        start + _is(column.get(_PACKED_BYTES), int),
        _is(column.get(_N_VALUES), int),
        not _DELTA_STRINGS.isdisjoint(_is(column.get(_ENCODINGS), list)),
    )


def _is(value: object, kind: type[Field]) -> Field:
    if not isinstance(value, kind):
        raise ThriftError("its end lacks what every column has")
    return value
