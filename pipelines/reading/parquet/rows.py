"""Parquet: every row a record."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.parquet.column_types import is_bytes, kept_type
from saiten.pipelines.reading.parquet.columns import batch_rows
from saiten.pipelines.reading.parquet.footer import RowGroup, read_row_groups
from saiten.pipelines.reading.parquet.pages import Page, read_pages
from saiten.pipelines.reading.parquet.skipping import LaidOver, blank_pages
from saiten.pipelines.reading.parquet.thrift import ThriftError
from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES, Rows, no_rows
from saiten.pipelines.records import FileSlice

# No text packs so well: a page or a column that does is made to fill the memory. Up to the first size a page may,
# as those of a constant column do.
_MAX_PAGE_BYTES = 32 * 1024 * 1024
_MAX_PAGE_RATIO = 50
_MAX_COLUMN_BYTES = 1024**3
_MAX_COLUMN_RATIO = 500
# What a column's longest rows may unpack to at once, where there are more than one.
_MAX_BATCH_BYTES = 128 * 1024 * 1024
# Writers give a dictionary up at about 1 MiB.
_MAX_DICTIONARY_BYTES = 4 * 1024 * 1024

# Of a null. A plain 0 makes pyarrow import pandas.
_NO_BYTES = pa.scalar(0, pa.int64())

# How Arrow says in an error of reading that it lacks something, where its type does not: fastparquet's texts of a fixed
# size, nulls in lists of a fixed size as Polars and DuckDB write them.
_NOT_IMPLEMENTED = (
    "not yet implemented",
    "can only annotate",
    "expected all lists to be of size",
    "length spanned by list offsets",
)


@contextmanager
def open_parquet(
    file: IO[bytes] | LaidOver, source: str, dictionaries: list[str] | None = None
) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file; what goes wrong while it is read names it.

    Args:
        dictionaries: Columns to be read as they are packed, each value once.

    Raises:
        DamagedFileError: It is no Parquet file, truncated or damaged.
        UsageError: It is encrypted, or packed in a way that Arrow cannot read.
    """
    try:
        yield pq.ParquetFile(
            file,
            read_dictionary=dictionaries,
            buffer_size=CHUNK_BYTES,
            pre_buffer=False,
            page_checksum_verification=True,
        )
    except (pa.ArrowException, ThriftError, UnicodeDecodeError, OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        if "crypt" in reason:
            raise UsageError(f"{source} is an encrypted Parquet file, which is not read; decrypt it first.") from error
        if isinstance(error, pa.ArrowNotImplementedError) or any(words in reason.lower() for words in _NOT_IMPLEMENTED):
            raise UsageError(
                f"{source} is packed in a way that Arrow cannot read ({reason}); "
                "write it in another encoding, or as another type."
            ) from error
        raise DamagedFileError(f"{source} is a truncated or damaged Parquet file: {reason}.") from error


def read_parquet(file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
    """Yields the rows of the slice and the share of the file's bytes they stand for.

    Raises:
        DamagedFileError: The file is truncated or damaged, or has other rows than its end says.
    """
    source = file_slice.source
    with open_parquet(file, source) as parquet:
        schema = parquet.schema_arrow
        wanted = sorted(name for name in set(schema.names) if name in options.field_names)
        groups = _row_groups(file_slice.path, file_slice.size, file_slice.modified, tuple(wanted))
        if len(groups) != parquet.num_row_groups:
            raise ThriftError(f"it has {len(groups)} row groups, not {parquet.num_row_groups}")
        blanks = _blank_pages(file, groups, parquet.schema, file_slice.start)
    deltas = {column.path for group in groups for column in group.columns if column.has_delta_strings}
    # A value that many rows share stays one value, so that a small file cannot fill the memory.
    shared = [name for name in wanted if is_bytes(kept_type(schema.field(name).type)) and name not in deltas]
    row = group_start = 0
    with open_parquet(LaidOver(file, blanks), source, shared) as parquet:
        total = parquet.metadata.num_rows
        for i, group in enumerate(groups):
            first, last = (max(0, bound - group_start) for bound in (file_slice.start, file_slice.end))
            group_start += group.n_rows
            if first >= group.n_rows or last <= first:
                continue
            row = group_start - group.n_rows + first
            n_rows = _rows_at_once(file, group, shared, source)
            for batch in _read_group(parquet, i, wanted, n_rows, first, last):
                rows = batch_rows(batch, row, source, options)
                yield rows, file_slice.size * (row + batch.num_rows) // total - file_slice.size * row // total
                row += batch.num_rows
            expected = min(group_start, file_slice.end)
            if row != expected:
                raise DamagedFileError(f"{source} has no row {row} in group {i}, which is to have {group.n_rows}.")
    yield no_rows(options), 0 if total else file_slice.size


def _blank_pages(file: IO[bytes], groups: Sequence[RowGroup], schema: pq.ParquetSchema, first: int) -> dict[int, bytes]:
    """Returns what to lay over the pages before the file's row `first` that are in the same row group."""
    for group in groups:
        if first < group.n_rows:
            return blank_pages(file, group, schema, first) if first else {}
        first -= group.n_rows
    return {}


@functools.lru_cache(maxsize=2)
def _row_groups(path: str, _size: int, _modified: str, names: tuple[str, ...]) -> list[RowGroup]:
    """Once for all slices of a file that one process reads: a wide file's end takes seconds."""
    with storage.open_read(path) as file:
        return read_row_groups(file, names)


def _read_group(
    parquet: pq.ParquetFile, group: int, columns: list[str], n_rows: int, first: int, last: int
) -> Iterator[pa.RecordBatch]:
    """Yields rows of a row group in batches of about `CHUNK_BYTES`, one row at least; `n_rows` are unpacked at once.

    Args:
        first: The first row to yield.
        last: One behind the last row.
    """
    n_before = 0
    for unpacked in parquet.iter_batches(n_rows, [group], columns, use_threads=False):
        batch = unpacked.slice(max(0, first - n_before), max(0, last - max(first, n_before)))
        n_before += unpacked.num_rows
        ends = np.cumsum(_row_bytes(batch))
        start = 0
        while start < batch.num_rows:
            below = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, below + CHUNK_BYTES, "right")))
            yield batch.slice(start, stop - start)
            start = stop
        if n_before >= last:
            return


def _rows_at_once(file: IO[bytes], group: RowGroup, shared: list[str], source: str) -> int:
    """Returns how many rows to unpack at once, by the pages' own headers: the sizes at the file's end may be wrong.

    Raises:
        DamagedFileError: Its columns, or a page of them, unpack too far.
    """
    total, widest = 0, 1.0
    for column in group.columns:
        unpacked = packed = 0
        for page in read_pages(file, column):
            if page.unpacked_bytes > _MAX_PAGE_BYTES:
                _check_ratio(page.packed_bytes, page.unpacked_bytes, _MAX_PAGE_RATIO, source)
            unpacked += page.unpacked_bytes
            packed += page.packed_bytes
            if not (page.is_dictionary and column.path in shared):
                widest = max(widest, _longest_row(page, column.n_values / max(1, group.n_rows)))
        if unpacked > _MAX_COLUMN_BYTES:
            _check_ratio(packed, unpacked, _MAX_COLUMN_RATIO, source)
        total += unpacked
    average: int = CHUNK_BYTES * group.n_rows // max(1, total)
    return max(1, min(average, int(_MAX_BATCH_BYTES / widest), BLOCK_RECORDS))


def _check_ratio(packed: int, unpacked: int, max_ratio: int, source: str) -> None:
    if unpacked > packed * max_ratio:
        raise DamagedFileError(
            f"{source} would unpack {packed} bytes to {unpacked}; such a file is not read: write it uncompressed."
        )


def _longest_row(page: Page, values_per_row: float) -> float:
    """Returns about how many bytes each row takes where the page's rows are the longest."""
    unpacked = page.unpacked_bytes
    if page.is_dictionary:
        # Every row may hold the one long value; small dictionaries of many words are no such thing.
        return unpacked if unpacked > min(_MAX_DICTIONARY_BYTES, page.packed_bytes * _MAX_PAGE_RATIO) else 0
    return unpacked if page.shares_prefixes else unpacked / max(1, page.n_values) * values_per_row


def _row_bytes(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """int64 [rows], the bytes of each row's strings."""
    total = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and is_bytes(column.type.value_type):
            sizes = _byte_lengths(column.dictionary).take(column.indices)
        elif isinstance(column.type, pa.BaseExtensionType) and is_bytes(column.type.storage_type):
            sizes = _byte_lengths(column.storage)
        elif is_bytes(column.type):
            sizes = _byte_lengths(column)
        else:
            continue
        total += np.asarray(sizes.fill_null(_NO_BYTES), np.int64)
    return total


def _byte_lengths(column: pa.Array) -> pa.Array:
    return pc.binary_length(column.cast(pa.large_binary()))
