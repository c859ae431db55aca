"""A run whose disk is full ends, and says so: there is no room left for a log, or a worker's report."""

import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from saiten.model.bundle.bundle import StoredBundle


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Holds four pages: less than a run's notes and its first part."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"only root may mount a small disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.thorough
def test_a_run_on_a_full_disk_says_so(
    small_disk: pathlib.Path, tiny_bundle: StoredBundle, tmp_path: pathlib.Path
) -> None:
    """With two workers, for whose error the launcher would wait for ever if they could not say it."""
    texts = tmp_path / "a.txt"
    texts.write_text("良い\n" * 300_000, "utf-8")
    flags = [
        f"--input={texts}",
        f"--bundle={tiny_bundle.path}",
        f"--output={small_disk / 'out'}",
        "--workers=2",
        "--quiet",
    ]
    command = [str(pathlib.Path(sys.executable).with_name("saiten")), "score", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.endswith(" cannot be read or written: No space left on device; --resume goes on from here.")
