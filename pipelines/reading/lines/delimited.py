"""CSV and TSV: a header row, then every row a record."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import IO

from saiten.model.errors import UsageError
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.format import FileFields, SizedSlice, even_bounds
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.line_format import LineFormat, with_progress
from saiten.pipelines.reading.lines.row_cells import Row, read_rows
from saiten.pipelines.reading.lines.row_grammar import CARRIAGE_RETURN, RowGrammar
from saiten.pipelines.reading.lines.row_scan import RowRun, scan_rows
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES, RowCollector, Rows
from saiten.pipelines.records import Code, FileSlice

# How much of a file is read at a time for its header, which is no record: it may be longer than one.
_SAMPLE_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 1024 * 1024
# The number of the header row: the records below it are counted from 0.
_HEADER_ROW = -1


class DelimitedFormat(LineFormat):
    """Below the header the rows are the records; a record's position is its row number.

    Args:
        has_quotes: Whether quotes mean anything where ``--quoting`` does not say it.
    """

    def __init__(self, name: str, endings: tuple[str, ...], delimiter: str, *, has_quotes: bool) -> None:
        self.name = name
        self.endings = endings
        self._has_quotes = has_quotes
        self._grammars = {
            (quotes, blanks): RowGrammar(delimiter, has_quotes=quotes, has_blank_rows=blanks)
            for quotes, blanks in itertools.product((False, True), repeat=2)
        }

    def look_at(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileSlice:
        if whole.codec.startswith("iso2022"):
            # Its bytes for a kana may be those of a quotation mark.
            raise UsageError(f"{whole.source}: rows cannot be told apart in {options.encoding}; convert it to UTF-8.")
        return super().look_at(file, whole, options)

    def read_fields(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileFields | None:
        rows = self._first_rows(Chunks(file, whole, _SAMPLE_BYTES), options)
        header = _read_header(rows)
        if header.row is None:
            return FileFields({})
        if header.row.failure is not None:
            raise UsageError(_unreadable_header(whole.source, *header.row.failure))
        names = header.row.cells
        if (
            any("\r" in name for name in (*names[:-1], names[-1].rstrip("\r")))
            and not self._grammar(options).has_quotes
        ):
            # Where nothing quotes, it is no part of a name: lines end in it, all but one, and would be no records.
            raise UsageError(_unreadable_header(whole.source, Code.BAD_CSV_ROW, CARRIAGE_RETURN))
        doubled = frozenset(name for name, count in Counter(names).items() if count > 1)
        records = (row for row in rows if row.n_bytes or header.has_blank_rows)
        return FileFields(dict.fromkeys(names, 0), doubled, n_records=sum(1 for _ in islice(records, 1)))

    def cut(self, whole: FileSlice, options: ReadOptions, target_bytes: int, most: int) -> list[SizedSlice]:
        """Cuts a plain file where rows begin, which takes reading it once."""
        if whole.compression is not None:
            return super().cut(whole, options, target_bytes, most)
        bounds = even_bounds(whole.size, -(-whole.size // target_bytes) if most > 1 else 1)
        starts = [(0, _HEADER_ROW), *self._row_starts(whole, options, bounds[1:-1]), (whole.size, 0)]
        return [
            SizedSlice(dataclasses.replace(whole, start=start, end=end, first_row=row), end - start)
            for (start, row), (end, _) in pairwise(starts)
        ]

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        header = self._header(file, file_slice, options)
        chunks = Chunks(file, file_slice)
        rows = self._rows(chunks, file_slice, header, options)
        cells = _CellReader(header.row, file_slice.source, options).read(rows)
        return with_progress(cells, chunks, file_slice, options)

    def _grammar(self, options: ReadOptions, *, has_blank_rows: bool = False) -> RowGrammar:
        has_quotes = self._has_quotes if options.quoting == "auto" else options.quoting == "csv"
        return self._grammars[has_quotes, has_blank_rows]

    def _header(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> "_Header":
        whole = dataclasses.replace(file_slice, start=0, end=file_slice.size)
        return _read_header(self._first_rows(Chunks(file, whole, _SAMPLE_BYTES), options))

    def _first_rows(self, chunks: Chunks, options: ReadOptions) -> Iterator[Row]:
        """Yields the rows of a whole file, blank lines too."""
        grammar = self._grammar(options, has_blank_rows=True)
        max_bytes = max(options.max_record_bytes, _MAX_HEADER_BYTES)
        for run in scan_rows(chunks, grammar, max_bytes):
            yield from read_rows(run, grammar, chunks.breaks, max_bytes)

    def _rows(
        self, chunks: Chunks, file_slice: FileSlice, header: "_Header", options: ReadOptions
    ) -> Iterator[tuple[int, Row]]:
        """Yields position and row of each record that begins in the slice."""
        grammar = self._grammar(options, has_blank_rows=header.has_blank_rows)
        is_cut = file_slice.compression is None and file_slice.start > 0
        if is_cut:
            chunks.skip_to_start()
        runs = scan_rows(chunks, grammar, options.max_record_bytes)
        for first, run in _within_slice(runs, chunks, file_slice.first_row if is_cut else header.first_row):
            rows = enumerate(read_rows(run, grammar, chunks.breaks, options.max_record_bytes), first)
            yield from ((position, row) for position, row in rows if position > _HEADER_ROW)

    def _row_starts(self, whole: FileSlice, options: ReadOptions, bounds: list[int]) -> Iterator[tuple[int, int]]:
        """Yields offset and number of the first row at or after each of the bounds."""
        if not bounds:
            return
        with open_unchanged(whole) as file:
            header = self._header(file, whole, options)
            grammar, number = self._grammar(options, has_blank_rows=header.has_blank_rows), header.first_row
            chunks = Chunks(file, whole)
            for run in scan_rows(chunks, grammar, options.max_record_bytes):
                rest: RowRun | None = run
                while rest is not None and bounds and bounds[0] < rest.end:
                    before, rest = rest.split(bounds[0], chunks.breaks)
                    number += before.n_rows if before else 0
                    if rest is not None:
                        yield rest.offset, number
                        bounds = [bound for bound in bounds if bound > rest.offset]
                number += rest.n_rows if rest else 0
                if not bounds:
                    return


@dataclasses.dataclass(frozen=True)
class _Header:
    """Where a file's records begin.

    Attributes:
        row: None where all lines are blank.
        n_blank: How many lines are before it.
    """

    row: Row | None
    n_blank: int

    @property
    def has_blank_rows(self) -> bool:
        """Whether a blank line is a record: so Polars, DuckDB and Arrow write a null that is alone in its row."""
        return self.row is not None and len(self.row.cells) == 1

    @property
    def first_row(self) -> int:
        """The number of the file's first row, which is the header's, or that of a blank one before it."""
        return _HEADER_ROW - (self.n_blank if self.has_blank_rows else 0)


def _read_header(rows: Iterator[Row]) -> _Header:
    """Takes the rows up to the first that is not blank."""
    n_blank = 0
    for row in rows:
        if row.n_bytes:
            return _Header(row, n_blank)
        n_blank += 1
    return _Header(None, n_blank)


class _CellReader:
    """Takes the fields asked for out of rows."""

    def __init__(self, header: Row | None, source: str, options: ReadOptions) -> None:
        self._collector = RowCollector(source, options)
        self._n_columns = len(header.cells) if header else 0
        columns: dict[str | None, int] = {name: i for i, name in enumerate(header.cells)} if header else {}
        names = (options.text_name, options.id_field, *(field.name for field in options.kept_fields))
        self._columns = [columns.get(name) for name in names]
        self._typed = [i for i, field in enumerate(options.kept_fields) if not field.is_string]

    def read(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Rows]:
        """Yields rows, some at a time.

        Args:
            rows: Each with its position.
        """
        n_rows = n_bytes = 0
        for position, row in rows:
            self._add(position, row)
            n_rows, n_bytes = n_rows + 1, n_bytes + row.n_bytes
            if n_bytes >= CHUNK_BYTES or n_rows == BLOCK_RECORDS:
                yield self._collector.take()
                n_rows = n_bytes = 0
        yield self._collector.take()

    def _add(self, position: int, row: Row) -> None:
        failure = row.failure
        if failure is None and len(row.cells) != self._n_columns:
            failure = Code.BAD_CSV_ROW, f"The row has {len(row.cells)} fields, the header {self._n_columns}."
        if failure is not None:
            self._collector.add_dead_letter(position, row.raw, *failure, raw_bytes=row.n_bytes, n_lines=row.n_lines)
            return
        text, record_id, *kept_fields = [None if i is None else row.cells[i] for i in self._columns]
        for i in self._typed:
            # An empty cell is an empty string, but no number.
            kept_fields[i] = kept_fields[i] or None
        self._collector.add(position, row.raw, text, record_id or None, kept_fields, row.n_lines)


def _within_slice(runs: Iterator[RowRun], chunks: Chunks, number: int) -> Iterator[tuple[int, RowRun]]:
    """Yields the runs that begin in the slice, each with the number of its first row.

    Args:
        number: Of the first row there is.
    """
    for run in runs:
        # Where its first byte is not known yet, all that has been read lies before the slice.
        before, rest = run.split(run.end if chunks.start is None else chunks.start, chunks.breaks)
        number += before.n_rows if before else 0
        if rest is None:
            continue
        within = rest if chunks.end is None else rest.split(chunks.end, chunks.breaks)[0]
        if within is None:
            return
        yield number, within
        number += within.n_rows


def _unreadable_header(source: str, code: str, message: str) -> str:
    message = message.rstrip(".")
    if message == CARRIAGE_RETURN:
        return f"{source}: no header can be read ({message}); end all lines in one way, LF or CR LF."
    remedy = {
        Code.BAD_CSV_ROW: "mend it, or say --quoting=none where quotes mean nothing.",
        Code.TOO_LARGE: "is it a CSV or TSV file?",
    }.get(Code(code), "a Japanese Excel writes cp932: is it in another --encoding?")
    return f"{source}: no header can be read ({message}); {remedy}"


CSV = DelimitedFormat("csv", (".csv",), ",", has_quotes=True)
TSV = DelimitedFormat("tsv", (".tsv", ".tab"), "\t", has_quotes=False)
