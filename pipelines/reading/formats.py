"""The formats of input files there are, and which one a file is in: a new one is a line here."""

from saiten.model.errors import UsageError
from saiten.pipelines.reading.format import Format
from saiten.pipelines.reading.lines.decompress import compression_of
from saiten.pipelines.reading.lines.delimited import CSV, TSV
from saiten.pipelines.reading.lines.jsonl import JSONL
from saiten.pipelines.reading.lines.text import TEXT
from saiten.pipelines.reading.options import ReadOptions, unknown_name
from saiten.pipelines.reading.parquet.parquet import PARQUET

FORMATS: dict[str, Format] = {format_.name: format_ for format_ in (TEXT, JSONL, CSV, TSV, PARQUET)}


def format_of(path: str, options: ReadOptions) -> Format:
    """Returns the format of a file: what was asked for, or by the ending; what ends otherwise is text.

    Raises:
        UsageError: What was asked for is no format, with the nearest one.
    """
    if options.input_format != "auto":
        if options.input_format not in FORMATS:
            raise UsageError(unknown_name("--input_format", options.input_format, ("auto", *FORMATS)))
        return FORMATS[options.input_format]
    stem = path.lower()
    if compression_of(stem) is not None:
        stem = stem.rpartition(".")[0]
    return next((format_ for format_ in FORMATS.values() if stem.endswith(format_.endings)), TEXT)
