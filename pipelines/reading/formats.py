"""The formats of input files there are, and which one a file is in: a new one is a line here."""

from saiten.model.errors import UsageError
from saiten.pipelines.reading.format import Format
from saiten.pipelines.reading.lines.delimited import CSV, TSV
from saiten.pipelines.reading.lines.jsonl import JSONL
from saiten.pipelines.reading.lines.text import TEXT
from saiten.pipelines.reading.options import ReadOptions, unknown_name
from saiten.pipelines.reading.parquet.parquet import PARQUET

FORMATS: dict[str, Format] = {format_.name: format_ for format_ in (TEXT, JSONL, CSV, TSV, PARQUET)}


def asked_format(options: ReadOptions) -> Format | None:
    """Returns the format that was asked for, None where each file says its own.

    Raises:
        UsageError: There is no such format.
    """
    if options.input_format == "auto":
        return None
    if options.input_format not in FORMATS:
        raise UsageError(unknown_name("--input_format", options.input_format, ("auto", *FORMATS)))
    return FORMATS[options.input_format]


def format_by_ending(stem: str) -> Format | None:
    """Returns the format of a file's name, without the ending of a compression; None where the ending says nothing."""
    return next((format_ for format_ in FORMATS.values() if stem.lower().endswith(format_.endings)), None)


def format_by_marks(head: bytes, tail: bytes) -> Format | None:
    """Returns the format that alone begins and ends so; None where it may be any that has no such marks."""
    return next((format_ for format_ in FORMATS.values() if format_.has_marks(head, tail)), None)
