"""What a row of a CSV or TSV file looks like, and what is wrong with what looks otherwise."""

import re
from dataclasses import dataclass

CARRIAGE_RETURN = "Not a valid row: a carriage return is outside of quotes"


@dataclass(frozen=True)
class BadRow:
    """What keeps bytes from being a row.

    Attributes:
        place: Of the quote that does not fit, or of the carriage return.
        message: What is wrong; None where the row goes on behind the bytes.
        is_open: A quote that opens at `place` is not closed.
    """

    place: int
    message: str | None = None
    is_open: bool = False


class RowGrammar:
    r"""What a row looks like, in a view of bytes in which ASCII is what it is.

    A cell in quotes may hold delimiters, line ends, and quotes if they are doubled; a quote within any other
    cell is part of it. A row ends at a line feed, or a carriage return and a line feed, outside of quotes.

    Args:
        delimiter: Between cells.
        has_quotes: Whether quotes mean anything. Where not, every line is a row.
        has_blank_rows: Whether a blank line is a row, of one empty cell.

    Attributes:
        lines: Matches rows that take one line each, as many as there are.
        row: Matches one row, of whatever number of lines.
    """

    def __init__(self, delimiter: str, *, has_quotes: bool, has_blank_rows: bool = False) -> None:
        self.delimiter = delimiter
        self.has_quotes = has_quotes
        self.has_blank_rows = has_blank_rows
        comma = re.escape(delimiter).encode()
        if not has_quotes:
            self.lines, self.row = re.compile(rb"(?>(?:[^\n]*+\n)*)"), re.compile(rb"[^\n]*+\n")
            return
        # (?>X*) is what X*+ means, and what Python before 3.11.5 takes a wrong turn at (gh-106052).
        bare = rb'[^"%s\r\n][^%s\r\n]*+|' % (comma, comma)
        line_rows, quoted = self._row(rb'"[^"\n]*+(?>(?:""[^"\n]*+)*)"', bare, comma), rb'"[^"]*+(?>(?:""[^"]*+)*)"'
        self.lines = re.compile(rb"(?>(?:%s)*)" % line_rows)
        self.row = re.compile(self._row(quoted, bare, comma))
        self._bare, self._quoted = re.compile(bare), re.compile(quoted)

    @staticmethod
    def _row(quoted: bytes, bare: bytes, comma: bytes) -> bytes:
        cell = rb"(?:%s|%s)" % (quoted, bare)
        return rb"%s(?>(?:%s%s)*)\r?\n" % (cell, comma, cell)

    def find_fault(self, view: bytes, start: int, end: int) -> BadRow:
        """Returns why no row begins at `start` that ends before `end`."""
        if not self.has_quotes:
            return BadRow(start)
        comma = self.delimiter.encode()
        place = start
        while True:
            is_quoted = view[place : place + 1] == b'"'
            if is_quoted:
                cell = self._quoted.match(view, place, end)
                if cell is None:
                    return BadRow(place, "A quote that opens in its last line is never closed", is_open=True)
            else:
                cell = self._bare.match(view, place, end)
            behind = cell.end() if cell else place
            rest = view[behind : min(behind + 2, end)]
            if rest in (b"", b"\r") or rest[:1] == b"\n" or rest == b"\r\n":
                return BadRow(place)
            if rest[:1] != comma:
                if is_quoted:
                    return BadRow(place, "Not a valid row: something follows a closing quote")
                return BadRow(behind, CARRIAGE_RETURN)
            place = behind + 1
