"""Every record is read once and whole, however the input is cut, and none is lost whatever the bytes."""

import bz2
import gzip
import itertools
import lzma
import os
import pathlib
import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from saiten.model.errors import DamagedFileError, SaitenError
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks, read_range
from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES
from saiten.pipelines.records import MAX_RAW_BYTES, SourceSpan
from tests.helpers.reading import checked, dead_letters, read_file, rows

_IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_LINE = st.sampled_from([b"", b"a", "良い".encode(), b"\r", b"a\r", b"\xff", b"{}", b'{"text":"a"}', b'"', b"x" * 12])
_LINES = st.lists(_LINE, max_size=12).map(b"\n".join)

_COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: zstandard.ZstdCompressor(write_checksum=True).compress(content),
}


def _text_by_hand(content: bytes, limit: int) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The rows and dead letters of plain text, found line by line."""
    good, bad, position = [], [], 0
    for line in content.split(b"\n")[: None if content and not content.endswith(b"\n") else -1]:
        record = line.removesuffix(b"\r")
        try:
            if len(record) > limit:
                bad.append((position, "TOO_LARGE"))
            else:
                good.append((position, record.decode()))
        except UnicodeDecodeError:
            bad.append((position, "BAD_UTF8"))
        position += len(line) + 1
    return good, bad


@given(_LINES, st.integers(1, 40), st.integers(1, 12))
@_IN_ONE_FOLDER
@example(b"a\nb", 2, 10)
def test_cuts_do_not_change_text_records(tmp_path: pathlib.Path, content: bytes, target: int, limit: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    plan = plan_work(str(path), ReadOptions(max_record_bytes=limit), target)
    bounds = [(piece.start, piece.end) for work in plan.ranges for piece in work.slices]
    assert [0, *(end for _, end in bounds)] == [*(start for start, _ in bounds), len(content)]
    assert max(end - start for start, end in bounds) <= target
    blocks = checked(iter_blocks(plan))
    good, bad = _text_by_hand(content, limit)
    assert [(position, text) for _, position, _, text in rows(blocks)] == good
    assert [(letter.position, letter.code) for letter in dead_letters(blocks)] == bad
    assert sum(block.n_bytes for block in blocks) == len(content)


@given(_LINES, st.integers(1, 40), st.sampled_from([16, 17, 1000]))
@_IN_ONE_FOLDER
def test_cuts_do_not_change_json_records(tmp_path: pathlib.Path, content: bytes, target: int, limit: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"first"}\n' + content.replace(b"xx", b"xxxxx"))
    options = ReadOptions(max_record_bytes=limit)
    whole = checked(iter_blocks(plan_work(str(path), options, 1_000_000)))
    cut = checked(iter_blocks(plan_work(str(path), options, target)))
    assert rows(cut) == rows(whole)
    assert dead_letters(cut) == dead_letters(whole)


@pytest.mark.parametrize(
    ("ending", "encoding"),
    [
        *itertools.product(["txt", "jsonl", "csv", "tsv"], ["utf-8", "cp932", "euc_jp", "utf-16"]),
        *itertools.product(["txt", "jsonl"], ["iso2022_jp"]),
    ],
)
@given(content=st.one_of(st.binary(max_size=200), _LINES), limit=st.integers(1, 50))
@settings(parent=_IN_ONE_FOLDER, max_examples=25)
def test_no_bytes_are_beyond_reading(
    tmp_path: pathlib.Path, ending: str, encoding: str, content: bytes, limit: int
) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"text,id\n" + content)
    options = ReadOptions(encoding=encoding, id_field="id", kept_fields=(KeptField("id"),), max_record_bytes=limit)
    blocks = read_file(path, options)
    positions = [row[1] for row in rows(blocks)] + [letter.position for letter in dead_letters(blocks)]
    assert len(set(positions)) == len(positions) == sum(block.n_read for block in blocks)
    for _, _, record_id, text in rows(blocks):
        assert text.encode().decode() == text
        assert record_id.encode().decode() == record_id
    if ending in ("csv", "tsv"):
        assert sorted(positions) == list(range(len(positions)))
    assert sum(block.n_bytes for block in blocks) == path.stat().st_size


def test_reading_twice_gives_the_same_blocks(tmp_path: pathlib.Path) -> None:
    """A step that is retried must not make other blocks."""
    path = tmp_path / "a.txt"
    path.write_bytes("良い\n悪い\n".encode() * 20_000)
    (work,) = plan_work(str(path), ReadOptions()).ranges
    assert list(read_range(work, ReadOptions())) == list(read_range(work, ReadOptions()))


def test_blocks_are_bounded_and_the_last_says_so(tmp_path: pathlib.Path) -> None:
    (tmp_path / "long.txt").write_bytes((b"x" * 99_999 + b"\n") * 50)
    (tmp_path / "short.txt").write_bytes(b"y\n" * (BLOCK_RECORDS * 3))
    (work,) = plan_work(str(tmp_path), ReadOptions(), 100_000_000).ranges
    blocks = checked(read_range(work, ReadOptions()))
    assert [block.is_last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    assert all(0 < len(block.texts) <= BLOCK_RECORDS for block in blocks)
    assert all(sum(map(len, block.raw_records)) <= CHUNK_BYTES + 100_000 for block in blocks)
    assert [len(rows(blocks)), len({row[:2] for row in rows(blocks)})] == [50 + BLOCK_RECORDS * 3] * 2


def test_blocks_of_an_archive_are_bounded_by_what_they_unpack_to(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress((b"x" * 99_999 + b"\n") * 50))
    blocks = checked(iter_blocks(plan_work(str(path), ReadOptions())))
    assert sum(len(block.texts) for block in blocks) == 50
    assert all(sum(map(len, block.raw_records)) <= CHUNK_BYTES + 100_000 for block in blocks)


def test_small_files_share_a_block_and_empty_ones_are_counted(tmp_path: pathlib.Path) -> None:
    for name, content in (("a.txt", b"1\n2\n"), ("b.txt", b""), ("c.jsonl", b'{"text":"3"}\n')):
        (tmp_path / name).write_bytes(content)
    (block,) = checked(iter_blocks(plan_work(str(tmp_path), ReadOptions())))
    assert [(span.source, span.n_read, span.n_rows) for span in block.spans] == [
        ("a.txt", 2, 2),
        ("b.txt", 0, 0),
        ("c.jsonl", 1, 1),
    ]
    assert rows([block]) == [
        ("a.txt", 0, "a.txt:0", "1"),
        ("a.txt", 2, "a.txt:2", "2"),
        ("c.jsonl", 0, "c.jsonl:0", "3"),
    ]


def test_a_range_without_records_has_one_last_block(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    (block,) = iter_blocks(plan_work(str(tmp_path), ReadOptions(kept_fields=(KeptField("x"),))))
    assert (block.is_last, list(block.texts), block.spans) == (True, [], (SourceSpan("a.jsonl", 0, 0),))
    assert [str(column.type) for column in block.kept_fields] == ["string"]


def test_a_dead_letter_has_the_head_and_the_true_length(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ok\n" + b"x" * 200_000 + b"\n")
    (block,) = read_file(path, ReadOptions(max_record_bytes=100_000))
    (letter,) = block.dead_letters
    assert (letter.raw, letter.raw_bytes, letter.id) == (b"x" * MAX_RAW_BYTES, 200_000, "a.txt:3")
    assert letter.message == "The record has 200000 bytes; at most 100000 are read."


@pytest.mark.parametrize("change", ["grown", "touched"])
def test_a_file_changed_after_planning_is_named(tmp_path: pathlib.Path, change: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n")
    plan = plan_work(str(path), ReadOptions())
    if change == "grown":
        path.write_bytes(b"a\nb\n")
    else:
        os.utime(path, (1, 1))
    with pytest.raises(DamagedFileError, match=r"^a\.txt was changed after the run began"):
        list(iter_blocks(plan))


def test_a_file_changed_while_it_is_read_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" * 10_000)
    blocks = iter_blocks(plan_work(str(path), ReadOptions()))
    next(blocks)
    os.utime(path, (1, 1))
    with pytest.raises(DamagedFileError, match=r"^a\.txt was changed after the run began"):
        list(blocks)


def test_a_file_gone_after_planning_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n")
    plan = plan_work(str(path), ReadOptions())
    path.unlink()
    with pytest.raises(SaitenError, match=r"^a\.txt cannot be read: No such file"):
        list(iter_blocks(plan))


def _mutations(whole: bytes, count: int) -> Iterator[bytes]:
    """Whole files cut, or flipped in one bit, at a random place."""
    rng = random.Random(7)
    for i in range(count):
        place = rng.randrange(len(whole))
        if i % 2:
            yield whole[:place]
        else:
            yield whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]


@pytest.mark.parametrize("ending", list(_COMPRESSIONS))
def test_a_mutated_archive_never_loses_records(tmp_path: pathlib.Path, ending: str) -> None:
    path = tmp_path / f"a.txt.{ending}"
    rng = random.Random(3)
    lines = b"".join(b"%d\n" % rng.randrange(10**9) for _ in range(500))
    refused = 0
    for content in _mutations(_COMPRESSIONS[ending](lines), 20):
        path.write_bytes(content)
        try:
            found = rows(iter_blocks(plan_work(str(path), ReadOptions())))
        except DamagedFileError:
            refused += 1
        else:
            assert len(found) == 500
    assert refused >= 15


@pytest.mark.parametrize("ending", list(_COMPRESSIONS))
def test_a_bomb_does_not_fill_the_memory(tmp_path: pathlib.Path, ending: str) -> None:
    """60 MB of zeros without a line end, packed into some kilobytes."""
    path = tmp_path / f"a.txt.{ending}"
    path.write_bytes(_COMPRESSIONS[ending](bytes(60_000_000)))
    tracemalloc.start()
    try:
        (block,) = read_file(path, ReadOptions(max_record_bytes=1_000_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(letter.code, letter.raw_bytes) for letter in block.dead_letters] == [("TOO_LARGE", 60_000_000)]
    assert peak < 12_000_000
