"""What was made visible is there after a power cut: files are synced before they get their name, folders after."""

import os
import pathlib
import stat

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import storage
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
