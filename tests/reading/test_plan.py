"""The plan covers all input once, and refuses early what cannot work."""

import os
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from tests.helpers.scoring import score


def _write(folder: pathlib.Path, **contents: bytes) -> None:
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _sources(patterns: str | pathlib.Path) -> list[str]:
    return list(plan_work(str(patterns), ReadOptions()).files)


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    _write(
        tmp_path,
        a_dot_txt=b"1\n",
        b_dot_log=b"2\n",
        deep__er__c_dot_txt=b"3\n",
        _SUCCESS=b"",
        _dot_hidden=b"x\n",
        _tmp__d_dot_txt=b"x\n",
        other__e_dot_txt=b"4\n",
    )
    return tmp_path


def test_a_directory_is_all_that_is_below_it_but_hidden_names(tree: pathlib.Path) -> None:
    assert _sources(tree) == ["a.txt", "b.log", "deep/er/c.txt", "other/e.txt"]
    assert _sources(f"{tree}/") == _sources(tree)


@pytest.mark.parametrize(
    ("patterns", "sources"),
    [
        ("{}/*.txt", ["a.txt"]),
        ("{}/**/*.txt", ["a.txt", "deep/er/c.txt", "other/e.txt"]),
        ("{}/*", ["a.txt", "b.log", "deep/er/c.txt", "other/e.txt"]),
        ("{}/[ab].*", ["a.txt", "b.log"]),
        ("{}/_tmp", ["d.txt"]),
        ("{}/.hid*", [".hidden"]),
        ("{0}/deep, {0}/other/e.txt,", ["deep/er/c.txt", "other/e.txt"]),
        ("{0}/a.txt,{0}/../{1}/a.txt,{0}/*.txt", ["a.txt"]),
        ("file://{}/a.txt", ["a.txt"]),
    ],
)
def test_patterns(tree: pathlib.Path, patterns: str, sources: list[str]) -> None:
    assert _sources(patterns.format(tree, tree.name)) == sources


def test_a_name_with_commas_and_wildcards_is_taken_as_it_is(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a,b[1]*.txt").write_bytes(b"1\n")
    assert _sources(tmp_path / "a,b[1]*.txt") == ["a,b[1]*.txt"]


def test_relative_paths_become_absolute(tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers may run in another directory."""
    monkeypatch.chdir(tree)
    assert [file.path for file in plan_work("a.txt", ReadOptions()).files.values()] == [str(tree / "a.txt")]


def test_a_name_that_is_no_utf8_has_a_source_that_is(tmp_path: pathlib.Path) -> None:
    """As files from Japanese Windows often have."""
    with open(os.fsencode(tmp_path) + b"/\x95\x5c.txt", "wb") as file:
        file.write(b"1\n")
    assert _sources(tmp_path) == ["\\x95\\.txt"]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ("{}/no.txt", "No file matches '{}/no.txt'; check --input for a misspelt name or an empty directory."),
        ("{0}/a.txt,{0}/*.csv", "No file matches '{}/*.csv'; check --input for a misspelt name or an empty directory."),
        ("{}/pipe", "'{}/pipe' is no regular file; copy what comes from it into a file first."),
        ("{}/dangling", "'{}/dangling' cannot be read: No such file or directory."),
        (" , ", "--input is empty: ' , '; name a file, a directory or a glob."),
    ],
)
def test_what_cannot_be_read_is_named(tree: pathlib.Path, patterns: str, message: str) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "dangling").symlink_to(tree / "nothing")
    with pytest.raises(UsageError) as raised:
        plan_work(patterns.format(tree), ReadOptions())
    assert str(raised.value) == message.format(tree)


def test_an_unknown_file_system_is_named() -> None:
    with pytest.raises(UsageError, match=r"^'nowhere://bucket/a\.txt' cannot be read: Unable to get filesystem"):
        plan_work("nowhere://bucket/a.txt", ReadOptions())


def test_an_empty_directory_is_no_input(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="No file matches"):
        plan_work(str(tmp_path), ReadOptions())


def test_the_same_files_give_the_same_plan(tree: pathlib.Path) -> None:
    assert plan_work(str(tree), ReadOptions(), 3) == plan_work(f"{tree}/other,{tree}/*", ReadOptions(), 3)


def test_one_worker_spends_nothing_on_cuts(tmp_path: pathlib.Path) -> None:
    content = b'{"text":"a"}\n' * 100
    _write(tmp_path, a_dot_txt=content, b_dot_jsonl=content, c_dot_csv=b"text\n" + content, d_dot_log=content)
    plan = plan_work(str(tmp_path), ReadOptions(), 100)
    pieces = [piece for work in plan.ranges for piece in work.slices]
    assert {piece.source: sum(other.source == piece.source for other in pieces) for piece in pieces} == {
        "a.txt": 16,
        "b.jsonl": 16,
        "c.csv": 1,
        "d.log": 16,
    }
    assert [work.index for work in plan.ranges] == list(range(len(plan.ranges)))
    several = plan_work(f"{tmp_path}/c.csv", ReadOptions(), 100, n_workers=4)
    assert len(several.ranges) == 16


@pytest.mark.parametrize(
    ("n_workers", "block_mib", "n_ranges"),
    [(2, 0.5, 16), (2, 8, 8), (2, 16, 4), (8, 8, 16)],
    ids=["small blocks", "a range holds a block", "larger blocks", "but no worker may be without work"],
)
def test_ranges_go_by_what_is_scored_at_once(
    tmp_path: pathlib.Path, n_workers: int, block_mib: float, n_ranges: int
) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\n" * (15 << 20))
    block_bytes = int(block_mib * (1 << 20))
    plan = plan_work(str(tmp_path / "a.txt"), ReadOptions(), n_workers=n_workers, block_bytes=block_bytes)
    assert len(plan.ranges) == n_ranges


def test_parquet_is_cut_between_row_groups(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{i:02}" for i in range(70)]}), path, row_group_size=10)
    with pq.ParquetFile(path) as file:
        size = file.metadata.row_group(0).total_byte_size
    plan = plan_work(str(path), ReadOptions(), 2 * size + 10)
    pieces = [piece for work in plan.ranges for piece in work.slices]
    assert [(piece.start, piece.end) for piece in pieces] == [(0, 20), (20, 40), (40, 60), (60, 70)]


def test_a_large_row_group_is_cut_by_rows_for_several_workers(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{i:02}" for i in range(70)]}), path)
    assert len(plan_work(str(path), ReadOptions(), 100).ranges) == 1
    pieces = [piece for work in plan_work(str(path), ReadOptions(), 100, n_workers=2).ranges for piece in work.slices]
    assert [(piece.start, piece.end) for piece in pieces] == [(0, 17), (17, 35), (35, 52), (52, 70)]


def test_an_empty_archive_is_refused_while_planning(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(b"")
    with pytest.raises(DamagedFileError, match=r"^a\.txt\.gz is empty, so it is no whole gzip file\.$"):
        plan_work(str(tmp_path), ReadOptions())


def test_an_input_below_the_output_is_refused(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A commit removes the parts of the run before it: it must not have read them."""
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    assert score(tiny_bundle, out / "scores", out, "--overwrite", "--text_field=id") == 2
    assert score(tiny_bundle, out / "scores", tmp_path / "other", "--text_field=id") == 0


@pytest.mark.parametrize("which", ["input", "output"])
def test_an_input_that_a_link_leads_to_below_the_output_is_refused(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, which: str
) -> None:
    out, link = tmp_path / "out", tmp_path / "link"
    assert score(tiny_bundle, reviews, out) == 0
    link.symlink_to(out / "scores" if which == "input" else out)
    source, output = (link, out) if which == "input" else (out / "scores", link)
    assert score(tiny_bundle, source, output, "--overwrite", "--text_field=id") == 2
    assert score(tiny_bundle, reviews, link if which == "output" else out, "--overwrite") == 0


def test_a_linked_folder_is_read_too(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_bytes(b"a\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    assert list(plan_work(str(tmp_path / "in"), ReadOptions()).files) == ["a.txt"]


def test_rows_in_a_stateful_encoding_are_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_bytes("text\nあ\n".encode("iso2022_jp"))
    with pytest.raises(UsageError, match="convert it to UTF-8"):
        plan_work(str(tmp_path), ReadOptions(encoding="iso2022_jp"))
