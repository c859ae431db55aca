"""Makes sure, before anything runs, that the fields asked for are in the files."""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence

import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.pipelines.reading.format import SAMPLE_RECORDS, FileFields, none_has
from saiten.pipelines.reading.options import KeptField, ReadOptions, nearest

_SHOWN_NAMES = 20
# A float of so many bits tells integers of so many bits apart.
_EXACT_BITS = {16: 11, 32: 24, 64: 53}
# A field's name as people give them; Japanese ones are as short as words.
_NAME = re.compile(r"[A-Za-z_][\w.:/ -]{0,30}|[\w()（）]{1,8}")
# What to do about a header that has them and no other, where that can be said.
_SEPARATORS = {
    ";": "; write it with commas",
    "\t": "; say --input_format=tsv",
    "|": "; write it with commas",
    ",": "; say --input_format=csv",
}
# How people write a field within another: a.b, a/b, a[b], a->b.
_STEPS = re.compile(r"[./\[\]]+|->")
_EXCEL_HINT = re.compile(r"sep=.?", re.IGNORECASE)


def check_fields(fields_by_source: Mapping[str, FileFields | None], options: ReadOptions) -> None:
    """Makes sure that every file has the fields that its records need, each once.

    A header or schema must have the text field and the id field; of JSON Lines one of the first 1,000 lines
    must. A kept field may be missing in some files, but not in all; in JSON Lines it may come later if its type
    is given.

    Args:
        fields_by_source: The fields of each file; None where records have none.

    Raises:
        UsageError: Names the file, or what all files lack.
    """
    structured = {source: fields for source, fields in fields_by_source.items() if fields is not None}
    _check_plain_text([source for source in fields_by_source if source not in structured], structured, options)
    for source, fields in structured.items():
        doubled = sorted(fields.doubled & options.field_names)
        if doubled:
            raise UsageError(f"{source} has the field {doubled[0]!r} twice; rename one of them, or leave it out.")
        if fields.is_complete and fields.names:
            _check_header(source, fields, options)
    _check_samples({source: fields for source, fields in structured.items() if not fields.is_complete}, options)
    _check_kept_fields(structured, options)


def resolve_types(fields_by_source: Mapping[str, FileFields | None], options: ReadOptions) -> ReadOptions:
    """Returns the options with a type for every kept field: Parquet's own, else strings.

    Types of several files are widened to one that holds the values of all: int32 and int64 to int64, a column of
    nulls to any.

    Raises:
        UsageError: The files do not agree on the type.
    """
    resolved = (KeptField(field.name, _resolve(field, fields_by_source, options)) for field in options.kept_fields)
    return dataclasses.replace(options, kept_fields=tuple(resolved))


def _check_plain_text(sources: Sequence[str], structured: Mapping[str, FileFields], options: ReadOptions) -> None:
    """Refuses fields of plain text; a kept one is null there if other files have it."""
    if not sources or options.allow_plain_text:
        return
    asked = [("--text_field", options.text_field), ("--id_field", options.id_field)]
    if not structured:
        asked += [(options.kept_fields_flag, field.name) for field in options.kept_fields]
    for flag, name in asked:
        if name is not None:
            raise UsageError(
                f"{sources[0]} is plain text, which has no field {name!r} for {flag}; "
                "leave it out, or say the --input_format."
            )


def _check_header(source: str, fields: FileFields, options: ReadOptions) -> None:
    for asked, name in ((_asked_for_text(options), options.text_name), (" of --id_field", options.id_field)):
        if name is not None and name not in fields.names:
            raise UsageError(f"{source} has no field {name!r}{asked}; {_there_are(name, fields.names)}.")


def _asked_for_text(options: ReadOptions) -> str:
    """Says behind the text field's name where it is from."""
    return ", and no --text_field names another" if options.text_field is None else " of --text_field"


def _check_samples(samples: Mapping[str, FileFields], options: ReadOptions) -> None:
    n_before = 0
    seen: dict[str, int] = {}
    for fields in samples.values():
        for name, record in fields.names.items():
            seen.setdefault(name, n_before + record)
        n_before += fields.n_records
    if n_before and seen.get(options.text_name, SAMPLE_RECORDS) >= SAMPLE_RECORDS:
        raise UsageError(
            f"{_looked_at(n_before)} the field {options.text_name!r}{_asked_for_text(options)}; "
            f"{_there_are(options.text_name, seen)}."
        )
    for source, fields in samples.items():
        if options.id_field is not None and fields.n_records and options.id_field not in fields.names:
            raise UsageError(
                f"{_looked_at(fields.n_records, f' of {source}')} the field {options.id_field!r} of --id_field; "
                f"{_there_are(options.id_field, fields.names)}."
            )


def _check_kept_fields(structured: Mapping[str, FileFields], options: ReadOptions) -> None:
    names = {name: 0 for fields in structured.values() for name in fields.names}
    samples = [fields.n_records for fields in structured.values() if not fields.is_complete]
    lack = _looked_at(sum(samples)) if len(samples) == len(structured) else "No file has"
    for field in options.kept_fields if names else ():
        if field.name not in names and not (samples and field.type is not None):
            raise UsageError(
                f"{lack} the field {field.name!r} of {options.kept_fields_flag}; {_there_are(field.name, names)}."
            )


def _looked_at(n_records: int, whose: str = "") -> str:
    return none_has(min(n_records, SAMPLE_RECORDS), is_all=n_records < SAMPLE_RECORDS, whose=whose)


def _resolve(field: KeptField, fields_by_source: Mapping[str, FileFields | None], options: ReadOptions) -> pa.DataType:
    if field.type is not None:
        return field.type
    found: tuple[pa.DataType, str] | None = None
    for source, fields in fields_by_source.items():
        if fields is None or (fields.is_complete and field.name not in fields.names):
            continue
        type_ = fields.types.get(field.name, pa.string())
        if found is None:
            found = type_, source
            continue
        wider = _widened(found[0], type_)
        if wider is None:
            raise UsageError(
                f"The field {field.name!r} is {found[0]} in {found[1]} and {type_} in {source}; "
                f"say its type: {options.kept_fields_flag}={field.name}:string."
            )
        found = wider, source if wider == type_ else found[1]
    return found[0] if found and not pa.types.is_null(found[0]) else pa.string()


def _widened(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Returns the type that holds all values of both as they are, None where there is none."""
    if one == other:
        return one
    schemas = [pa.schema([("field", type_)]) for type_ in (one, other)]
    try:
        wider: pa.DataType = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None
    integers = [type_ for type_ in (one, other) if pa.types.is_integer(type_)]
    if pa.types.is_signed_integer(wider) and any(
        pa.types.is_unsigned_integer(type_) and type_.bit_width >= wider.bit_width for type_ in integers
    ):
        return None
    if pa.types.is_floating(wider) and any(type_.bit_width > _EXACT_BITS[wider.bit_width] for type_ in integers):
        return None
    return wider


def _there_are(name: str, names: Mapping[str, int]) -> str:
    """Says which fields there are, but for names that may be a record's text: a header may be missing."""
    alike = next((other for other in names if _plain(other) == _plain(name)), None)
    if alike is not None:
        codes = "" if alike.isascii() else f" ({alike!a})"
        return f"there is {alike!r}{codes}, which is written otherwise than {name!a}"
    header = next(iter(names), "")
    if _EXCEL_HINT.fullmatch(header) and len(names) <= 2:
        return f"the first line is {header!r}, which is for Excel: remove that line"
    if len(names) == 1:
        separator = next((mark for mark in _SEPARATORS if mark in header), None)
        if separator and all(_NAME.fullmatch(part) for part in header.split(separator)):
            return f"there is {header!r} alone: its columns are separated by {separator!r}{_SEPARATORS[separator]}"
    shown = [other for other in nearest(name, names) if _NAME.fullmatch(other.strip())][:_SHOWN_NAMES]
    n_others = len(names) - len(shown)
    others = [f"{n_others} longer, which may be text (is there a header?)"] if n_others else []
    outer, *within = _STEPS.split(name.lstrip("$./"))
    nested = f"; what is within {outer!r} has to be a field of its own, as jq can make it"
    return f"there are: {', '.join([*map(repr, shown), *others])}{nested if any(within) and outer in names else ''}"


def _plain(name: str) -> str:
    """Returns a name without what is hardly seen: how characters are composed, their width, space around it, marks."""
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", visible).strip().casefold()
