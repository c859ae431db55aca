"""Workers that are started before there is work for them do it, or end without a trace."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from saiten.pipelines.local import waiting
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.local.waiting import WaitingWorkers, waiting_workers

_SETTINGS = ScoreSettings(input="", bundle="b", output="o", workers=2)


def _children() -> set[str]:
    return set(pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_those_without_work_are_gone_when_the_launcher_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    before = _children()
    with waiting_workers(_SETTINGS) as workers:
        assert workers
        assert len(_children() - before) == 2
    assert _children() == before
    assert capfd.readouterr() == ("", "")


def test_one_that_gets_no_work_ends_with_its_launcher() -> None:
    """Also where the launcher is killed, and can close nothing."""
    program = (
        "import os, signal, pathlib\n"
        "from saiten.pipelines.local.waiting import WaitingWorkers\n"
        "workers = WaitingWorkers(1)\n"
        "children = pathlib.Path(f'/proc/self/task/{os.getpid()}/children').read_text()\n"
        "print(children, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    until = time.monotonic() + 60
    while _runs(int(done.stdout)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(int(done.stdout))


def _runs(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_one_that_has_ended_is_said_to_have(tmp_path: pathlib.Path) -> None:
    """The run fails then, and does not wait for somebody who never comes."""
    workers = WaitingWorkers(1)
    for pid in _children():
        os.kill(int(pid), 9)
        os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)
    with pytest.raises(BrokenPipeError):
        workers.send(str(tmp_path), {})
    workers.close()


@pytest.mark.parametrize(
    ("changes", "n_bytes", "expected"),
    [
        ({"workers": 1}, 10**9, 1),
        ({"workers": 3}, 1, 3),
        ({"workers": None}, 4 * 1024 * 1024 - 1, 1),
        ({"workers": None}, 4 * 1024 * 1024, 7),
        ({"workers": None, "input": "no such file"}, 1, 7),
        ({"workers": None, "input": "gs://bucket/a.csv"}, 1, 7),
        ({"workers": None, "runner": "FlinkRunner"}, 10**9, 1),
    ],
)
def test_as_many_are_started_as_the_run_will_need(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], n_bytes: int, expected: int
) -> None:
    """By a guess, where the input is not one file that is named."""
    started: list[object] = []
    monkeypatch.setattr(waiting, "available_cores", lambda: 7)
    monkeypatch.setattr(waiting.WaitingWorkers, "__init__", lambda _self, *given: started.extend(given))
    monkeypatch.setattr(waiting.WaitingWorkers, "close", lambda _self: None)
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(n_bytes)
    with waiting_workers(dataclasses.replace(_SETTINGS, **{"input": str(path), **changes})) as workers:
        assert (workers is None) == (expected == 1)
    flags = [] if "://" in str(changes.get("input")) else ["--stays_here"]
    assert started == ([] if expected == 1 else [expected, flags])
