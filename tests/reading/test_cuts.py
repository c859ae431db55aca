"""The records are the same however a file is cut, compressed, or ends its lines."""

import bz2
import gzip
import lzma
import pathlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from saiten.pipelines.reading.lines import decompress, row_scan
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import WorkPlan, plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked, dead_letters, rows

_IN_ONE_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    ".gz": lambda content: gzip.compress(content[:9], mtime=0) + gzip.compress(content[9:], 0, mtime=0),
    ".bz2": lambda content: bz2.compress(content[:30]) + bz2.compress(content[30:]),
    ".xz": lambda content: lzma.compress(content[:30]) + lzma.compress(content[30:]),
    ".zst": lambda content: b"".join(zstandard.compress(content[i : i + 20]) for i in range(0, len(content) + 1, 20)),
}
_PIECES = ["", "a", "良い", '"', '""', ",", "\t", "\n", "\r\n", '{"text":"a"}', '\n"', '"\n', ',"', "x" * 30]
_CONTENT = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that little content has many pieces of packed bytes, and quotes that stay open for too long."""
    monkeypatch.setattr(decompress, "INPUT_BYTES", 7)
    monkeypatch.setattr(decompress, "_OUTPUT_BYTES", 11)
    monkeypatch.setattr(row_scan, "_OPEN_QUOTE_BYTES", 60)


def _records(plan: WorkPlan) -> tuple[list[tuple[int, str]], list[tuple[int, str, str, bytes | None, int, int]]]:
    blocks = checked(iter_blocks(plan))
    assert sum(block.n_bytes for block in blocks) == plan.total_bytes
    letters = [
        (letter.position, letter.code, letter.message, letter.raw, letter.raw_bytes, letter.n_lines)
        for letter in dead_letters(blocks)
    ]
    return [(position, text) for _, position, _, text in rows(blocks)], letters


@pytest.mark.parametrize("packing", list(_PACKERS))
@pytest.mark.parametrize("ending", ["txt", "jsonl", "csv", "tsv"])
@given(
    content=_CONTENT,
    encoding=st.sampled_from(["utf-8", "cp932", "utf-16"]),
    quoting=st.sampled_from(["auto", "csv", "none"]),
    target=st.integers(1, 60),
    limit=st.sampled_from([5, 40, 1000]),
)
@settings(parent=_IN_ONE_FOLDER)
@example('1,"\n2,a\n3,"\n4,b\n', "utf-8", "csv", 3, 1000)
def test_cuts_and_compression_do_not_change_records(
    tmp_path: pathlib.Path,
    ending: str,
    packing: str,
    content: str,
    encoding: str,
    quoting: str,
    target: int,
    limit: int,
) -> None:
    header = {"csv": "id,text\n", "tsv": "text\n", "jsonl": '{"text":"first"}\n'}.get(ending, "\n")
    whole, cut = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}{packing}"
    whole.write_bytes((header + content).encode(encoding))
    cut.write_bytes(_PACKERS[packing](whole.read_bytes()))
    options = ReadOptions(encoding=encoding, quoting=quoting, max_record_bytes=limit)
    plan = plan_work(str(cut), options, target, n_workers=3)
    slices = [piece for work in plan.ranges for piece in work.slices]
    assert [0, *(piece.end for piece in slices)] == [*(piece.start for piece in slices), cut.stat().st_size]
    assert _records(plan) == _records(plan_work(str(whole), options, 1_000_000))


@pytest.mark.parametrize("ending", ["txt", "jsonl", "csv", "tsv"])
@pytest.mark.parametrize("packing", ["", ".gz"])
def test_a_large_file_is_cut_into_shares_that_are_about_equal(
    tmp_path: pathlib.Path, ending: str, packing: str
) -> None:
    lines = {"csv": 'text\n"良い\n本"\n' + "a\n" * 300, "tsv": "text\n" + '"a\n' * 300}.get(
        ending, '{"text":1}\n' * 300
    )
    path = tmp_path / f"a.{ending}{packing}"
    path.write_bytes(gzip.compress(lines.encode(), 0) if packing else lines.encode())
    plan = plan_work(str(path), ReadOptions(), 20, n_workers=4)
    counts = [sum(block.n_read for block in iter_blocks(WorkPlan(plan.options, {}, (work,)))) for work in plan.ranges]
    assert len(counts) >= 8
    assert sum(counts) in (300, 301)
    assert max(counts) <= 3 * sum(counts) / len(counts)


@given(
    n_rows=st.lists(st.integers(0, 50), min_size=1, max_size=4),
    target=st.integers(1, 300),
    n_workers=st.integers(1, 4),
    dictionary=st.booleans(),
)
@settings(parent=_IN_ONE_FOLDER)
@example([0], 1, 2, False)
@example([0, 1, 0, 2, 0], 1, 2, False)
def test_cuts_within_row_groups_do_not_change_rows(
    tmp_path: pathlib.Path, n_rows: list[int], target: int, n_workers: int, dictionary: bool
) -> None:
    path = tmp_path / "a.parquet"
    texts = [None if i % 7 == 0 else f"文{i}" for i in range(sum(n_rows))]
    with pq.ParquetWriter(path, pa.schema({"text": pa.string()}), use_dictionary=dictionary) as writer:
        for i, n in enumerate(n_rows):
            writer.write_table(pa.table({"text": pa.array(texts[sum(n_rows[:i]) :][:n], pa.string())}))
    plan = plan_work(str(path), ReadOptions(), target, n_workers=n_workers)
    slices = [piece for work in plan.ranges for piece in work.slices]
    assert [0, *(piece.end for piece in slices)] == [*(piece.start for piece in slices), len(texts)]
    good, bad = _records(plan)
    assert good == [(i, text) for i, text in enumerate(texts) if text is not None]
    assert [position for position, *_ in bad] == [i for i, text in enumerate(texts) if text is None]
