"""Parquet: every row a record."""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, NamedTuple

import pyarrow as pa

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.format import FileFields, Format, SizedSlice, even_bounds
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.parquet.column_types import kept_type
from saiten.pipelines.reading.parquet.rows import open_parquet, read_parquet
from saiten.pipelines.reading.rows import Rows
from saiten.pipelines.records import FileSlice


class ParquetFormat(Format):
    """Columns are the fields; a record's position is its row number, from 0."""

    name = "parquet"
    endings = (".parquet", ".parq", ".pq")
    is_binary = True
    least_record_bytes = 1

    def has_marks(self, head: bytes, tail: bytes) -> bool:
        # Behind the mark begins a page's header, or the file's end. A column that is encrypted begins otherwise, but
        # in no text there is a NUL before the last mark, as the highest byte of a number is.
        return head.startswith(b"PAR1\x15") or (head.startswith(b"PAR1") and tail.endswith(b"\0PAR1"))

    def read_fields(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileFields | None:
        schema = _read_footer(whole).schema
        counts = Counter(schema.names)
        types = {field.name: kept_type(field.type) for field in schema if counts[field.name] == 1}
        doubled = frozenset(name for name, count in counts.items() if count > 1)
        return FileFields(dict.fromkeys(counts, 0), doubled, types, n_records=1)

    def cut(self, whole: FileSlice, options: ReadOptions, target_bytes: int, most: int) -> list[SizedSlice]:
        """Cuts between row groups, and within large ones; `target_bytes` are meant unpacked."""
        slices: list[SizedSlice] = []
        start = end = n_bytes = 0
        for group in _read_footer(whole).groups:
            if end > start and n_bytes + group.n_bytes > target_bytes:
                slices.append(SizedSlice(dataclasses.replace(whole, start=start, end=end), n_bytes))
                start, n_bytes = end, 0
            if most > 1 and group.n_rows > 1 and group.n_bytes > target_bytes:
                bounds = even_bounds(group.n_rows, min(most, -(-group.n_bytes // target_bytes)))
                slices += [
                    SizedSlice(
                        dataclasses.replace(whole, start=end + first, end=end + last),
                        group.n_bytes * (last - first) // group.n_rows,
                    )
                    for first, last in pairwise(bounds)
                ]
                start = end + group.n_rows
            else:
                n_bytes += group.n_bytes
            end += group.n_rows
        if end > start or not slices:
            slices.append(SizedSlice(dataclasses.replace(whole, start=start, end=end), n_bytes))
        return slices

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        return read_parquet(file, file_slice, options)


class _Group(NamedTuple):
    n_rows: int
    n_bytes: int


class _Footer(NamedTuple):
    schema: pa.Schema
    groups: list[_Group]


@functools.lru_cache(maxsize=1)
def _read_footer(whole: FileSlice) -> _Footer:
    """Once for all that is asked of a file while the work is planned: a wide file's end takes seconds."""
    with open_unchanged(whole) as file, open_parquet(file, whole.source) as parquet:
        about = parquet.metadata
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        footer = _Footer(parquet.schema_arrow, [_Group(group.num_rows, group.total_byte_size) for group in groups])
    n_rows = sum(group.n_rows for group in footer.groups)
    if n_rows != about.num_rows:
        raise DamagedFileError(f"{whole.source} has {n_rows} rows in its groups, but {about.num_rows} by its end.")
    return footer


PARQUET = ParquetFormat()
