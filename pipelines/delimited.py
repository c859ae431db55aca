"""CSV and TSV: a header row, then every row a record; a quoted field may hold line ends."""

import csv
from collections.abc import Iterable, Iterator

from pipelines.formats import ReadOptions
from pipelines.lines import BLOCK_RECORDS, CHUNK_BYTES, LineBatch, LineBreaks, LongLine
from pipelines.records import MAX_RAW_BYTES, Code
from pipelines.rows import RowCollector, Rows
from pipelines.text import decode_lines

DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_delimited(
    lines: Iterable[LineBatch | LongLine], source: str, codec: str, options: ReadOptions, delimiter: str
) -> Iterator[Rows]:
    """Yields the rows below the header as records; a record's position is its row number, from 0.

    Blank lines are no rows. A row whose quotes do not fit is one bad record up to where it ends as a row,
    which may be some lines further on; a row that is too long ends where its quotes are even in number.
    No record is ever made of a part of a row.
    """
    collector = RowCollector(source, options)
    reader = RowReader(lines, codec, options.max_record_bytes, delimiter)
    header = reader.header()
    columns: dict[str | None, int] = {name: i for i, name in enumerate(header or ())}
    wanted = [columns.get(name) for name in (options.text_field, options.id_field, *_kept_names(options))]
    n_bytes = 0
    for position, row in enumerate(reader):
        failure = row.failure or _misfit(row.values, header)
        if failure is not None:
            collector.bury(position, row.raw, *failure, raw_bytes=row.n_bytes)
        else:
            text, record_id, *kept = (None if i is None else row.values[i] for i in wanted)
            collector.add(position, row.raw, text, record_id or None, _without_blanks(kept, options))
        n_bytes += row.n_bytes
        if n_bytes >= CHUNK_BYTES or (position + 1) % BLOCK_RECORDS == 0:
            yield collector.take()
            n_bytes = 0
    yield collector.take()


class Row:
    """A row with its bytes.

    Attributes:
        values: Its fields; empty where it cannot be read.
        raw: Its first bytes, without its last line end; all of them where it can be read.
        n_bytes: Its true length.
        failure: Code and message where it cannot be read.
    """

    __slots__ = ("failure", "n_bytes", "raw", "values")

    def __init__(self, values: list[str], raw: bytes, n_bytes: int, failure: tuple[str, str] | None) -> None:
        self.values = values
        self.raw = raw
        self.n_bytes = n_bytes
        self.failure = failure


class RowReader:
    """Iterates over the rows of a file with `csv`, which keeps going after a bad one.

    Args:
        max_bytes: A longer row is not read; no more of it than that is held.
    """

    def __init__(self, lines: Iterable[LineBatch | LongLine], codec: str, max_bytes: int, delimiter: str) -> None:
        # The limit is the process's; a row is never longer than its own.
        csv.field_size_limit(max(csv.field_size_limit(), max_bytes + 1))
        self._lines = _RowLines(lines, codec, max_bytes)
        self._rows = csv.reader(self._lines, delimiter=delimiter, strict=True)

    def header(self) -> list[str] | None:
        """Returns the names of the columns; None where the first row cannot be read, or is not there."""
        row = next(iter(self), None)
        return row.values if row is not None and row.failure is None else None

    def __iter__(self) -> Iterator[Row]:
        while True:
            failure: tuple[str, str] | None = None
            try:
                values = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                values, failure = [], (Code.BAD_CSV_ROW, f"Not a valid row: {_plain(error)}.")
            except _RowTooLongError:
                self._lines.skip_row()
                values, failure = [], (Code.TOO_LARGE, self._lines.too_large())
            raw, n_bytes, undecodable = self._lines.take()
            if values or failure:
                yield Row(values, raw, n_bytes, undecodable or failure)


# A line, its text, and code and message where it cannot be decoded.
_DecodedLine = tuple[bytes, str, tuple[str, str] | None]


class _RowTooLongError(Exception):
    pass


class _RowLines(Iterator[str]):
    """Hands lines to `csv` and remembers those of the current row."""

    def __init__(self, lines: Iterable[LineBatch | LongLine], codec: str, max_bytes: int) -> None:
        self._codec = codec
        self._breaks = LineBreaks.of(codec)
        self._max_bytes = max_bytes
        self._decoded = self._decode(lines)
        self._begin_row()

    def _begin_row(self) -> None:
        self._row: list[bytes] = []
        self._n_bytes = 0
        self._n_quotes = 0
        self._undecodable: tuple[str, str] | None = None

    def _decode(self, lines: Iterable[LineBatch | LongLine]) -> Iterator[LongLine | _DecodedLine]:
        for batch in lines:
            if isinstance(batch, LongLine):
                yield batch
                continue
            texts, errors = decode_lines(batch.lines, batch.positions[0], self._codec)
            for i, (line, text) in enumerate(zip(batch.lines, texts, strict=True)):
                yield line, text, errors.get(i)

    def __next__(self) -> str:
        item = next(self._decoded)
        if isinstance(item, LongLine):
            self._count(item.head, item.n_bytes, item.n_quotes)
            raise _RowTooLongError
        line, text, error = item
        self._count(line, len(line), self._breaks.count_quotes(line))
        self._undecodable = self._undecodable or error
        if self._n_bytes > self._max_bytes + 2 * self._breaks.width:
            raise _RowTooLongError
        return text + "\n"

    def _count(self, line: bytes, n_bytes: int, n_quotes: int) -> None:
        self._row.append(line)
        self._n_bytes += n_bytes + self._breaks.width
        self._n_quotes += n_quotes

    def skip_row(self) -> None:
        """Drops the rest of a row that is too long."""
        self._row = [self._breaks.feed.join(self._row)[:MAX_RAW_BYTES]]
        self._undecodable = None
        while self._n_quotes % 2 and (item := next(self._decoded, None)) is not None:
            if isinstance(item, LongLine):
                n_bytes, n_quotes = item.n_bytes, item.n_quotes
            else:
                n_bytes, n_quotes = len(item[0]), self._breaks.count_quotes(item[0])
            self._n_bytes += n_bytes + self._breaks.width
            self._n_quotes += n_quotes

    def too_large(self) -> str:
        """Says how long the current row is."""
        return f"The record has {self._n_bytes - self._breaks.width} bytes; at most {self._max_bytes} are read."

    def take(self) -> tuple[bytes, int, tuple[str, str] | None]:
        """Returns bytes, length and what could not be decoded of the row, and begins the next one."""
        raw = self._breaks.strip(self._breaks.feed.join(self._row))
        taken = raw, max(len(raw), self._n_bytes - self._breaks.width), self._undecodable
        self._begin_row()
        return taken


def _kept_names(options: ReadOptions) -> list[str]:
    return [field.name for field in options.kept]


def _without_blanks(kept: list[str | None], options: ReadOptions) -> list[str | None]:
    """An empty field is an empty string, but no number: there it is null."""
    return [
        None if value == "" and not field.is_string else value for value, field in zip(kept, options.kept, strict=True)
    ]


def _misfit(values: list[str], header: list[str] | None) -> tuple[str, str] | None:
    if header is None:
        return Code.BAD_CSV_ROW, "The header row of the file cannot be read."
    if len(values) != len(header):
        return Code.BAD_CSV_ROW, f"The row has {len(values)} fields, the header {len(header)}."
    return None


def _plain(error: csv.Error) -> str:
    if "new-line character" in str(error):
        return "a carriage return stands outside of quotes"
    return str(error)
