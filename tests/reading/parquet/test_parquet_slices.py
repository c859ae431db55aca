"""A slice of a row group has its own rows, and costs little of what the rows before it would."""

import io
import pathlib
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.options import ReadOptions, parse_kept_fields
from saiten.pipelines.reading.parquet.footer import read_row_groups
from saiten.pipelines.reading.parquet.pages import Page, read_pages
from saiten.pipelines.reading.parquet.skipping import LaidOver
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import read_range
from saiten.pipelines.records import RecordBlock
from tests.helpers.reading import checked

_ROWS = 4000
_KEPT = "number,flag,tags,place"


def _table(*, nullable: bool) -> pa.Table:
    texts = [None if nullable and i % 7 == 0 else f"文{i % 900}" * (1 + i % 40) for i in range(_ROWS)]
    columns: Mapping[str, tuple[list[object], pa.DataType]] = {
        "text": (texts, pa.string()),
        "id": ([f"id-{i}" for i in range(_ROWS)], pa.large_string()),
        "number": (list(range(_ROWS)), pa.int64()),
        "flag": ([i % 3 == 0 for i in range(_ROWS)], pa.bool_()),
        "tags": ([[f"t{i}", "x"][: i % 3] for i in range(_ROWS)], pa.list_(pa.string())),
        "place": ([{"city": f"c{i}"} for i in range(_ROWS)], pa.struct([("city", pa.string())])),
    }
    schema = pa.schema([pa.field(name, type_, nullable) for name, (_, type_) in columns.items()])
    return pa.table([pa.array(values, type_) for values, type_ in columns.values()], schema)


def _ranges(path: pathlib.Path, n_workers: int) -> list[list[RecordBlock]]:
    options = ReadOptions(id_field="id", kept_fields=parse_kept_fields(_KEPT))
    plan = plan_work(str(path), options, target_range_bytes=1000, n_workers=n_workers)
    return [checked(read_range(work_range, plan.options)) for work_range in plan.ranges]


def _contents(ranges: list[list[RecordBlock]]) -> list[object]:
    blocks = [block for blocks in ranges for block in blocks]
    kept = [list(zip(*(column.to_pylist() for column in block.kept_fields), strict=True)) for block in blocks]
    rows = [
        row
        for block, fields in zip(blocks, kept, strict=True)
        for row in zip(block.positions, block.ids, block.texts, fields, strict=True)
    ]
    letters = [(letter.position, letter.code, letter.raw) for block in blocks for letter in block.dead_letters]
    return [rows, letters, sum(block.n_read for block in blocks), sum(block.n_bytes for block in blocks)]


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("compression", ["none", pytest.param("snappy", marks=pytest.mark.thorough), "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(
    "encoding", [{"use_dictionary": True}, {"use_dictionary": False}, "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]
)
def test_rows_do_not_depend_on_the_slices(
    tmp_path: pathlib.Path, encoding: dict[str, object] | str, version: str, compression: str, nullable: bool
) -> None:
    """Of each kind of page, with dictionaries that are given up midway, of columns with and without nulls."""
    path = tmp_path / "a.parquet"
    delta = {"use_dictionary": False, "column_encoding": {"text": encoding, "id": encoding}}
    options = delta if isinstance(encoding, str) else encoding
    pq.write_table(
        _table(nullable=nullable),
        path,
        compression=compression,
        data_page_version=version,
        data_page_size=2000,
        dictionary_pagesize_limit=20_000,
        write_batch_size=50,
        write_page_checksum=True,
        **options,
    )
    whole, cut = _ranges(path, 1), _ranges(path, 9)
    assert (len(whole), len(cut)) == (1, 20)
    assert _contents(cut) == _contents(whole)
    assert _contents(cut)[2] == _ROWS


def _text_pages(path: pathlib.Path) -> list[Page]:
    with path.open("rb") as file:
        (group,) = read_row_groups(file, ["text"])
        return list(read_pages(file, group.columns[0]))


@pytest.mark.parametrize("nullable", [True, False])
def test_pages_before_a_slice_are_not_unpacked(tmp_path: pathlib.Path, nullable: bool) -> None:
    """Damage in one costs only the slice whose rows it holds: the others never look at it."""
    path = tmp_path / "a.parquet"
    table = _table(nullable=nullable)
    pq.write_table(table, path, data_page_size=2000, write_batch_size=50, use_dictionary=False, compression="zstd")
    whole = _contents(_ranges(path, 1))[0]
    page = _text_pages(path)[1]
    content = bytearray(path.read_bytes())
    content[page.end - page.packed_bytes : page.end] = bytes(page.packed_bytes)
    path.write_bytes(content)
    options = ReadOptions(id_field="id", kept_fields=parse_kept_fields(_KEPT))
    plan = plan_work(str(path), options, target_range_bytes=1000, n_workers=2)
    first, *others = plan.ranges
    with pytest.raises(DamagedFileError, match=r"^a\.parquet is a truncated or damaged Parquet file"):
        checked(read_range(first, plan.options))
    n_first = first.slices[0].end
    assert n_first == _ROWS // 4
    assert _contents([checked(read_range(work, plan.options)) for work in others])[0] == [
        row for row in whole if row[0] >= n_first
    ]


@given(data=st.data())
def test_bytes_are_laid_over_wherever_a_read_begins_and_ends(data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=1, max_size=60))
    pieces: dict[int, bytes] = {}
    place = 0
    for gap, piece in data.draw(st.lists(st.tuples(st.integers(0, 9), st.binary(min_size=1, max_size=9)), max_size=6)):
        if place + gap + len(piece) <= len(content):
            pieces[place + gap] = piece
            place += gap + len(piece)
    expected = bytearray(content)
    for offset, piece in pieces.items():
        expected[offset : offset + len(piece)] = piece
    file = LaidOver(io.BytesIO(content), pieces)
    start, n_bytes = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, len(content)))
    assert file.seek(start) == file.tell() == start
    assert file.read(n_bytes) == expected[start : start + n_bytes]
    assert file.tell() == min(len(content), start + n_bytes)
    assert file.read() == expected[start + n_bytes :]
