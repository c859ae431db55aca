"""Where the columns of a Parquet file lie, by the struct at its end.

pyarrow knows the same, but ends the process over a column whose statistics are damaged: its binding lets the
exception of `ColumnChunkMetaData` through to nobody. Source: parquet.thrift of Apache.
"""

import os
from dataclasses import dataclass
from typing import IO, TypeVar

from pipelines.thrift import Compact, Struct, ThriftError

# Behind the struct: its length, and PAR1.
_TAIL_BYTES = 8
_ROW_GROUPS, _COLUMNS, _N_ROWS, _COLUMN = 4, 1, 3, 3
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
    """A row group and its columns, in the order of the file."""

    n_rows: int
    columns: tuple[ColumnChunk, ...]


def read_row_groups(file: IO[bytes]) -> list[RowGroup]:
    """Returns the row groups of a file that pyarrow has opened already.

    Raises:
        ThriftError: Its end is damaged.
    """
    file.seek(-_TAIL_BYTES, os.SEEK_END)
    n_bytes = int.from_bytes(file.read(4), "little")
    file.seek(-_TAIL_BYTES - n_bytes, os.SEEK_END)
    try:
        about = Compact(file.read(n_bytes)).read_struct()
    except IndexError:
        raise ThriftError("what stands at its end does not end") from None
    return [_row_group(_is(group, dict)) for group in _is(about.get(_ROW_GROUPS), list)]


def _row_group(group: Struct) -> RowGroup:
    columns = [_is(_is(column, dict).get(_COLUMN), dict) for column in _is(group.get(_COLUMNS), list)]
    return RowGroup(_is(group.get(_N_ROWS), int), tuple(map(_column_chunk, columns)))


def _column_chunk(column: Struct) -> ColumnChunk:
    names = [_is(name, bytes).decode("utf-8", "replace") for name in _is(column.get(_PATH), list)]
    start = _is(column.get(_DATA_START), int)
    dictionary_start = column.get(_DICTIONARY_START)
    if isinstance(dictionary_start, int) and 0 < dictionary_start < start:
        start = dictionary_start
    encodings = _is(column.get(_ENCODINGS), list)
    return ColumnChunk(
        ".".join(names),
        start,
        start + _is(column.get(_PACKED_BYTES), int),
        _is(column.get(_N_VALUES), int),
        not _DELTA_STRINGS.isdisjoint(encodings),
    )


def _is(value: object, kind: type[Field]) -> Field:
    if not isinstance(value, kind):
        raise ThriftError("its end lacks what every column has")
    return value
