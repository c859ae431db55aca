"""Parquet: every row a record."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import IO, NamedTuple

import pyarrow as pa

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.format import FileFields, Format, SizedSlice
from saiten.pipelines.reading.lines.decompress import compression_of
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.parquet.columns import kept_type
from saiten.pipelines.reading.parquet.rows import open_parquet, read_parquet
from saiten.pipelines.reading.rows import Rows
from saiten.pipelines.records import FileSlice


class ParquetFormat(Format):
    """Columns are the fields; a record's position is its row number, from 0."""

    name = "parquet"
    endings = (".parquet",)
    least_record_bytes = 1

    def read_fields(self, file: FileSlice, options: ReadOptions) -> FileFields | None:
        schema = _read_footer(file).schema
        types = {name: kept_type(schema, name) for name in schema.names}
        return FileFields(dict.fromkeys(schema.names, 0), types, n_records=1)

    def cut(self, file: FileSlice, options: ReadOptions, target_bytes: int) -> list[SizedSlice]:
        """Cuts between row groups; `target_bytes` are meant unpacked."""
        groups = _read_footer(file).groups
        cut: list[SizedSlice] = []
        start, row, first_row, n_bytes = 0, 0, 0, 0
        for i, group in enumerate(groups):
            if i > start and n_bytes + group.n_bytes > target_bytes:
                cut.append(SizedSlice(dataclasses.replace(file, start=start, end=i, first_row=first_row), n_bytes))
                start, first_row, n_bytes = i, row, 0
            n_bytes += group.n_bytes
            row += group.n_rows
        last = dataclasses.replace(file, start=start, end=len(groups), first_row=first_row)
        return [*cut, SizedSlice(last, n_bytes)]

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        return read_parquet(file, file_slice, options)


class _Group(NamedTuple):
    n_rows: int
    n_bytes: int


class _Footer(NamedTuple):
    schema: pa.Schema
    groups: list[_Group]


@functools.lru_cache(maxsize=1)
def _read_footer(file: FileSlice) -> _Footer:
    """Once for all that is asked of a file while the work is planned: a wide file's end takes seconds."""
    compression = compression_of(file.path)
    if compression is not None:
        raise UsageError(f"{file.path!r} is a compressed Parquet file; unpack it first: Parquet is read from its end.")
    if file.size == 0:
        raise DamagedFileError(f"{file.source} is empty, so it is no whole Parquet file.")
    with open_unchanged(file) as opened, open_parquet(opened, file.source) as parquet:
        about = parquet.metadata
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        footer = _Footer(parquet.schema_arrow, [_Group(group.num_rows, group.total_byte_size) for group in groups])
    n_rows = sum(group.n_rows for group in footer.groups)
    if n_rows != about.num_rows:
        raise DamagedFileError(f"{file.source} has {n_rows} rows in its groups, but {about.num_rows} by its end.")
    return footer


PARQUET = ParquetFormat()
