"""The launcher ends its own workers, and nobody else's processes."""

import os
import pathlib
import signal
import subprocess
import threading
import traceback
from collections.abc import Iterator

import pytest

from saiten.pipelines.local.worker import PID_PREFIX, Log, log_path
from saiten.pipelines.local.workers import LocalWorkers


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that is nobody's child here, as one that got the number of a worker that has ended."""
    started = subprocess.run(["sh", "-c", "sleep 60 >&2 & echo $!"], stdout=subprocess.PIPE, check=True)
    pid = int(started.stdout)
    yield pid
    os.kill(pid, signal.SIGKILL)  # raises if it was killed before


def test_a_stranger_with_a_workers_number_lives_on_and_the_worker_counts_as_lost(
    tmp_path: pathlib.Path, stranger: int
) -> None:
    (tmp_path / f"{PID_PREFIX}{stranger}").touch()
    workers = LocalWorkers(2, str(tmp_path))
    with subprocess.Popen(["sleep", "60"]) as child:
        (tmp_path / f"{PID_PREFIX}{child.pid}").touch()
        assert workers.log_of_lost() == log_path(str(tmp_path), stranger)
        workers.kill()
        assert not pathlib.Path(f"/proc/{child.pid}").exists()
    state = pathlib.Path(f"/proc/{stranger}/stat").read_text().rpartition(")")[2].split()[0]
    assert state != "Z"


def test_workers_that_all_run_are_not_lost_and_one_that_was_killed_is(tmp_path: pathlib.Path) -> None:
    workers = LocalWorkers(1, str(tmp_path))
    with subprocess.Popen(["sleep", "60"]) as child:
        (tmp_path / f"{PID_PREFIX}{child.pid}").touch()
        assert workers.log_of_lost() is None
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
        assert workers.log_of_lost() == log_path(str(tmp_path), child.pid)


def test_workers_for_whom_no_work_came_end_with_the_run(tmp_path: pathlib.Path) -> None:
    """A run may fail before its workers are asked for; a notebook's process would keep them for ever."""
    workers = LocalWorkers(2, str(tmp_path))
    before = children()
    workers.runner()
    started = children() - before
    workers.kill()
    assert len(started) == 2
    assert not started & children()


def children() -> set[int]:
    pids = pathlib.Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return set(map(int, pids))


def test_a_log_on_a_full_disk_keeps_no_error_from_being_told(tmp_path: pathlib.Path) -> None:
    """Beam prints a worker's error before it sends it: were the print to fail, the launcher would wait for ever."""
    with open("/dev/full", "wb", buffering=0) as full:
        with pytest.raises(OSError, match="No space left"):
            full.write(b"a")
        log = Log(full.fileno())
        traceback.print_exception(ValueError("a"), file=log)
        log.flush()
    with (tmp_path / "log").open("wb") as file:
        print("a\ud800", file=Log(file.fileno()))
    assert (tmp_path / "log").read_text("utf-8") == "a\\ud800\n"
