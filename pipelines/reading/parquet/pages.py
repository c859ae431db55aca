"""The headers of a Parquet file's pages, which alone say what unpacking one will take.

The sizes at the file's end are the writer's word; what is unpacked is what stands before each page:

    column chunk   | header | packed page | header | packed page | ...

Source: parquet.thrift of Apache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from saiten.pipelines.reading.parquet.footer import ColumnChunk
from saiten.pipelines.reading.parquet.thrift import Compact, Struct, ThriftError

_HEADER_BYTES = 4096
# pyarrow takes no longer header.
_MAX_HEADER_BYTES = 16 * 1024 * 1024

_DICTIONARY_PAGE = 2
# By the kind of page: the field with the header of its data, and the field of the encoding in there.
_DATA_HEADERS = {0: (5, 2), 3: (8, 4)}
_DELTA_BYTE_ARRAY = 7


@dataclass(frozen=True)
class Page:
    """What a page's header says.

    Attributes:
        start: Its header's first byte in the file.
        end: One behind its last byte.
        n_values: Nulls included; 0 for a dictionary.
        shares_prefixes: A value may be written as the beginning of the one before it.
    """

    start: int
    end: int
    is_dictionary: bool
    shares_prefixes: bool
    n_values: int
    packed_bytes: int
    unpacked_bytes: int


def read_pages(file: IO[bytes], chunk: ColumnChunk) -> Iterator[Page]:
    """Yields the pages that a reader of the column will unpack, without reading them.

    Raises:
        ThriftError: A header is damaged.
    """
    position, n_values = chunk.start, 0
    if position < 0:
        raise ThriftError(f"no page starts at byte {position}")
    while n_values < chunk.n_values and position < chunk.end:
        page = _read_page(file, position, chunk.end)
        yield page
        n_values += page.n_values
        position = page.end


def _read_page(file: IO[bytes], position: int, end: int) -> Page:
    n_bytes = _HEADER_BYTES
    while True:
        file.seek(position)
        data = file.read(min(n_bytes, end - position))
        compact = Compact(data)
        try:
            return _page(compact.read_struct(), position, compact.position)
        except IndexError:
            if len(data) < n_bytes or n_bytes >= _MAX_HEADER_BYTES:
                raise ThriftError(f"the header of the page at byte {position} does not end") from None
        except ThriftError as error:
            raise ThriftError(f"the header of the page at byte {position} {error}") from None
        n_bytes *= 4


def _page(header: Struct, start: int, header_bytes: int) -> Page:
    kind, unpacked, packed = header.get(1), header.get(2), header.get(3)
    if not (isinstance(kind, int) and isinstance(unpacked, int) and isinstance(packed, int)):
        raise ThriftError("lacks a size")
    place, encoding = _DATA_HEADERS.get(kind, (0, 0))
    about = header.get(place)
    data = about if isinstance(about, dict) else {}
    n_values = data.get(1, 0)
    if not isinstance(n_values, int) or min(n_values, unpacked, packed) < 0:
        raise ThriftError("has a size that is no number of bytes or values")
    shares_prefixes = data.get(encoding) == _DELTA_BYTE_ARRAY
    end = start + header_bytes + packed
    return Page(start, end, kind == _DICTIONARY_PAGE, shares_prefixes, n_values, packed, unpacked)
