"""What a killed run leaves behind is finished or removed by the next one, and nobody else's files ever are."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import storage
from saiten.pipelines.commands.main import main
from saiten.pipelines.reports import run_report
from saiten.pipelines.run.notes.failures import FailureReports
from tests.helpers.scoring import content, rows, score

LEFT_PART = ".part-20200101T000000Z-aaaaaaaa-00000.parquet.0123abcd.partial"
LEFT_MANIFEST = ".manifest.json.0123abcd.partial"


def test_a_run_killed_between_its_manifest_and_its_mark_is_finished_by_resume(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    whole = content(out)
    finished, summary = json.loads(whole["manifest.json"])["finished"], capsys.readouterr().err.splitlines()[-1]
    (out / "_SUCCESS").unlink()
    old_part = out / "scores" / "part-20200101T000000Z-aaaaaaaa-00000.parquet"
    old_part.write_bytes(b"of the run before")
    work = out / "_work" / json.loads(whole["manifest.json"])["run_id"]
    work.mkdir(parents=True)
    (work / "range-00000.json").write_text("{}")
    assert score(tiny_bundle, reviews, out, "--resume") == 0
    assert content(out) == whole
    assert not (out / "_work").exists()
    said = [f"saiten: the run in {out} was finished already, at {finished}: nothing was scored now. It was:", summary]
    assert capsys.readouterr().err.splitlines() == said


def test_an_error_after_the_manifest_says_that_the_run_counts_and_resume_marks_it(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(output: str, manifest: object) -> None:
        raise OSError(28, "No space left on device", f"{output}/report.html")

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(run_report, "write_report", full)
        for flags in ([], ["--resume"]):
            assert score(tiny_bundle, reviews, out, "--workers=1", *flags) == 1
            assert capsys.readouterr().err == (
                f"saiten: The run in {out} is committed, but not marked and cleared up: "
                f"[Errno 28] No space left on device: '{out}/report.html'; --resume does that.\n"
            )
    assert len(rows(out)) == 5
    assert not (out / "_SUCCESS").exists()
    assert score(tiny_bundle, reviews, out, "--resume") == 0
    assert (out / "_SUCCESS").exists()


def test_leftovers_of_a_killed_commit_neither_block_the_next_run_nor_stay(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    (out / "scores").mkdir(parents=True)
    (out / LEFT_MANIFEST).write_text("{")
    (out / "scores" / LEFT_PART).write_bytes(b"PAR1")
    assert score(tiny_bundle, reviews, out) == 2
    assert score(tiny_bundle, reviews, out, "--overwrite") == 0
    assert not any("partial" in name for name in content(out))


def test_files_that_only_look_partial_are_left(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    mine = {out / "scores" / name for name in ("film.partial", ".notes.txt.0123abcd.partial", "part-of-me.parquet")}
    for path in mine:
        path.write_text("mine")
    assert score(tiny_bundle, reviews, out, "--overwrite") == 0
    assert all(path.read_text() == "mine" for path in mine)


@pytest.mark.parametrize(
    ("name", "content"), [("_work/thesis.txt", "mine"), ("manifest.json", '{"name": "app"}'), ("manifest.json", "{")]
)
def test_a_file_that_only_has_a_runs_name_is_never_taken_for_one(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, name: str, content: str
) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text(content)
    for flags in ([], ["--overwrite"], ["--resume"]):
        assert score(tiny_bundle, reviews, tmp_path / "out", *flags) == 2
    assert mine.read_text() == content


def test_resume_never_replaces_a_committed_run_of_other_settings(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=1") == 3
    before = content(out)
    n_bytes = half_broken.stat().st_size
    half_broken.write_bytes(half_broken.read_bytes() * 2)
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=1", "--resume") == 2
    said = f"--resume: the committed run has another input broken.jsonl (size {n_bytes}, now {2 * n_bytes}): give"
    assert said in capsys.readouterr().err
    assert content(out) == before


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda path: path.unlink(), "input b.txt (missing now)"),
        (lambda path: (path.parent / "a2.txt").touch(), "input a2.txt (new)"),
        (lambda path: os.utime(path, ns=(0, 7)), "input b.txt (time of change 5, now 7)"),
    ],
)
def test_the_input_that_differs_is_named_however_many_there_are(
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[pathlib.Path], object],
    difference: str,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text("良い。\n", encoding="utf-8")
    os.utime(folder / "b.txt", ns=(0, 5))
    assert score(tiny_bundle, folder, tmp_path / "out") == 0
    change(folder / "b.txt")
    assert score(tiny_bundle, folder, tmp_path / "out", "--resume") == 2
    assert f"--resume: the committed run has another {difference}: give" in capsys.readouterr().err


def damage(part: pathlib.Path, how: str) -> None:
    content = part.read_bytes()
    if how == "gone":
        part.unlink()
    elif how == "other rows":
        pq.write_table(pq.read_table(part).slice(1), part)
    elif how == "another size":
        part.write_bytes(b"PAR1" + content)
    else:
        part.write_bytes(content[:4] + bytes([content[4] ^ 1]) + content[5:])


DAMAGES = ("gone", "other rows", "another size", "a flipped bit")


@pytest.mark.parametrize("how", DAMAGES)
def test_a_finished_range_whose_part_is_not_what_was_written_is_done_again(
    tiny_bundle: StoredBundle, unfinished: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path, how: str
) -> None:
    records, out = unfinished[0], tmp_path / "out"
    shutil.copytree(unfinished[1], out)
    (part,) = (out / "scores").iterdir()
    written = pq.ParquetFile(part).read().to_pylist()
    damage(part, how)
    assert score(tiny_bundle, records, out, "--max_dead_letter_rate=1", "--resume") == 3
    assert rows(out) == written


def test_a_committed_run_that_was_damaged_is_not_taken_for_whole(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    (part,) = (out / "scores").iterdir()
    written = part.read_bytes()
    for how in DAMAGES:
        damage(part, how)
        capsys.readouterr()
        assert score(tiny_bundle, reviews, out, "--resume") == 2, how
        said = capsys.readouterr().err
        assert said.startswith(f"saiten: --resume: the committed run is damaged: {part} ")
        assert said.endswith(". --overwrite scores anew.\n")
        part.write_bytes(written)
    damage(part, "gone")
    assert score(tiny_bundle, reviews, out, "--overwrite") == 0


def test_resume_goes_on_with_an_interrupted_overwrite_not_with_the_run_below_it(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=1") == 3
    old = json.loads((out / "manifest.json").read_text())["run_id"]
    assert score(tiny_bundle, half_broken, out, "--overwrite") == 4
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=1", "--resume") == 3
    assert json.loads((out / "manifest.json").read_text())["run_id"] > old
    assert [row["position"] for row in rows(out)] == [0]


@pytest.mark.parametrize("written", ["./out", "out/", ".//out"])
def test_an_output_is_the_same_however_its_path_is_written(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    written: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["score", f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={written}", "--quiet"]
    assert main(arguments) == 0
    assert main([*arguments, "--overwrite"]) == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    parts = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("part-*")}
    assert {file["path"] for file in manifest["outputs"]} == parts


@pytest.mark.parametrize(
    ("name", "workers"),
    [
        ("with spaces 日本", 1),
        ("100%25", 1),
        ("deep/er/still", 1),
        pytest.param("with spaces 日本/100%25/no UTF-8 \udcff", 2, marks=pytest.mark.thorough),
    ],
)
def test_the_output_is_a_directory_of_any_name(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, name: str, workers: int
) -> None:
    assert score(tiny_bundle, reviews, tmp_path / name, f"--workers={workers}") == 0
    assert len(rows(tmp_path / name)) == 5


def test_the_output_is_no_file(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a file"
    out.write_text("mine")
    assert score(tiny_bundle, reviews, out) == 2
    assert capsys.readouterr().err == f"saiten: --output={out} is a file: give a directory.\n"
    assert out.read_text() == "mine"


@pytest.mark.parametrize("name", ["scores", "dead_letters", "_work"])
def test_a_folder_of_the_run_that_is_a_link_is_refused(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """Parts behind it would be written, and never removed."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere")
    assert score(tiny_bundle, reviews, tmp_path / "out", "--overwrite") == 2
    assert f"holds {name}, which is a link: give a directory of its own" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["manifest.json", "_SUCCESS", "report.html"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_any_work(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    assert score(tiny_bundle, reviews, tmp_path / "out", "--overwrite") == 2
    assert f"holds {name}, which is a folder: give a directory of its own" in capsys.readouterr().err
    assert os.listdir(tmp_path / "out") == [name]


def test_an_error_of_the_disk_is_one_sentence_with_the_path(tmp_path: pathlib.Path) -> None:
    reports = FailureReports(str(tmp_path))
    with pytest.raises(OSError, match="No space left"), reports.reported():
        raise OSError(28, "No space left on device", "/out/scores/part")
    assert str(reports.gravest()) == (
        "/out/scores/part cannot be read or written: No space left on device; --resume goes on from here."
    )


def test_a_path_that_is_no_utf8_does_not_hide_what_went_wrong(tmp_path: pathlib.Path) -> None:
    reports = FailureReports(str(tmp_path))
    with pytest.raises(OSError, match="No space left"), reports.reported():
        raise OSError(28, "No space left on device", os.fsdecode(b"/out\xff/part"))
    assert str(reports.gravest()).startswith("/out\udcff/part cannot be read or written: No space left on device")


def test_a_write_that_fails_names_its_file_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        storage.write_atomic(f"{tmp_path}/manifest.json", b"{}")
    assert caught.value.filename == f"{tmp_path}/manifest.json"
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_terminal_escapes_in_a_file_name_do_not_reach_the_terminal(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = tmp_path / "\x1b]0;owned\x07.txt.gz"
    hostile.write_bytes(b"no archive")
    assert score(tiny_bundle, hostile, tmp_path / "out") == 1
    assert "\x1b" not in capsys.readouterr().err


def test_sigterm_before_the_pipeline_starts_is_one_line_and_143() -> None:
    program = (
        "import os, signal, sys\n"
        "import saiten.pipelines.commands.score as command\n"
        "command.read_settings = lambda args: os.kill(os.getpid(), signal.SIGTERM)\n"
        "from saiten.pipelines.commands.main import main\n"
        "sys.exit(main(['score', '--input=a', '--bundle=b', '--output=c']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        128 + signal.SIGTERM,
        "saiten: terminated; nothing was written; run the same command again.\n",
    )
