"""CSV and TSV: a header row, then every row a record; a quoted field may hold line ends."""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from saiten.model.errors import UsageError
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.format import FileFields, SizedSlice
from saiten.pipelines.reading.lines.decode import decode_lines
from saiten.pipelines.reading.lines.line_format import LineFormat
from saiten.pipelines.reading.lines.lines import LineBatch, LineBreaks, LongLine
from saiten.pipelines.reading.lines.slices import Lines, slice_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES, RowCollector, Rows
from saiten.pipelines.records import MAX_RAW_BYTES, Code, FileSlice


class DelimitedFormat(LineFormat):
    """Below the header the rows are the records; a record's position is its row number, from 0.

    Blank lines are no rows. A row whose quotes do not fit is one bad record up to where it ends as a row,
    which may be some lines further on; a row that is too long ends where its quotes are even in number.
    No record is ever made of a part of a row.
    """

    record_is_line = False

    def __init__(self, name: str, delimiter: str) -> None:
        self.name = name
        self.endings = (f".{name}",)
        self._delimiter = delimiter

    def cut(self, file: FileSlice, options: ReadOptions, target_bytes: int) -> list[SizedSlice]:
        if options.codec.startswith("iso2022"):
            # Its bytes for a kana may be those of a quotation mark.
            raise UsageError(f"{file.path!r}: rows cannot be told apart in {options.encoding}; convert it to UTF-8.")
        return super().cut(file, options, target_bytes)

    def read_fields(self, file: FileSlice, options: ReadOptions) -> FileFields | None:
        with open_unchanged(file) as opened:
            lines = slice_lines(opened, file, options, cut_anywhere=False)
            reader = RowReader(lines, options.max_record_bytes, self._delimiter)
            header = reader.next_row()
            if header is not None and header.failure is not None:
                raise UsageError(f"{file.source}: no header can be read (is it in another --encoding?).")
            n_records = sum(1 for _ in islice(reader, 1))
        return FileFields(dict.fromkeys(header.cells if header else (), 0), n_records=n_records)

    def read_lines(self, lines: Lines, source: str, options: ReadOptions) -> Iterator[Rows]:
        collector = RowCollector(source, options)
        reader = RowReader(lines, options.max_record_bytes, self._delimiter)
        header = reader.next_row()
        columns: dict[str | None, int] = {name: i for i, name in enumerate(header.cells)} if header else {}
        kept_names = [field.name for field in options.kept_fields]
        wanted = [columns.get(name) for name in (options.text_field, options.id_field, *kept_names)]
        typed = [i for i, field in enumerate(options.kept_fields) if not field.is_string]
        n_bytes = 0
        for position, row in enumerate(reader):
            failure = row.failure or _misfit(row, header)
            if failure is not None:
                collector.add_dead_letter(position, row.raw, *failure, raw_bytes=row.n_bytes)
            else:
                text, record_id, *kept_fields = [None if i is None else row.cells[i] for i in wanted]
                for i in typed:
                    # An empty cell is an empty string, but no number.
                    kept_fields[i] = kept_fields[i] or None
                collector.add(position, row.raw, text, record_id or None, kept_fields)
            n_bytes += row.n_bytes
            if n_bytes >= CHUNK_BYTES or (position + 1) % BLOCK_RECORDS == 0:
                yield collector.take()
                n_bytes = 0
        yield collector.take()


class Row(NamedTuple):
    """A row with its bytes.

    Attributes:
        cells: Empty where it cannot be read.
        raw: Its first bytes, without its last line end; all of them where it can be read.
        n_bytes: Its true length.
        failure: Code and message where it cannot be read.
    """

    cells: list[str]
    raw: bytes
    n_bytes: int
    failure: tuple[str, str] | None


class RowReader:
    """Iterates over the rows of a file with `csv`, which keeps going after a bad one.

    Args:
        max_bytes: A longer row is not read; no more of it than that is held.
    """

    def __init__(self, lines: Lines, max_bytes: int, delimiter: str) -> None:
        # The limit is the process's; a row is never longer than its own.
        csv.field_size_limit(max(csv.field_size_limit(), max_bytes + 1))
        self._lines = _RowLines(lines, max_bytes)
        self._rows = csv.reader(self._lines, delimiter=delimiter, strict=True)

    def next_row(self) -> Row | None:
        """Returns the next row; None where there is no more."""
        return next(iter(self), None)

    def __iter__(self) -> Iterator[Row]:
        while True:
            failure: tuple[str, str] | None = None
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                cells, failure = [], (Code.BAD_CSV_ROW, f"Not a valid row: {_plain(error)}.")
            except _RowTooLongError:
                cells, failure = [], self._lines.skip_row()
            raw, n_bytes, undecodable = self._lines.take()
            if cells or failure:
                yield Row(cells, raw, n_bytes, undecodable or failure)


class _Line(NamedTuple):
    """A line on its way to `csv`; of one that is too long only `raw` is there, and that in part."""

    raw: bytes
    n_bytes: int
    n_quotes: int | None
    text: str | None
    error: tuple[str, str] | None


class _RowTooLongError(Exception):
    pass


class _RowLines(Iterator[str]):
    """Hands lines to `csv` and remembers those of the current row."""

    def __init__(self, lines: Lines, max_bytes: int) -> None:
        self._codec = lines.codec
        self._breaks = LineBreaks.of(lines.codec)
        self._width = self._breaks.width
        self._max_bytes = max_bytes
        self._lines = self._decode(lines.batches)
        self._begin_row()

    def _begin_row(self) -> None:
        self._row: list[bytes] = []
        self._n_bytes = 0
        self._error: tuple[str, str] | None = None
        self._too_long: _Line | None = None
        self._long_bytes = 0

    def _decode(self, lines: Iterable[LineBatch | LongLine]) -> Iterator[_Line]:
        for batch in lines:
            if isinstance(batch, LongLine):
                yield _Line(batch.head, batch.n_bytes, batch.n_quotes, None, None)
                continue
            texts, errors = decode_lines(batch.lines, batch.positions[0], self._codec)
            for i, (raw, text) in enumerate(zip(batch.lines, texts, strict=True)):
                yield _Line(raw, len(raw), None, text, errors.get(i) if errors else None)

    def __next__(self) -> str:
        line = next(self._lines)
        if line.text is None or self._n_bytes + len(self._breaks.strip(line.raw)) > self._max_bytes:
            self._too_long = line
            raise _RowTooLongError
        self._row.append(line.raw)
        self._n_bytes += line.n_bytes + self._width
        if line.error is not None:
            self._error = line.error
        return line.text + "\n"

    def skip_row(self) -> tuple[str, str]:
        """Drops a row that is too long, up to a line end at which its quotes are even in number.

        Returns:
            Code and message.
        """
        n_quotes = sum(map(self._breaks.count_quotes, self._row))
        line, self._error = self._too_long, None
        self._row = [self._breaks.feed.join([*self._row, line.raw if line else b""])[:MAX_RAW_BYTES]]
        n_bytes = 0
        while line is not None:
            n_bytes = self._n_bytes + (line.n_bytes if line.text is None else len(self._breaks.strip(line.raw)))
            self._n_bytes += line.n_bytes + self._width
            n_quotes += self._breaks.count_quotes(line.raw) if line.n_quotes is None else line.n_quotes
            line = next(self._lines, None) if n_quotes % 2 else None
        self._long_bytes = n_bytes
        return Code.TOO_LARGE, f"The record has {n_bytes} bytes; at most {self._max_bytes} are read."

    def take(self) -> tuple[bytes, int, tuple[str, str] | None]:
        """Returns bytes, length and what could not be decoded of the row, and begins the next one."""
        raw = self._row[0] if len(self._row) == 1 else self._breaks.feed.join(self._row)
        bare = self._breaks.strip(raw)
        taken = bare, self._long_bytes or len(bare), self._error
        self._begin_row()
        return taken


def _misfit(row: Row, header: Row | None) -> tuple[str, str] | None:
    if header is None or header.failure is not None:
        return Code.BAD_CSV_ROW, "The header row of the file cannot be read."
    if len(row.cells) != len(header.cells):
        return Code.BAD_CSV_ROW, f"The row has {len(row.cells)} fields, the header {len(header.cells)}."
    return None


def _plain(error: csv.Error) -> str:
    if "new-line character" in str(error):
        return "a carriage return stands outside of quotes"
    return str(error)


CSV = DelimitedFormat("csv", ",")
TSV = DelimitedFormat("tsv", "\t")
