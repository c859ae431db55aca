"""Parquet files cannot fill the memory, nor lose rows."""

import io
import pathlib
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import DamagedFileError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES
from tests.helpers.reading import checked, rows


@pytest.mark.parametrize("target", [1, 3000, 10_000_000])
def test_ranges_do_not_change_rows(tmp_path: pathlib.Path, target: int) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"文{i}" for i in range(5000)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=777)
    plan = plan_work(str(path), ReadOptions(), target)
    blocks = checked(iter_blocks(plan))
    assert rows(blocks) == [("a.parquet", i, f"a.parquet:{i}", text) for i, text in enumerate(texts)]
    assert all(len(block.texts) <= BLOCK_RECORDS for block in blocks)
    assert sum(block.n_bytes for block in blocks) == plan.total_bytes == path.stat().st_size


def test_a_value_that_many_rows_share_does_not_fill_a_block(tmp_path: pathlib.Path) -> None:
    """500 rows of 1 MB, packed into one page of a dictionary."""
    path = tmp_path / "a.parquet"
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 500, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"text": shared.cast(pa.dictionary(pa.int32(), pa.string()))}), path, store_schema=False)
    assert path.stat().st_size < 2_000_000
    before = pa.total_allocated_bytes()
    n_rows = peak = 0
    for block in iter_blocks(plan_work(str(path), ReadOptions())):
        assert sum(map(len, block.raw_records)) <= 2 * CHUNK_BYTES
        n_rows += len(block.texts)
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert n_rows == 500
    assert peak < 64_000_000


def test_long_texts_come_in_small_blocks(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    texts = ["s"] * 3000 + [str(i) * 300_000 for i in range(10)]
    pq.write_table(pa.table({"text": texts}), path, use_dictionary=False)
    blocks = checked(iter_blocks(plan_work(str(path), ReadOptions())))
    assert [row[3] for row in rows(blocks)] == texts
    assert all(sum(map(len, block.raw_records)) <= 2 * CHUNK_BYTES for block in blocks)


def test_a_column_that_unpacks_too_far_is_refused(tmp_path: pathlib.Path) -> None:
    """1.1 GB announced by a file of some kilobytes; it is not unpacked to find out."""
    path = tmp_path / "a.parquet"
    zeros = pa.array([bytes(11_000_000)], pa.binary())
    with pq.ParquetWriter(path, pa.schema({"text": pa.binary()}), compression="zstd", use_dictionary=False) as writer:
        writer.write_table(pa.table({"text": pa.chunked_array([zeros] * 100)}), row_group_size=100)
    with pytest.raises(
        DamagedFileError, match=r"^a\.parquet would unpack \d+ bytes to 11\d{8}; such a file is not read"
    ):
        list(iter_blocks(plan_work(str(path), ReadOptions())))


def test_a_mutated_file_never_loses_rows(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    rng = random.Random(5)
    file = io.BytesIO()
    texts = [str(rng.randrange(10**9)) for _ in range(500)]
    pq.write_table(pa.table({"text": texts}), file, row_group_size=100, write_page_checksum=True)
    whole, refused = file.getvalue(), 0
    for i in range(20):
        place = rng.randrange(len(whole))
        flipped = whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]
        path.write_bytes(whole[:place] if i % 2 else flipped)
        try:
            blocks = checked(iter_blocks(plan_work(str(path), ReadOptions())))
        except DamagedFileError:
            refused += 1
        else:
            assert sum(block.n_read for block in blocks) == 500
    assert refused >= 12
