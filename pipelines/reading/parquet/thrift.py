"""Thrift's compact protocol, in which Parquet writes what it says of itself: one struct from bytes that may lie.

Fields that stand twice, and numbers beyond their type, are refused: readers do not agree on them.
Source: thrift-compact-protocol.md of Apache.
"""

import itertools
from collections.abc import Iterator

_MAX_DEPTH = 8

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_BITS = {_I16: 16, _I32: 32, _I64: 64}

# The values of a struct by the numbers of its fields: numbers, bytes, lists and structs.
Struct = dict[int, object]


class ThriftError(ValueError):
    """What stands there is no struct, or not the one it should be."""


class Compact:
    """Reads structs of Thrift's compact protocol one after the other; an IndexError says that the bytes end first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def read_struct(self, depth: int = 0) -> Struct:
        """Returns a struct, with all that is in it."""
        return {number: self.read(kind, depth) for number, kind in self.fields()}

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yields number and kind of each field of a struct; the caller has to `read` it before the next."""
        seen, number = set[int](), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer(16)
            if number in seen or number >= 1 << 15:
                raise ThriftError(f"has its field {number} twice, or no such field")
            seen.add(number)
            yield number, head & 15

    def items(self, kind: int) -> Iterator[int]:
        """Yields the kind of each item of a list; the caller has to read it before the next."""
        if kind not in (_LIST, _SET):
            raise ThriftError("has no list where one should be")
        head = self._byte()
        yield from itertools.repeat(head & 15, head >> 4 if head >> 4 < 15 else self._varint(32))

    def read(self, kind: int, depth: int = 0) -> object:
        """Returns the value of a field."""
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        return self._item(kind, depth)

    def _item(self, kind: int, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise ThriftError("is nested too deep")
        if kind in _BITS:
            return self._integer(_BITS[kind])
        if kind in (_TRUE, _FALSE, _BYTE):  # in a list they take a byte
            return self._byte()
        if kind == _BINARY:
            return self._bytes(self._varint(32))
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (_LIST, _SET):
            return [self._item(item_kind, depth + 1) for item_kind in self.items(kind)]
        if kind == _STRUCT:
            return self.read_struct(depth + 1)
        raise ThriftError(f"has a field of the unknown type {kind}")

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
                raise ThriftError(f"has a number of more than {bits} bits")
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
