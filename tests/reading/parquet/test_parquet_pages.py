"""What a page of a Parquet file unpacks to is known before it is unpacked, whatever the file's end says."""

import io
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.options import ReadOptions, parse_kept_fields
from saiten.pipelines.reading.parquet.footer import ColumnChunk, read_row_groups
from saiten.pipelines.reading.parquet.pages import read_pages
from saiten.pipelines.reading.parquet.thrift import ThriftError
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import RecordBlock
from tests.helpers.reading import checked

_MIB = 1 << 20
# Type 0, 10 bytes unpacked, 8 packed, then what makes each header one that is refused.
_START = b"\x15\x00\x15\x14\x15\x10"


def _read(path: pathlib.Path, kept: str = "") -> list[RecordBlock]:
    return checked(iter_blocks(plan_work(str(path), ReadOptions(kept_fields=parse_kept_fields(kept)))))


def _varint(number: int, length: int = 0) -> bytes:
    """Zigzag, padded to a length so that it can replace another."""
    number *= 2
    digits = [number >> shift & 127 for shift in range(0, max(number.bit_length(), 7 * length, 1), 7)]
    return bytes([digit | 128 for digit in digits[:-1]] + digits[-1:])


def _lie_about_size(content: bytes, said: int) -> bytes:
    """Replaces the unpacked sizes at the file's end."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    end = content[start:]
    group = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0)
    for size in {group.total_byte_size, group.column(0).total_uncompressed_size}:
        assert _varint(size) in end
        end = end.replace(_varint(size), _varint(said, len(_varint(size))))
    return content[:start] + end


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_headers_lead_through_the_whole_column(version: str, compression: str, dictionary: bool) -> None:
    """Between them lie as many bytes as the honest end of the file says, packed and unpacked."""
    file = io.BytesIO()
    texts = [f"文{i % 700}" for i in range(5000)]
    columns = {"text": texts, "long": [text * 500 for text in texts], "list": [[i, None] for i in range(5000)]}
    options = {"data_page_version": version, "data_page_size": 4096, "write_page_checksum": True}
    pq.write_table(pa.table(columns), file, compression=compression, use_dictionary=dictionary, **options)
    group = pq.ParquetFile(file).metadata.row_group(0)
    (own_group,) = read_row_groups(file, columns)
    assert (own_group.n_rows, len(own_group.columns)) == (5000, group.num_columns)
    for i, chunk in enumerate(own_group.columns):
        column = group.column(i)
        start = column.dictionary_page_offset or column.data_page_offset
        end = start + column.total_compressed_size
        assert chunk == ColumnChunk(column.path_in_schema, start, end, column.num_values, has_delta_strings=False)
        pages = list(read_pages(file, chunk))
        assert sum(page.n_values for page in pages) == column.num_values
        assert [page.is_dictionary for page in pages] == [dictionary, *[False] * (len(pages) - 1)]
        headers = column.total_compressed_size - sum(page.packed_bytes for page in pages)
        assert headers == column.total_uncompressed_size - sum(page.unpacked_bytes for page in pages)
        assert headers > 0


def _chunk(header: bytes) -> ColumnChunk:
    return ColumnChunk("text", 0, len(header), 1, has_delta_strings=False)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (_START, "does not end"),
        (_START + b"\x18\xff\x01", "does not end"),
        (b"\x15\x00\x15\x14\x00", "lacks a size"),
        (b"\x15\x00\x15\x13\x15\x10\x00", "no number of bytes"),
        (_START + b"\x05\x04\x14\x00", "field 2 twice"),
        (b"\x15\x00\x15\x94\x80\x80\x80\x80\x80\x01", "more than 32 bits"),
        (_START + b"\x1c" * 20, "nested too deep"),
        (_START + b"\x19" * 20, "nested too deep"),
        (_START + b"\x1b\x00", "unknown type 11"),
    ],
)
def test_a_damaged_header_is_refused(header: bytes, message: str) -> None:
    with pytest.raises(ThriftError, match=message):
        list(read_pages(io.BytesIO(header), _chunk(header)))


def test_a_header_may_be_long() -> None:
    """Statistics in it hold values of any length."""
    long = b"\x28" + bytes([0xE0, 0xD4, 0x03]) + b"x" * 60_000
    header = _START + b"\x2c\x15\x02\x15\x00\x00" + long + b"\x00"
    assert [page.n_values for page in read_pages(io.BytesIO(header), _chunk(header))] == [1]


@pytest.mark.parametrize("lies", [False, True])
def test_a_page_that_unpacks_too_far_is_refused(tmp_path: pathlib.Path, lies: bool) -> None:
    """100 MiB in a file of some kilobytes, whose end says so or not."""
    path, sink = tmp_path / "a.parquet", io.BytesIO()
    table = pa.table({"text": ["x" * 100 * _MIB]})
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False, store_schema=False)
    path.write_bytes(_lie_about_size(sink.getvalue(), 100_000) if lies else sink.getvalue())
    before = pa.default_memory_pool().bytes_allocated()
    with pytest.raises(DamagedFileError, match=r"^a\.parquet would unpack \d{4} bytes to 1048\d{5}; such a file"):
        _read(path)
    assert pa.default_memory_pool().bytes_allocated() - before < _MIB


def test_a_file_whose_headers_are_damaged_is_named(tmp_path: pathlib.Path) -> None:
    path, sink = tmp_path / "a.parquet", io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), sink)
    path.write_bytes(b"PAR1" + b"\xff" * 8 + sink.getvalue()[12:])
    with pytest.raises(DamagedFileError, match=r"^a\.parquet is a truncated or damaged Parquet file: the header of"):
        _read(path)


def test_a_constant_column_is_no_bomb(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["同じ" * 100] * 60_000}), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 36 * _MIB // 500
    assert sum(len(block.texts) for block in _read(path)) == 60_000


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_strings_written_as_differences_are_read(tmp_path: pathlib.Path, encoding: str) -> None:
    path, texts = tmp_path / "a.parquet", [f"文{i}" for i in range(3000)]
    pq.write_table(pa.table({"text": texts}), path, use_dictionary=False, column_encoding={"text": encoding})
    assert [text for block in _read(path) for text in block.texts] == texts


@pytest.mark.parametrize("encoding", [pytest.param("PLAIN_DICTIONARY", marks=pytest.mark.thorough), "DELTA_BYTE_ARRAY"])
def test_a_long_value_within_a_kept_field_is_not_unpacked_for_all_rows_at_once(
    tmp_path: pathlib.Path, encoding: str
) -> None:
    """100 rows of 8 MiB each, in a file of some kilobytes."""
    path = tmp_path / "a.parquet"
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 100), pa.array(["x" * 8 * _MIB])).cast(pa.string())
    table = pa.table({"text": ["a"] * 100, "k": pa.StructArray.from_arrays([shared], ["s"])})
    is_dictionary = encoding == "PLAIN_DICTIONARY"
    options = {"use_dictionary": True} if is_dictionary else {"column_encoding": {"k.s": encoding}}
    pq.write_table(table, path, compression="zstd", **{"use_dictionary": False, **options})
    assert path.stat().st_size < 64_000
    del shared, table
    before, peak, n_rows = pa.total_allocated_bytes(), 0, 0
    for block in iter_blocks(plan_work(str(path), ReadOptions(kept_fields=parse_kept_fields("k")))):
        peak, n_rows = max(peak, pa.total_allocated_bytes() - before), n_rows + len(block.texts)
    assert n_rows == 100
    assert peak < 600 * _MIB


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (b"\x19\xf1\xff\xff\xff\xff\x0f\x00", "does not end"),
        (b"\x18\xff\xff\xff\xff\x0f\x00", "does not end"),
        (b"\x1c" * 20, "nested too deep"),
        (b"\x49\x1c\x00\x00", "lacks what every column has"),
        (b"\x46\x02\x00", "has no list where one should be"),
    ],
    ids=["a list of billions", "a string of billions", "structs in structs", "a group without rows", "no list"],
)
def test_a_damaged_end_is_refused(end: bytes, message: str) -> None:
    """Fields that nobody needs are passed over, and must not keep a reader busy for ever."""
    file = io.BytesIO(b"PAR1" + end + len(end).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ThriftError, match=message):
        read_row_groups(file, ["text"])


def test_no_bit_of_the_files_end_ends_the_process_or_loses_a_record(tmp_path: pathlib.Path) -> None:
    """In a process of its own: pyarrow aborts one that asks it for a column with damaged statistics."""
    program = (
        "import pathlib, sys\n"
        "from saiten.model.errors import SaitenError\n"
        "from saiten.pipelines.reading.options import ReadOptions\n"
        "from saiten.pipelines.reading.plan import plan_work\n"
        "from saiten.pipelines.reading.read_range import iter_blocks\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "whole = path.read_bytes()\n"
        "start = len(whole) - 8 - int.from_bytes(whole[-8:-4], 'little')\n"
        "outcomes = set()\n"
        "for bit in range(8 * start, 8 * len(whole), 7):\n"
        "    flipped = whole[bit // 8] ^ 1 << bit % 8\n"
        "    path.write_bytes(whole[: bit // 8] + bytes([flipped]) + whole[bit // 8 + 1 :])\n"
        "    try:\n"
        "        blocks = iter_blocks(plan_work(str(path), ReadOptions()))\n"
        "        outcomes.add(sum(block.n_read for block in blocks))\n"
        "    except SaitenError:\n"
        "        outcomes.add('refused')\n"
        "print(sorted(map(str, outcomes)))\n"
    )
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"文{i}" for i in range(20)], "other": range(20)}), path, row_group_size=10)
    ended = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "['20', 'refused']\n"), ended.stderr
