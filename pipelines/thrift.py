"""Thrift's compact protocol, in which Parquet writes what it says of itself: one struct from bytes that may lie.

Fields that stand twice, and numbers beyond their type, are refused: readers do not agree on them.
Source: thrift-compact-protocol.md of Apache.
"""

_MAX_DEPTH = 8

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_BITS = {_I16: 16, _I32: 32, _I64: 64}

# The values of a struct by the numbers of its fields: numbers, bytes, lists and structs.
Struct = dict[int, object]


class ThriftError(ValueError):
    """What stands there is no struct, or not the one it should be."""


class Compact:
    """Reads one struct of Thrift's compact protocol; an IndexError says that the bytes end before it does."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def read_struct(self, depth: int = 0) -> Struct:
        """Returns the values by field number."""
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer(16)
            if number in fields or number >= 1 << 15:
                raise ThriftError(f"has its field {number} twice, or no such field")
            kind = head & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise ThriftError("is nested too deep")
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
            return [self._value(head & 15, depth + 1) for _ in range(count)]
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
