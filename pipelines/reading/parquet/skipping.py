"""Passes over the pages in front of a slice of a row group: pyarrow unpacks a row group from its first row on.

    the file       | dictionary | page of rows 0 to 99  | page of rows 100 to 199 | ...
    what is read   | dictionary | a page of 100 nulls   | page of rows 100 to 199 | ...     of a slice from row 120 on

The beginning of a page is laid over with a header that says the same of its size, and that its values are all null,
so that none is unpacked. Nothing else of the file changes: its end, and what pyarrow checks by it, stays right.
Source: parquet.thrift of Apache (DataPageHeaderV2), Encodings.md of Apache (RLE).
"""

import bisect
from collections.abc import Mapping
from typing import IO

import pyarrow.parquet as pq

from saiten.pipelines.reading.parquet.footer import RowGroup
from saiten.pipelines.reading.parquet.pages import Page, read_pages

# Thrift's compact protocol: a field's kind, with how far its number is from that of the field before it.
_NEXT_I32, _NEXT_FALSE, _FIFTH_NEXT_STRUCT, _STOP = b"\x15", b"\x12", b"\x5c", b"\0"
_DATA_PAGE_V2, _PLAIN = 3, 0
# Of an empty string.
_LENGTH_BYTES = 4
# A number may be written longer than it need be, and so be known to fit.
_I32_DIGITS = 5


def blank_pages(file: IO[bytes], group: RowGroup, schema: pq.ParquetSchema, first: int) -> dict[int, bytes]:
    """Returns by offset in the file what to lay over it, so that rows before a row are nulls, or empty strings.

    Columns of which this cannot be said, as those of lists, and pages with rows on both sides are left as they are.

    Args:
        file: Of the row group.
        first: The first row of the group that is read.

    Raises:
        ThriftError: A page's header is damaged.
    """
    about = {column.path: column for column in map(schema.column, range(len(schema)))}
    laid_over: dict[int, bytes] = {}
    for chunk in group.columns:
        column, n_rows = about[chunk.path], 0
        if column.max_repetition_level or not (column.max_definition_level or column.physical_type == "BYTE_ARRAY"):
            continue
        for page in read_pages(file, chunk):
            n_rows += page.n_values
            if n_rows > first:
                break
            blank = _blank_page(page, is_nullable=column.max_definition_level > 0)
            if not page.is_dictionary and len(blank) <= page.end - page.start:
                laid_over[page.start] = blank
    return laid_over


def _blank_page(page: Page, *, is_nullable: bool) -> bytes:
    """Returns the first bytes of a page of as many bytes and values, all of them null or empty strings."""
    levels = _varint(page.n_values << 1) + b"\0" if is_nullable else b""
    values = b"" if is_nullable else bytes(_LENGTH_BYTES * page.n_values)
    numbers = [page.n_values, page.n_values if is_nullable else 0, page.n_values, _PLAIN, len(levels), 0]
    data_header = b"".join(_NEXT_I32 + _zigzag(number) for number in numbers) + _NEXT_FALSE + _STOP

    def header(n_bytes: int) -> bytes:
        sizes = 2 * (_NEXT_I32 + _zigzag(n_bytes, _I32_DIGITS))
        return _NEXT_I32 + _zigzag(_DATA_PAGE_V2) + sizes + _FIFTH_NEXT_STRUCT + data_header + _STOP

    return header(page.end - page.start - len(header(0))) + levels + values


def _zigzag(number: int, n_digits: int = 1) -> bytes:
    return _varint(number << 1, n_digits)


def _varint(number: int, n_digits: int = 1) -> bytes:
    """Returns a number that is not negative in digits of seven bits, the lowest first, at least so many."""
    n_digits = max(n_digits, -(-number.bit_length() // 7))
    digits = [number >> 7 * i & 127 for i in range(n_digits)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


class LaidOver:
    """A file in some places of which other bytes are read than stand there.

    Args:
        file: Open, at any place.
        pieces: The bytes by their offsets; they do not overlap.
    """

    closed = False

    def __init__(self, file: IO[bytes], pieces: Mapping[int, bytes]) -> None:
        self._file, self._pieces = file, pieces
        self._offsets = sorted(pieces)

    def read(self, n_bytes: int = -1) -> bytes:
        """Reads on from where the file stands."""
        start = self._file.tell()
        content = self._file.read(n_bytes)
        end = start + len(content)
        # The last piece before the bytes may reach into them.
        first = max(0, bisect.bisect_left(self._offsets, start) - 1)
        offsets = self._offsets[first : bisect.bisect_left(self._offsets, end)]
        if not offsets:
            return content
        data = bytearray(content)
        for offset in offsets:
            part = self._pieces[offset][max(0, start - offset) : end - offset]
            place = max(start, offset) - start
            data[place : place + len(part)] = part
        return bytes(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Returns where the file stands."""
        return self._file.tell()

    def close(self) -> None:
        """Leaves the file open: closing it is for who opened it."""
