"""The columns of a Parquet file to texts, ids and kept fields; a bad cell costs its own record only."""

import pyarrow as pa

from saiten.model.errors import RecordError
from saiten.pipelines.reading.field_values import id_of, make_converter, text_of
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.parquet.column_types import (
    in_microseconds,
    is_bytes,
    is_json,
    is_number,
    kept_type,
    without_views,
)
from saiten.pipelines.reading.rows import READ_STAGE, Rows
from saiten.pipelines.records import Code, RecordBlock, SourceSpan

# What Python has no value for: a time in nanoseconds, a year beyond 1 to 9999.
_BEYOND_PYTHON = object()

_Failures = dict[int, tuple[str, str]]


def batch_rows(batch: pa.RecordBatch, first_row: int, source: str, options: ReadOptions) -> Rows:
    """Returns a batch's rows; one with a cell that is no text, id or kept field becomes a dead letter.

    Args:
        first_row: The row number in the file of the batch's first row.
        options: Each kept field has its type.
    """
    failures: _Failures = {}
    positions = range(first_row, first_row + batch.num_rows)
    ids = _ids(_column(batch, options.id_field), [f"{source}:{i}" for i in positions], failures)
    columns = tuple(
        _kept_column(_column(batch, field.name), field, failures, batch.num_rows) for field in options.kept_fields
    )
    raws, texts = _texts(_column(batch, options.text_name), options.max_record_bytes, failures, batch.num_rows)
    block = RecordBlock(
        range_index=0,
        is_last=False,
        spans=(SourceSpan(source, batch.num_rows, batch.num_rows),),
        positions=positions,
        ids=ids,
        texts=texts,
        raw_records=raws,
        kept_fields=columns,
    ).move_to_dead_letters(failures, READ_STAGE)
    return Rows(block.positions, block.ids, block.raw_records, block.texts, block.kept_fields, block.dead_letters)


def _texts(column: pa.Array | None, max_bytes: int, failures: _Failures, n_rows: int) -> tuple[list[bytes], list[str]]:
    """Returns each cell as bytes and as text; what is no text fails, and only that."""
    raws, texts = [], []
    for i, value in enumerate(_cells(column, n_rows)):
        raw, text = b"", ""
        try:
            if column is not None and value is _BEYOND_PYTHON:
                raise RecordError(Code.TEXT_NOT_STRING, f"The text is of type {column.type}, not a string.")
            raw = value if isinstance(value, bytes) else text_of(value).encode()
            text = _text_of_bytes(raw, max_bytes)
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
    if field.type is not None and is_json(field.type):
        strings = _kept_column(column, KeptField(field.name, field.type.storage_type), failures, n_rows)
        return pa.ExtensionArray.from_storage(field.type, strings)
    if column is None:
        return pa.nulls(n_rows, field.type)
    if column.type != field.type and kept_type(column.type) == field.type:
        column = column.cast(field.type)
    try:
        return _cast(column, field.type)
    except pa.ArrowException:
        pass
    if column.type == field.type:
        return _valid_cells(column, field.name, failures)
    convert = make_converter(field.type, field.name)
    cells: list[object] = [None] * n_rows
    for i, value in enumerate(_cells(column, n_rows)):
        try:
            cells[i] = convert(_plain_value(value, f"field {field.name!r}"))
        except RecordError as error:
            failures.setdefault(i, (error.code, error.message))
    return pa.array(cells, field.type)


def _valid_cells(column: pa.Array, name: str, failures: _Failures) -> pa.Array:
    """Returns the column with null for each cell that is not valid; the others stay what only Arrow can hold."""
    rows: list[int | None] = []
    for i in range(len(column)):
        try:
            # A slice would be judged by what lies around it.
            column.take(pa.array([i])).validate(full=True)
            rows.append(i)
        except pa.ArrowInvalid as error:
            bad_string = (Code.BAD_UTF8, f"The field {name!r} has a string that is not valid utf-8.")
            bad_value = (Code.BAD_FIELD, f"The field {name!r} is no {column.type}.")
            failures.setdefault(i, bad_string if "UTF8" in str(error) else bad_value)
            rows.append(None)
    return column.take(pa.array(rows, pa.int64()))


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Casts where that means the same as `convert`.

    Raises:
        pa.ArrowException: It does not, or a cell has no such value, or is no UTF-8.
    """
    if is_bytes(column.type) and is_bytes(kind):
        return column.cast(pa.large_binary()).cast(kind)
    if column.type == kind:
        column.validate(full=True)
        return column
    if pa.types.is_string(kind) and (pa.types.is_primitive(column.type) or pa.types.is_decimal(column.type)):
        return column.cast(kind)
    if is_number(column.type) and is_number(kind):
        return column.cast(kind)
    if pa.types.is_temporal(column.type) and pa.types.is_timestamp(kind):
        return column.cast(kind, safe=False)
    raise pa.ArrowNotImplementedError(f"{column.type} to {kind}")


def _cells(column: pa.Array | None, n_rows: int) -> list[object]:
    """Returns the cells as Python has them, strings as bytes, None where there is no column."""
    if column is None:
        return [None] * n_rows
    # Python has no nanoseconds: what pyarrow makes of them depends on whether pandas is installed.
    type_ = pa.large_binary() if is_bytes(column.type) else in_microseconds(column.type)
    try:
        cells: list[object] = (column if type_ == column.type else column.cast(type_)).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        # A slice would be judged by what lies around it.
        cells = [_as_python(column.take(pa.array([i])), type_) for i in range(n_rows)]
    return cells


def _as_python(cell: pa.Array, type_: pa.DataType) -> object:
    """Returns the value of one cell; bytes where a string in it is no UTF-8."""
    try:
        return cell.cast(type_)[0].as_py()
    except UnicodeDecodeError as error:
        return error.object
    except (ValueError, OverflowError, pa.ArrowException):
        return _BEYOND_PYTHON


def _plain_value(value: object, name: str) -> object:
    if value is _BEYOND_PYTHON:
        raise RecordError(Code.BAD_FIELD, f"The {name} has a time in nanoseconds, or a year beyond 1 to 9999.")
    return _decode(value, name) if isinstance(value, bytes) else value


def _column(batch: pa.RecordBatch, name: str | None) -> pa.Array | None:
    """Returns the column of that name, None where there is none, in a type for which Arrow has all that is needed."""
    if name is None or name not in batch.schema.names:
        return None
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_json(column.type):
        column = column.storage
    type_ = without_views(column.type)
    return column if type_ == column.type else column.cast(type_)
