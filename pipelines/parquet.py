"""Parquet: every row a record."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.errors import DamagedFileError
from pipelines.formats import KeptField, ReadOptions
from pipelines.lines import BLOCK_RECORDS, CHUNK_BYTES
from pipelines.parquet_columns import batch_rows, is_bytes, kept_type
from pipelines.records import FileSlice
from pipelines.rows import Rows, no_rows

# No text packs so well: a column that does is made to fill the memory.
_MAX_COLUMN_BYTES = 1024**3
_MAX_COLUMN_RATIO = 500


@contextmanager
def open_parquet(file: IO[bytes], source: str, dictionaries: list[str] | None = None) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file; what goes wrong while it is read names it.

    Args:
        dictionaries: Columns to be read as they are packed, each value once.

    Raises:
        DamagedFileError: It is no Parquet file, truncated or damaged.
    """
    try:
        yield pq.ParquetFile(
            file, read_dictionary=dictionaries, buffer_size=CHUNK_BYTES, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).strip().partition("\n")[0]
        raise DamagedFileError(f"{source} is a truncated or damaged Parquet file: {reason}") from error


def read_parquet(file: IO[bytes], piece: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
    """Yields the rows of the slice's row groups and the share of the file's bytes they stand for.

    Raises:
        DamagedFileError: The file is truncated or damaged, or has other rows than its end says.
    """
    with open_parquet(file, piece.source) as parquet:
        schema = parquet.schema_arrow
    asked = {options.text_field, options.id_field, *(field.name for field in options.kept)}
    wanted = sorted(name for name in set(schema.names) if name in asked)
    # A value that many rows share stays one value, so that a small file cannot fill the memory.
    shared = [name for name in wanted if is_bytes(kept_type(schema, name))]
    kept = tuple(KeptField(field.name, field.type or kept_type(schema, field.name)) for field in options.kept)
    row = piece.first_row
    with open_parquet(file, piece.source, shared) as parquet:
        total = parquet.metadata.num_rows
        for group in range(piece.start, piece.end):
            first = row
            for batch in _read_group(parquet, group, wanted, piece.source):
                rows = batch_rows(batch, row, piece.source, options, kept)
                yield rows, piece.size * (row + batch.num_rows) // total - piece.size * row // total
                row += batch.num_rows
            expected = parquet.metadata.row_group(group).num_rows
            if row - first != expected:
                raise DamagedFileError(f"{piece.source} has {row - first} rows in group {group}, not {expected}.")
    yield no_rows(dataclasses.replace(options, kept=kept)), 0 if total else piece.size


def _read_group(parquet: pq.ParquetFile, group: int, columns: list[str], source: str) -> Iterator[pa.RecordBatch]:
    """Yields a row group in batches of about `CHUNK_BYTES`, one row at least."""
    about = parquet.metadata.row_group(group)
    n_bytes = 0
    for i in range(about.num_columns):
        column = about.column(i)
        if column.path_in_schema.partition(".")[0] not in columns:
            continue
        unpacked, packed = column.total_uncompressed_size, column.total_compressed_size
        if unpacked > _MAX_COLUMN_BYTES and unpacked > packed * _MAX_COLUMN_RATIO:
            raise DamagedFileError(f"{source} would unpack {packed} bytes to {unpacked}; such a file is not read.")
        n_bytes += unpacked
    n_rows = min(BLOCK_RECORDS, max(1, CHUNK_BYTES * about.num_rows // max(1, n_bytes)))
    for batch in parquet.iter_batches(n_rows, [group], columns, use_threads=False):
        ends = np.cumsum(_row_bytes(batch))
        start = 0
        while start < batch.num_rows:
            below = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, below + CHUNK_BYTES, "right")))
            yield batch.slice(start, stop - start)
            start = stop


def _row_bytes(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """int64 [rows], the bytes of each row's strings."""
    total = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and is_bytes(column.type.value_type):
            sizes = pc.binary_length(column.dictionary).take(column.indices)
            total += np.asarray(sizes.fill_null(0), np.int64)
    return total
