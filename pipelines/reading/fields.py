"""Makes sure, before anything runs, that the fields asked for are in the files."""

import dataclasses
import re
from collections.abc import Mapping

import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.pipelines.reading.format import SAMPLE_RECORDS, FileFields
from saiten.pipelines.reading.options import KeptField, ReadOptions, nearest

_SHOWN_NAMES = 20
# A field's name as people give them; Japanese ones are as short as words.
_NAME = re.compile(r"[A-Za-z_][\w.:/ -]{0,30}|[\w()（）]{1,8}")


def check_fields(fields_by_source: Mapping[str, FileFields | None], options: ReadOptions) -> None:
    """Makes sure that every file has the fields that its records need.

    A header or schema must have the text field and the id field; of JSON Lines one of the first 1,000 records
    must. A kept field may be missing in some files, but not in all; in JSON Lines it may come later if its type
    is given.

    Args:
        fields_by_source: The fields of each file; None where records have none.

    Raises:
        UsageError: Names the file, or what all files lack.
    """
    structured = {source: fields for source, fields in fields_by_source.items() if fields is not None}
    if not structured:
        _refuse_fields_of_text(options)
    for source, fields in structured.items():
        if fields.is_complete and (fields.names or fields.n_records):
            _check_file(source, fields, options)
    samples = {source: fields for source, fields in structured.items() if not fields.is_complete}
    _check_samples(samples, options)
    _check_kept_fields(structured, options)


def resolve_types(fields_by_source: Mapping[str, FileFields | None], options: ReadOptions) -> ReadOptions:
    """Returns the options with a type for every kept field: Parquet's own, else strings.

    Raises:
        UsageError: The files do not agree on the type.
    """
    resolved = (KeptField(field.name, _resolve(field, fields_by_source)) for field in options.kept_fields)
    return dataclasses.replace(options, kept_fields=tuple(resolved))


def _refuse_fields_of_text(options: ReadOptions) -> None:
    for flag, name in _optional_fields(options):
        raise UsageError(
            f"Plain text has no field {name!r} for {flag}; if it is no plain text, say the --input_format."
        )


def _optional_fields(options: ReadOptions) -> list[tuple[str, str]]:
    """Returns flag and name of the fields that need not be asked for."""
    ids = [("--id_field", options.id_field)] if options.id_field is not None else []
    return [*ids, *((options.kept_fields_flag, field.name) for field in options.kept_fields)]


def _check_file(source: str, fields: FileFields, options: ReadOptions) -> None:
    needed = [("--text_field", options.text_field), ("--id_field", options.id_field)]
    for flag, name in needed:
        if name is not None and name not in fields.names:
            raise UsageError(f"{source} has no field {name!r} of {flag}; {_there_are(name, fields.names)}.")


def _check_samples(samples: Mapping[str, FileFields], options: ReadOptions) -> None:
    n_before = 0
    seen: dict[str, int] = {}
    for fields in samples.values():
        for name, record in fields.names.items():
            seen.setdefault(name, n_before + record)
        n_before += fields.n_records
    if n_before and seen.get(options.text_field, SAMPLE_RECORDS) >= SAMPLE_RECORDS:
        raise UsageError(
            f"None of the first {SAMPLE_RECORDS:,} records has the field {options.text_field!r} of --text_field; "
            f"{_there_are(options.text_field, seen)}."
        )
    for source, fields in samples.items():
        if options.id_field is not None and fields.n_records and options.id_field not in fields.names:
            raise UsageError(
                f"None of the first {SAMPLE_RECORDS:,} records of {source} has the field {options.id_field!r} of "
                f"--id_field; {_there_are(options.id_field, fields.names)}."
            )


def _check_kept_fields(structured: Mapping[str, FileFields], options: ReadOptions) -> None:
    names = {name: 0 for fields in structured.values() for name in fields.names}
    may_come = any(not fields.is_complete for fields in structured.values())
    if not any(fields.n_records for fields in structured.values()):
        return
    for field in options.kept_fields:
        if field.name not in names and not (may_come and field.type is not None):
            raise UsageError(
                f"None of the first {SAMPLE_RECORDS:,} records has the field {field.name!r} of "
                f"{options.kept_fields_flag}; {_there_are(field.name, names)}."
            )


def _resolve(field: KeptField, fields_by_source: Mapping[str, FileFields | None]) -> pa.DataType:
    if field.type is not None:
        return field.type
    types: dict[pa.DataType, str] = {}
    for source, fields in fields_by_source.items():
        if fields is None or not fields.types:
            types.setdefault(pa.string(), source)
        elif field.name in fields.types:
            types.setdefault(fields.types[field.name], source)
    if len(types) > 1:
        (one, source), (other, other_source), *_ = types.items()
        raise UsageError(
            f"The field {field.name!r} is {one} in {source} and {other} in {other_source}; "
            f"say its type: --keep_fields={field.name}:string."
        )
    return next(iter(types), pa.string())


def _there_are(name: str, names: Mapping[str, int]) -> str:
    """Says which fields there are, but for names that may be a record's text: a header may be missing."""
    shown = [other for other in nearest(name, names) if _NAME.fullmatch(other)][:_SHOWN_NAMES]
    n_others = len(names) - len(shown)
    others = [f"{n_others} longer, which may be text (is there a header?)"] if n_others else []
    return f"there are: {', '.join([*map(repr, shown), *others])}"
