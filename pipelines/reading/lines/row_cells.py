"""Rows of CSV and TSV files as cells."""

import csv
from collections.abc import Iterator
from typing import NamedTuple

from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.decode import decode_lines
from saiten.pipelines.reading.lines.row_grammar import RowGrammar
from saiten.pipelines.reading.lines.row_scan import RowRun
from saiten.pipelines.reading.rows import too_large


class Row(NamedTuple):
    """A row with its bytes.

    Attributes:
        cells: Empty where it cannot be read.
        raw: Its first bytes, without its last line end; all of them where it can be read.
        n_bytes: Its true length.
        n_lines: How many lines it takes.
        failure: Code and message where it cannot be read.
    """

    cells: list[str]
    raw: bytes
    n_bytes: int
    n_lines: int
    failure: tuple[str, str] | None


def read_rows(run: RowRun, grammar: RowGrammar, breaks: LineBreaks, max_bytes: int) -> Iterator[Row]:
    """Yields the rows of a run; those longer than `max_bytes`, or that cannot be decoded, cannot be read."""
    if run.failure is not None:
        yield Row([], run.data, run.n_bytes, run.n_lines, run.failure)
    elif run.is_one_row:
        yield _read_one_row(run, grammar, breaks)
    else:
        yield from _read_lines(run, grammar, breaks, max_bytes)


def _read_one_row(run: RowRun, grammar: RowGrammar, breaks: LineBreaks) -> Row:
    texts, errors = decode_lines(breaks.split(run.data), breaks.codec)
    raw = run.data[: run.n_bytes]
    if errors:
        return Row([], raw, run.n_bytes, run.n_lines, next(iter(errors.values())))
    _allow_long_cells(run.n_bytes)
    (cells,) = csv.reader([text + breaks.end for text in texts], delimiter=grammar.delimiter)
    return Row(cells, raw, run.n_bytes, run.n_lines, None)


def _read_lines(run: RowRun, grammar: RowGrammar, breaks: LineBreaks, max_bytes: int) -> Iterator[Row]:
    raw_rows = breaks.strip_all(breaks.split(run.data))
    texts, errors = decode_lines(raw_rows, breaks.codec)
    if errors:
        texts = ["" if i in errors else text for i, text in enumerate(texts)]
    if grammar.has_quotes:
        _allow_long_cells(len(run.data))
        rows: Iterator[list[str]] = csv.reader(texts, delimiter=grammar.delimiter)
    else:
        rows = (text.split(grammar.delimiter) if text else [] for text in texts)
    for i, (raw, cells) in enumerate(zip(raw_rows, rows, strict=True)):
        failure = errors.get(i) if errors else None
        if len(raw) > max_bytes:
            failure = too_large(len(raw), max_bytes)
        if cells or failure is not None or grammar.has_blank_rows:
            yield Row(cells or [""], raw, len(raw), 1, failure)


def _allow_long_cells(n_bytes: int) -> None:
    """The limit is the process's; no cell is longer than what it stands in."""
    csv.field_size_limit(max(csv.field_size_limit(), n_bytes + 1))
