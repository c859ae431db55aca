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

from model.errors import DamagedFileError, RecordError
from pipelines.formats import KeptField, ReadOptions
from pipelines.lines import BLOCK_RECORDS, CHUNK_BYTES
from pipelines.records import Code, FileSlice, RecordBlock
from pipelines.rows import READ_STAGE, Rows, no_rows
from pipelines.values import id_of, make_converter, text_of

# No text packs so well: a column that does is made to fill the memory.
_MAX_COLUMN_BYTES = 1024**3
_MAX_COLUMN_RATIO = 500

_Failures = dict[int, tuple[str, str]]


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
    shared = [name for name in wanted if _is_bytes(kept_type(schema, name))]
    kept = tuple(KeptField(field.name, field.type or kept_type(schema, field.name)) for field in options.kept)
    row = piece.first_row
    with open_parquet(file, piece.source, shared) as parquet:
        total = parquet.metadata.num_rows
        for group in range(piece.start, piece.end):
            first = row
            for batch in _read_group(parquet, group, wanted, piece.source):
                rows = _rows(batch, row, piece.source, options, kept)
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
        if pa.types.is_dictionary(column.type) and _is_bytes(column.type.value_type):
            sizes = pc.binary_length(column.dictionary).take(column.indices)
            total += np.asarray(sizes.fill_null(0), np.int64)
    return total


def _rows(
    batch: pa.RecordBatch, first_row: int, source: str, options: ReadOptions, kept: tuple[KeptField, ...]
) -> Rows:
    failures: _Failures = {}
    positions = range(first_row, first_row + batch.num_rows)
    ids = _ids(_column(batch, options.id_field), [f"{source}:{i}" for i in positions], failures)
    columns = tuple(_kept_column(_column(batch, field.name), field, failures, batch.num_rows) for field in kept)
    raws, texts = _texts(_column(batch, options.text_field), options.max_record_bytes, failures, batch.num_rows)
    sources = [source] * batch.num_rows
    block = RecordBlock(0, False, {}, sources, positions, ids, raws, texts, columns).bury(failures, READ_STAGE)
    return Rows(block.positions, block.ids, block.raws, block.texts, block.kept, block.dead_letters)


def _texts(column: pa.Array | None, max_bytes: int, failures: _Failures, n_rows: int) -> tuple[list[bytes], list[str]]:
    """Returns each cell as bytes and as text; what is no text fails, and only that."""
    raws, texts = [], []
    for i, value in enumerate(_cells(column, n_rows)):
        raw, text = b"", ""
        try:
            if isinstance(value, bytes):
                raw = value
                text = _text_of_bytes(raw, max_bytes)
            else:
                text_of(value)
        except RecordError as error:
            failures.setdefault(i, (error.code, error.message))
        raws.append(raw)
        texts.append(text)
    return raws, texts


def _text_of_bytes(raw: bytes, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise RecordError(Code.TOO_LARGE, f"The text has {len(raw)} bytes; at most {max_bytes} are read.")
    return _decode(raw, "text")


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RecordError(Code.BAD_UTF8, f"Byte {error.start} of the {name} is not valid utf-8.") from error


def _ids(column: pa.Array | None, default_ids: list[str], failures: _Failures) -> list[str]:
    if column is None:
        return default_ids
    try:
        known = _cast(column, pa.string()).to_pylist()
    except pa.ArrowException:
        known = [None] * len(default_ids)
        for i, value in enumerate(_cells(column, len(known))):
            try:
                known[i] = id_of(_plain_value(value, "id"))
            except RecordError as error:
                failures[i] = (error.code, error.message)
    return [default if value is None else value for value, default in zip(known, default_ids, strict=True)]


def _kept_column(column: pa.Array | None, field: KeptField, failures: _Failures, n_rows: int) -> pa.Array:
    """Returns the column with the field's type, at once where Arrow can, else cell by cell."""
    if column is None:
        return pa.nulls(n_rows, field.type)
    try:
        return _cast(column, field.type)
    except pa.ArrowException:
        pass
    convert = make_converter(field.type, field.name)
    cells: list[object] = [None] * n_rows
    for i, value in enumerate(_cells(column, n_rows)):
        try:
            cells[i] = convert(_plain_value(value, f"field {field.name!r}"))
        except RecordError as error:
            failures.setdefault(i, (error.code, error.message))
    return pa.array(cells, field.type)


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Casts where that means the same as `convert`.

    Raises:
        pa.ArrowException: It does not, or a cell has no such value, or is no UTF-8.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_bytes(column.type) and _is_bytes(kind):
        return column.cast(pa.large_binary()).cast(kind)
    if column.type == kind:
        column.validate(full=True)
        return column
    if pa.types.is_string(kind) and (pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)):
        return column.cast(kind)
    if _is_number(column.type) and _is_number(kind):
        return column.cast(kind)
    if pa.types.is_temporal(column.type) and pa.types.is_timestamp(kind):
        return column.cast(kind, safe=False)
    raise pa.ArrowNotImplementedError(f"{column.type} to {kind}")


def _cells(column: pa.Array | None, n_rows: int) -> list[object]:
    """Returns the cells as Python has them, strings as bytes, None where there is no column."""
    if column is None:
        return [None] * n_rows
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_bytes(column.type):
        column = column.cast(pa.large_binary())
    try:
        cells: list[object] = column.to_pylist()
    except UnicodeDecodeError:
        cells = [_as_python(scalar) for scalar in column]
    return cells


def _as_python(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object


def _plain_value(value: object, name: str) -> object:
    return _decode(value, name) if isinstance(value, bytes) else value


def _column(batch: pa.RecordBatch, name: str | None) -> pa.Array | None:
    """Returns the column of that name, the last where there are more, None where there is none."""
    found = [] if name is None else batch.schema.get_all_field_indices(name)
    return batch.column(found[-1]) if found else None


def kept_type(schema: pa.Schema, name: str) -> pa.DataType:
    """Returns the type of a column as it is kept: its own, without the packing as a dictionary."""
    found = schema.get_all_field_indices(name)
    kind = schema.field(found[-1]).type if found else pa.null()
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.string() if pa.types.is_null(kind) else kind


def _is_bytes(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
        )
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
