"""What links lead to is read once, and as what it is."""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked, rows


def test_a_file_that_is_called_by_its_hash_is_read_by_the_name_of_its_link(tmp_path: pathlib.Path) -> None:
    """As caches of downloads have it; by its own name its header and rows would be lines of text."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "blobs" / "0123abcd").write_bytes(b"text,n\na,1\n")
    (tmp_path / "snapshots" / "train.csv").symlink_to("../blobs/0123abcd")
    blocks = checked(iter_blocks(plan_work(str(tmp_path), ReadOptions())))
    assert rows(blocks) == [("train.csv", 0, "train.csv:0", "a")]


@pytest.mark.parametrize("mark", ["_delta_log/0.json", ".hoodie/hoodie.properties", "metadata/1-a.metadata.json"])
@pytest.mark.parametrize("pattern", ["link", "link/*.parquet", "above", "above/*/*.parquet"])
def test_a_link_into_a_table_is_refused_as_the_table_is(tmp_path: pathlib.Path, mark: str, pattern: str) -> None:
    part = tmp_path / "table" / "year=2026"
    part.mkdir(parents=True)
    pq.write_table(pa.table({"text": ["a"]}), part / "a.parquet")
    (tmp_path / "table" / mark).parent.mkdir()
    (tmp_path / "table" / mark).write_bytes(b"{}")
    (tmp_path / "link").symlink_to(part)
    (tmp_path / "above").mkdir()
    (tmp_path / "above" / "part").symlink_to(part)
    with pytest.raises(
        UsageError, match=r"/table' is an? (Delta|Hudi|Iceberg) table: its removed rows would be scored"
    ):
        plan_work(str(tmp_path / pattern), ReadOptions())
    blocks = checked(iter_blocks(plan_work(str(tmp_path / pattern), ReadOptions(table_files=True))))
    assert [text for *_, text in rows(blocks)] == ["a"]
