"""Inputs in an object store are found and read as local ones are."""

import gzip
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.files import source_names
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.fake_store import FakeStore
from tests.helpers.reading import checked, rows


@pytest.fixture
def store() -> Iterator[dict[str, bytes]]:
    FakeStore.objects.update(
        {
            "memory://b/in/a.txt": b"1\n2\n",
            "memory://b/in/deep/b.txt.gz": gzip.compress(b"3\n"),
            "memory://b/in/_SUCCESS": b"",
            "memory://b/in/.tmp/c.txt": b"x\n",
            "memory://b/in/folder/": b"",
            "memory://b/other/d.txt": b"4\n",
        }
    )
    yield FakeStore.objects
    FakeStore.objects.clear()
    FakeStore.changed = 1.0


@pytest.mark.parametrize(
    ("patterns", "sources"),
    [
        ("memory://b/in", ["a.txt", "deep/b.txt.gz"]),
        ("memory://b/in/", ["a.txt", "deep/b.txt.gz"]),
        ("memory://b/in/a.txt", ["a.txt"]),
        ("memory://b/in/*.txt", ["a.txt"]),
        ("memory://b/**", ["in/a.txt", "in/deep/b.txt.gz", "other/d.txt"]),
        ("memory://b/in/a.txt, memory://b/other", ["in/a.txt", "other/d.txt"]),
    ],
)
def test_finds(store: dict[str, bytes], patterns: str, sources: list[str]) -> None:
    assert list(plan_work(patterns, ReadOptions()).files) == sources


def test_reads_ranges_archives_and_parquet(store: dict[str, bytes]) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["5"]}), file)
    store["memory://b/in/e.parquet"] = file.getvalue()
    blocks = checked(iter_blocks(plan_work("memory://b/in", ReadOptions(), 1)))
    assert rows(blocks) == [
        ("a.txt", 0, "a.txt:0", "1"),
        ("a.txt", 2, "a.txt:2", "2"),
        ("deep/b.txt.gz", 0, "deep/b.txt.gz:0", "3"),
        ("e.parquet", 0, "e.parquet:0", "5"),
    ]


def test_a_changed_object_is_named(store: dict[str, bytes]) -> None:
    plan = plan_work("memory://b/in/a.txt", ReadOptions())
    FakeStore.changed = 2.0
    with pytest.raises(DamagedFileError, match=r"^a\.txt was changed after the run began"):
        list(iter_blocks(plan))


@pytest.mark.parametrize("mark", ["_delta_log/0.json", ".hoodie/hoodie.properties", "metadata/1-a.metadata.json"])
@pytest.mark.parametrize(
    "pattern", ["t", "t/", "t/*/*.parquet", "t/**", "t/year=2026", "t/year=2026/*", "t/year=20*/*"]
)
def test_a_table_is_refused_whatever_part_of_it_is_named(store: dict[str, bytes], mark: str, pattern: str) -> None:
    """A file that is written out is read, and so are all with `--table_files`."""
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["5"]}), file)
    store["memory://b/t/year=2026/e.parquet"], store[f"memory://b/t/{mark}"] = file.getvalue(), b"{}"
    with pytest.raises(UsageError, match=r"^'memory://b/t' is an? (Delta|Hudi|Iceberg) table: its removed rows"):
        plan_work(f"memory://b/{pattern}", ReadOptions())
    if "*" not in pattern.removesuffix("/*") and "year" in pattern:
        assert list(plan_work(f"memory://b/{pattern}", ReadOptions(table_files=True)).files) == ["e.parquet"]
    assert list(plan_work("memory://b/t/year=2026/e.parquet", ReadOptions()).files) == ["e.parquet"]
    assert list(plan_work("memory://b/in", ReadOptions()).files) == ["a.txt", "deep/b.txt.gz"]


def test_nothing_there_is_named(store: dict[str, bytes]) -> None:
    with pytest.raises(UsageError, match=r"^No file matches 'memory://b/no'; check --input"):
        plan_work("memory://b/no", ReadOptions())


@pytest.mark.parametrize(
    ("paths", "sources"),
    [
        (["/a/b/c.txt"], ["c.txt"]),
        (["/a/b/c.txt", "/a/b/d.txt"], ["c.txt", "d.txt"]),
        (["/a/b/c.txt", "/a/bc/d.txt"], ["b/c.txt", "bc/d.txt"]),
        (["/a/c.txt", "/a/b/c.txt"], ["c.txt", "b/c.txt"]),
        (["/c.txt", "gs://b/c.txt"], ["/c.txt", "gs://b/c.txt"]),
        (["gs://a/c.txt", "gs://b/c.txt"], ["a/c.txt", "b/c.txt"]),
        ([], []),
    ],
)
def test_sources_start_below_the_deepest_shared_folder(paths: list[str], sources: list[str]) -> None:
    assert list(source_names(paths).values()) == sources
