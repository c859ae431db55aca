"""What was made visible is there after a power cut: files are synced before they get their name, folders after."""

import os
import pathlib
import stat

import pytest
from apache_beam.io.filesystem import BeamIOError

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import storage
from saiten.pipelines.commands.main import main
from tests.helpers.fake_store import FakeStore
from tests.helpers.scoring import score


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was synced, a file or a folder, and renamed, in order, with its path; a rename with the new one."""
    log: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        path = pathlib.Path(f"/proc/self/fd/{descriptor}").readlink()
        log.append(("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file", str(path)))
        fsync(descriptor)

    def noted_replace(source: str, target: str) -> None:
        log.append(("rename", str(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return log


def test_a_file_is_synced_before_its_rename_and_its_folder_behind_it(
    tmp_path: pathlib.Path, log: list[tuple[str, str]]
) -> None:
    storage.write_atomic(f"{tmp_path}/a", b"1")
    assert [kind for kind, _ in log] == ["file", "rename", "folder"]
    assert pathlib.Path(log[0][1]).name.startswith(".a.")
    assert [path for _, path in log[1:]] == [f"{tmp_path}/a", str(tmp_path)]


def test_every_file_of_a_run_and_every_folder_made_for_it_is_synced(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, log: list[tuple[str, str]]
) -> None:
    out = tmp_path / "new" / "deep" / "out"
    assert score(tiny_bundle, reviews, out, "--workers=1") == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {str(path) for path in files} <= {path for kind, path in log if kind == "rename"}
    durable = [path for kind, path in log if kind == "rename" and "/progress-" not in path]
    assert len([kind for kind, _ in log if kind == "file"]) == len(durable)
    above = {path.parent for path in files} | {out, out.parent, out.parent.parent, tmp_path}
    assert {str(path) for path in above} <= {path for kind, path in log if kind == "folder"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open any folder")
def test_a_folder_that_may_only_be_written_to_takes_new_ones(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o300)
    storage.make_folder(tmp_path / "new")
    tmp_path.chmod(0o700)
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize("flag", ["input", "bundle", "output"])
def test_a_store_out_of_reach_is_one_sentence_that_says_what_to_look_at(
    flag: str,
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Beam's own words are dictionaries of errors within each other, and no remedy."""

    def fail(*_arguments: object) -> None:
        within = BeamIOError("List operation failed", {"memory://b/": TimeoutError("nobody there.")})
        raise BeamIOError("Match operation failed", {"memory://b/x**": within})

    monkeypatch.setattr(FakeStore, "match", fail)
    monkeypatch.setattr(FakeStore, "exists", fail)
    given = {"input": str(reviews), "bundle": str(tiny_bundle.path), "output": str(tmp_path / "out")}
    given[flag] = "memory://b/x"
    assert main(["score", *(f"--{name}={path}" for name, path in given.items()), "--workers=1"]) == 2
    said = capsys.readouterr().err
    assert "memory://b/x" in said
    assert "TimeoutError: nobody there: check the address, your credentials for it, and the network" in said
    assert (said.count("\n"), "{" in said, "Match" in said) == (1, False, False)
