"""Input, bundle and output on an object store: the same rows, resumed and replaced as on a disk."""

import json
import pathlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.bundle_files import MAX_BYTES
from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.commands.main import main
from saiten.pipelines.run import claim, results
from saiten.pipelines.run.claim import Claim
from saiten.pipelines.run.notes import progress_notes as progress
from saiten.pipelines.run.notes.failures import FencedOffError
from saiten.pipelines.run.run_manifest import read_run_manifest
from saiten.pipelines.steps import commit
from tests.helpers.object_store import emulated
from tests.helpers.scoring import rows, score

# The emulator closes its sockets late, and says so when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with emulated() as url:
        yield url


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "_SETTLE_SECS", 0.0)


@pytest.fixture
def folder(store: str, request: pytest.FixtureRequest) -> str:
    return f"{store}/{request.node.name.partition('[')[0]}"


@pytest.fixture(scope="module")
def remote_bundle(store: str, tiny_bundle: StoredBundle) -> str:
    storage.write_atomic(f"{store}/bundle/", b"")  # what a store's console makes for a folder
    for path in tiny_bundle.path.iterdir():
        storage.write_atomic(f"{store}/bundle/{path.name}", path.read_bytes())
    return f"{store}/bundle"


def remote_score(bundle: str, source: str, output: str, *flags: str) -> int:
    flags = ("--workers=1", "--quiet", *flags)
    return main(["score", f"--input={source}", f"--bundle={bundle}", f"--output={output}", *flags])


def manifest_of(output: str) -> dict[str, Any]:
    return dict(json.loads(storage.read_bytes(f"{output}/manifest.json") or b""))


def remote_rows(output: str) -> list[dict[str, Any]]:
    parts = [f"{output}/{file['path']}" for file in manifest_of(output)["outputs"]]
    tables = [pq.read_table(pa.BufferReader(storage.read_bytes(part))) for part in parts if "/scores/" in part]
    return list(pa.concat_tables(tables).sort_by("position").to_pylist())


def assert_only_run(output: str) -> None:
    named = [f"{output}/{file['path']}" for file in manifest_of(output)["outputs"]]
    beside = [f"{output}/{name}" for name in ("_SUCCESS", "manifest.json", "report.html")]
    assert storage.list_files(output) == sorted([*beside, *named])


def test_everything_on_the_store_gives_the_rows_of_a_local_run(
    folder: str, remote_bundle: str, tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    storage.write_atomic(f"{folder}/in/reviews.txt", reviews.read_bytes())
    assert remote_score(remote_bundle, f"{folder}/in", f"{folder}/out") == 0
    assert score(tiny_bundle, reviews, tmp_path / "out") == 0
    assert remote_rows(f"{folder}/out") == rows(tmp_path / "out")
    assert_only_run(f"{folder}/out")


@pytest.mark.thorough
def test_worker_processes_score_onto_the_store_and_leave_nothing_here(
    folder: str, remote_bundle: str, reviews: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    assert remote_score(remote_bundle, str(reviews), f"{folder}/out", "--workers=2") == 0
    assert len(remote_rows(f"{folder}/out")) == 5
    assert_only_run(f"{folder}/out")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_hopeless_run_onto_the_store_stops_early_and_leaves_nothing_here(
    folder: str,
    remote_bundle: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(progress, "WRITE_SECS", 0.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "cp932.txt").write_bytes("駅から遠くて、値段も高い。\n".encode("cp932") * 50_000)
    assert remote_score(remote_bundle, str(tmp_path / "cp932.txt"), f"{folder}/out") == 4
    assert " of the first " in capsys.readouterr().err
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("notes.txt", "holds 'notes.txt', which is no file of a bundle"),
        ("sub/model.keras", "holds a folder, sub"),
        ("golden.jsonl", "golden.jsonl is larger than 10 bytes"),
    ],
)
def test_a_bundle_on_the_store_is_judged_while_it_is_copied(
    name: str,
    message: str,
    folder: str,
    reviews: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stranger's bundle may hold what would fill this machine's disk."""
    monkeypatch.setitem(MAX_BYTES, "golden.jsonl", 10)
    storage.write_atomic(f"{folder}/{name}/bundle/{name}", b"a" * 20)
    assert remote_score(f"{folder}/{name}/bundle", str(reviews), f"{folder}/out") == 2
    assert message in capsys.readouterr().err
    assert storage.list_files(f"{folder}/out") == []


@pytest.mark.thorough
def test_what_lies_on_the_store_is_shown_explained_and_proven(
    folder: str,
    remote_bundle: str,
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["inspect", remote_bundle]) == 0
    shown = capsys.readouterr().out
    assert f"{remote_bundle} is a bundle: its files are whole" in shown
    assert tiny_bundle.bundle_id in shown
    assert main(["explain", f"--bundle={remote_bundle}", "とても高い"]) == 0
    assert "とても" in capsys.readouterr().out
    assert main(["validate", f"--bundle={remote_bundle}"]) == 0
    assert f"saiten: {remote_bundle} holds" in capsys.readouterr().err

    assert remote_score(remote_bundle, str(reviews), f"{folder}/out") == 0
    capsys.readouterr()
    assert main(["inspect", f"{folder}/out"]) == 0
    shown = capsys.readouterr().out
    assert manifest_of(f"{folder}/out")["run_id"] in shown
    assert "no _SUCCESS" not in shown


@pytest.mark.parametrize("name", ["nowhere", "wild[1]"])
def test_inspect_finds_nothing_on_the_store_in_one_sentence(
    name: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", f"{folder}/{name}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_output_on_the_store_has_a_wildcard(
    folder: str, remote_bundle: str, reviews: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beam would take it for a pattern, and clear up in other people's folders."""
    storage.write_atomic(f"{folder}/out1/_work/precious", b"a")
    assert remote_score(remote_bundle, str(reviews), f"{folder}/out[1]", "--overwrite") == 2
    assert "a folder's name may hold no *, ? or [" in capsys.readouterr().err
    assert storage.list_files(folder) == [f"{folder}/out1/_work/precious"]


@pytest.mark.thorough
def test_a_run_on_the_store_is_refused_replaced_and_left_as_it_is_when_its_successor_fails(
    folder: str, remote_bundle: str, reviews: pathlib.Path, half_broken: pathlib.Path
) -> None:
    out = f"{folder}/out"
    assert remote_score(remote_bundle, str(reviews), out) == 0
    first = manifest_of(out)
    assert remote_score(remote_bundle, str(reviews), out) == 2
    assert remote_score(remote_bundle, str(half_broken), out, "--overwrite") == 4
    assert manifest_of(out) == first
    assert len(remote_rows(out)) == 5
    assert remote_score(remote_bundle, str(reviews), out, "--overwrite") == 0
    assert manifest_of(out)["run_id"] != first["run_id"]
    assert_only_run(out)


def test_an_unfinished_run_on_the_store_is_resumed_without_scoring_again(
    folder: str, remote_bundle: str, half_broken: pathlib.Path
) -> None:
    out = f"{folder}/out"
    assert remote_score(remote_bundle, str(half_broken), out) == 4
    (part,) = [path for path in storage.list_files(out) if "/scores/" in path]
    assert remote_score(remote_bundle, str(half_broken), out, "--resume", "--max_dead_letter_rate=1") == 3
    assert part in storage.list_files(out)
    assert [row["status"] for row in remote_rows(out)] == ["scored"]
    assert_only_run(out)
    assert remote_score(remote_bundle, str(half_broken), out, "--resume", "--max_dead_letter_rate=1") == 3


@pytest.mark.thorough
def test_what_is_gone_from_the_store_is_missing_as_it_is_on_a_disk(
    folder: str, remote_bundle: str, half_broken: pathlib.Path
) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        storage.open_read(f"{folder}/none")
    assert storage.read_bytes(f"{folder}/none") is None
    out = f"{folder}/out"
    assert remote_score(remote_bundle, str(half_broken), out) == 4
    storage.remove_files([path for path in storage.list_files(out) if "/scores/" in path])
    assert remote_score(remote_bundle, str(half_broken), out, "--resume", "--max_dead_letter_rate=1") == 3
    assert [row["status"] for row in remote_rows(out)] == ["scored"]


def test_a_reader_of_the_store_gets_the_run_that_took_the_place_of_another(
    folder: str, remote_bundle: str, reviews: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{folder}/out"
    assert remote_score(remote_bundle, str(reviews), out) == 0
    old = read_run_manifest(out)
    assert remote_score(remote_bundle, str(reviews), out, "--overwrite") == 0
    manifests = iter([old, read_run_manifest(out), read_run_manifest(out)])
    monkeypatch.setattr(results, "read_run_manifest", lambda _: next(manifests))
    assert results.read_scores(out).num_rows == 5


def test_a_second_launcher_on_the_store_is_refused_while_the_first_is_heard_of(
    folder: str,
    remote_bundle: str,
    reviews: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = f"{folder}/out"
    first, second = Claim(out), Claim(out)
    first.take()
    with monkeypatch.context() as patched:  # what the clock of the second launcher's machine says is of no account
        patched.setattr(time, "time", lambda: 4e9)
        with pytest.raises(UsageError, match="is being written by another run"):
            second.take()
    assert storage.list_files(out) == [f"{out}/_work/owner.json"]
    assert not first.is_lost()
    with monkeypatch.context() as patched:
        patched.setattr(claim, "STALE_SECS", 0.0)
        second.take()
    assert (first.is_lost(), second.is_lost()) == (True, False)
    first.give_back()
    assert storage.list_files(out) == [f"{out}/_work/owner.json"], "the claim is no longer the first one's to remove"
    second.give_back()
    assert storage.list_files(out) == []

    Claim(out).take()
    assert remote_score(remote_bundle, str(reviews), out, "--overwrite") == 2
    assert "is being written by another run" in capsys.readouterr().err


def test_a_job_on_the_store_commits_nothing_once_another_launcher_has_claimed_its_output(
    folder: str, remote_bundle: str, reviews: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its launcher was killed: nobody is there to tell it."""
    out = f"{folder}/out"
    late: list[Any] = []
    commit_run = commit.commit_run
    with monkeypatch.context() as patched:
        patched.setattr(commit, "commit_run", lambda *arguments: late.append(arguments))
        assert remote_score(remote_bundle, str(reviews), out) == 1
    newcomer = Claim(out)
    newcomer.take()
    with pytest.raises(FencedOffError, match="no longer this job's to write to"):
        commit_run(*late[0])
    assert storage.read_bytes(f"{out}/manifest.json") is None
    newcomer.give_back()
    assert remote_score(remote_bundle, str(reviews), out, "--resume") == 0
    before = storage.list_files(out)
    with pytest.raises(FencedOffError):
        commit_run(replace(late[0][0], run=replace(late[0][0].run, run_id="20260101T000000Z-aaaaaaaa")), *late[0][1:])
    assert commit_run(*late[0]).run_id == manifest_of(out)["run_id"], "the run is committed already"
    assert storage.list_files(out) == before
