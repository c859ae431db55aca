"""The headers of a Parquet file's pages, which alone say what unpacking one will take.

The sizes at the file's end are the writer's word; what is unpacked is what stands before each page:

    column chunk   | header | packed page | header | packed page | ...

A header is a Thrift struct in the compact protocol. Fields that stand twice, and numbers beyond their type, are
refused: readers do not agree on them. Sources: parquet.thrift and thrift-compact-protocol.md of Apache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

_HEADER_BYTES = 4096
# pyarrow takes no longer header.
_MAX_HEADER_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 8

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_BITS = {_I16: 16, _I32: 32, _I64: 64}
_DICTIONARY_PAGE = 2
# By the kind of page: the field with the header of its data, and the field of the encoding in there.
_DATA_HEADERS = {0: (5, 2), 3: (8, 4)}
_DELTA_BYTE_ARRAY = 7


class PageHeaderError(ValueError):
    """What stands where a page should start is no header of a page."""


@dataclass(frozen=True)
class Page:
    """What a page's header says.

    Attributes:
        n_values: Nulls included; 0 for a dictionary.
        shares_prefixes: A value may be written as the beginning of the one before it.
    """

    is_dictionary: bool
    shares_prefixes: bool
    n_values: int
    packed_bytes: int
    unpacked_bytes: int


class Chunk(NamedTuple):
    """Where a column of a row group lies in the file, and how many values it has."""

    start: int
    end: int
    n_values: int


def read_pages(file: IO[bytes], chunk: Chunk) -> Iterator[Page]:
    """Yields the pages that a reader of the column will unpack, without reading them.

    Raises:
        PageHeaderError: A header is damaged.
    """
    position, n_values = chunk.start, 0
    if position < 0:
        raise PageHeaderError(f"no page starts at byte {position}")
    while n_values < chunk.n_values and position < chunk.end:
        page, header_bytes = _read_page(file, position, chunk.end)
        yield page
        n_values += page.n_values
        position += header_bytes + page.packed_bytes


def _read_page(file: IO[bytes], position: int, end: int) -> tuple[Page, int]:
    """Returns a page and how long its header is."""
    n_bytes = _HEADER_BYTES
    while True:
        file.seek(position)
        data = file.read(min(n_bytes, end - position))
        compact = _Compact(data)
        try:
            return _page(compact.read_struct()), compact.position
        except IndexError:
            if len(data) < n_bytes or n_bytes >= _MAX_HEADER_BYTES:
                raise PageHeaderError(f"the header of the page at byte {position} does not end") from None
        except PageHeaderError as error:
            raise PageHeaderError(f"the header of the page at byte {position} {error}") from None
        n_bytes *= 4


def _page(header: dict[int, object]) -> Page:
    kind, unpacked, packed = header.get(1), header.get(2), header.get(3)
    if not (isinstance(kind, int) and isinstance(unpacked, int) and isinstance(packed, int)):
        raise PageHeaderError("lacks a size")
    place, encoding = _DATA_HEADERS.get(kind, (0, 0))
    about = header.get(place)
    data = about if isinstance(about, dict) else {}
    n_values = data.get(1, 0)
    if not isinstance(n_values, int) or min(n_values, unpacked, packed) < 0:
        raise PageHeaderError("has a size that is no number of bytes or values")
    return Page(kind == _DICTIONARY_PAGE, data.get(encoding) == _DELTA_BYTE_ARRAY, n_values, packed, unpacked)


class _Compact:
    """Reads one struct of Thrift's compact protocol; an IndexError says that the bytes end before it does."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def read_struct(self, depth: int = 0) -> dict[int, object]:
        """Returns the values by field number."""
        fields: dict[int, object] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer(16)
            if number in fields or number >= 1 << 15:
                raise PageHeaderError(f"has its field {number} twice, or no such field")
            kind = head & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise PageHeaderError("is nested too deep")
        if kind in _BITS:
            return self._integer(_BITS[kind])
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _BINARY:
            return self._bytes(self._varint(32))
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint(32)
            for _ in range(count):
                self._value(head & 15, depth + 1)
            return None
        if kind == _STRUCT:
            return self.read_struct(depth + 1)
        raise PageHeaderError(f"has a field of the unknown type {kind}")

    def _integer(self, bits: int) -> int:
        number = self._varint(bits)
        return (number >> 1) ^ -(number & 1)

    def _varint(self, bits: int) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if number >> bits:
                raise PageHeaderError(f"has a number of more than {bits} bits")
            if byte < 128:
                return number

    def _byte(self) -> int:
        self.position += 1
        return self._data[self.position - 1]

    def _bytes(self, count: int) -> bytes:
        self.position += count
        if self.position > len(self._data):
            raise IndexError
        return self._data[self.position - count : self.position]
