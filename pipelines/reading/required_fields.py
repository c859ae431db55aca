"""Makes sure, before anything runs, that the fields asked for are there."""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from saiten.model.errors import RecordError, UsageError
from saiten.pipelines.reading.delimited import DELIMITERS, RowReader
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.formats import KeptField, ReadOptions, format_of, nearest
from saiten.pipelines.reading.jsonl import parse_json
from saiten.pipelines.reading.lines import LineBatch
from saiten.pipelines.reading.parquet.columns import kept_type
from saiten.pipelines.reading.slices import slice_lines
from saiten.pipelines.reading.text import decode_lines
from saiten.pipelines.records import FileSlice

_SAMPLE_RECORDS = 1000
_SHOWN_NAMES = 20
# A field's name as people give them; Japanese ones are as short as words.
_NAME = re.compile(r"[A-Za-z_][\w.:/ -]{0,30}|[\w()（）]{1,8}")


@dataclass
class _Sample:
    """The first records' fields.

    Attributes:
        names: All fields seen, in the order of their first appearance.
        has_all_names: Whether no later record of these files can have another field.
        n_records: How many records were seen.
    """

    names: dict[str, None] = field(default_factory=dict)
    has_all_names: bool = True
    n_records: int = 0


def check_fields(slices: Iterable[FileSlice], schemas: dict[str, pa.Schema], options: ReadOptions) -> None:
    """Reads the first 1,000 records of structured input, or as few as show that all fields are there.

    Args:
        slices: The first slice of each file.
        schemas: Of the Parquet files, by source.

    Raises:
        UsageError: None of them has the text field, the id field or a kept one. In JSONL a kept field that is
            given with its type may come later.
    """
    wanted = {options.text_field, options.id_field, *(kept.name for kept in options.kept)} - {None}
    sample = _Sample()
    structured = [piece for piece in slices if format_of(piece.path, options) != "text"]
    asked = [("--id_field", options.id_field), *((options.kept_flag, kept.name) for kept in options.kept)]
    for flag, name in asked:
        if not structured and name is not None:
            raise UsageError(
                f"Plain text has no field {name!r} for {flag}; if it is no plain text, say the --input_format."
            )
    for piece in structured:
        _sample_file(piece, schemas.get(piece.source), options, sample)
        if sample.n_records >= _SAMPLE_RECORDS or wanted <= sample.names.keys():
            break
    if sample.n_records == 0:
        return
    if options.text_field not in sample.names:
        raise UsageError(_missing("--text_field", options.text_field, sample))
    may_come = set() if sample.has_all_names else {kept.name for kept in options.kept if kept.type is not None}
    for flag, name in asked:
        if name is not None and name not in sample.names.keys() | may_come:
            raise UsageError(_missing(flag, name, sample))


def resolve_kept(sources: Sequence[str], schemas: dict[str, pa.Schema], options: ReadOptions) -> ReadOptions:
    """Returns the options with a type for every kept field: Parquet's own, else strings.

    Raises:
        UsageError: The files do not agree on the type.
    """
    other = next((source for source in sources if source not in schemas), None)
    return dataclasses.replace(
        options, kept=tuple(KeptField(kept.name, _resolve(kept, schemas, other)) for kept in options.kept)
    )


def _resolve(kept: KeptField, schemas: dict[str, pa.Schema], other: str | None) -> pa.DataType:
    if kept.type is not None:
        return kept.type
    kinds = {kept_type(schema, kept.name): source for source, schema in schemas.items() if kept.name in schema.names}
    if other is not None:
        kinds.setdefault(pa.string(), other)
    if len(kinds) > 1:
        (one, source), (other, other_source), *_ = kinds.items()
        raise UsageError(
            f"The field {kept.name!r} is {one} in {source} and {other} in {other_source}; "
            f"say its type: --keep_fields={kept.name}:string."
        )
    return next(iter(kinds), pa.string())


def _sample_file(piece: FileSlice, schema: pa.Schema | None, options: ReadOptions, sample: _Sample) -> None:
    if schema is not None:
        sample.names.update(dict.fromkeys(schema.names))
        sample.n_records += 1
        return
    kind = format_of(piece.path, options)
    whole = dataclasses.replace(piece, end=piece.size)
    with open_unchanged(whole) as file:
        lines = slice_lines(file, whole, options)
        if kind in DELIMITERS:
            reader = RowReader(lines.batches, lines.codec, options.max_record_bytes, DELIMITERS[kind])
            sample.names.update(dict.fromkeys(reader.header() or ()))
            for _row in reader:
                sample.n_records += 1
                if sample.n_records >= _SAMPLE_RECORDS:
                    return
            return
        sample.has_all_names = False
        for batch in lines.batches:
            if isinstance(batch, LineBatch):
                _sample_objects(batch, lines.codec, sample)
            if sample.n_records >= _SAMPLE_RECORDS:
                return


def _sample_objects(batch: LineBatch, codec: str, sample: _Sample) -> None:
    texts, _ = decode_lines(batch.lines, batch.positions[0], codec)
    for text in texts[: _SAMPLE_RECORDS - sample.n_records]:
        try:
            sample.names.update(dict.fromkeys(parse_json(text)))
        except RecordError:
            # It will be a dead letter, which says more than a missing field would.
            continue
        sample.n_records += 1


def _missing(flag: str, name: str, sample: _Sample) -> str:
    return (
        f"None of the first {_SAMPLE_RECORDS:,} records has the field {name!r} of {flag}; {_there_are(name, sample)}."
    )


def _there_are(name: str, sample: _Sample) -> str:
    """Says which fields there are, but for names that may be a record's text: a header may be missing."""
    if not sample.names:
        return "no header can be read (is it in another --encoding?)"
    names = [other for other in nearest(name, sample.names) if _NAME.fullmatch(other)][:_SHOWN_NAMES]
    n_others = len(sample.names) - len(names)
    others = [f"{n_others} longer, which may be text (is there a header?)"] if n_others else []
    return f"there are: {', '.join([*map(repr, names), *others])}"
