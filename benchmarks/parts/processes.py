"""Runs a command and tells how long it took and how much memory it and its children held at most.

Memory is the peak resident set that Linux keeps for each process (VmHWM in ``/proc/<pid>/status``),
looked at a few times a second: a peak between two looks is not missed, only what a process adds after
the last one.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from benchmarks.parts.settings import CHECKOUT
from saiten.model.errors import SaitenError

_POLL_SECS = 0.2
_PROC = pathlib.Path("/proc")


@dataclass(frozen=True)
class Finished:
    """A command that has ended well.

    Attributes:
        started: When, in seconds since the epoch.
        seconds: Wall time of the whole process.
        output: What it wrote on standard output.
        own_bytes: Peak resident set of the process itself.
        child_bytes: The largest of its descendants'; 0 where it has none.
    """

    started: float
    seconds: float
    output: str
    own_bytes: int
    child_bytes: int


def run_command(command: Sequence[str], stop_after_secs: float | None = None) -> Finished:
    """Runs a command in the checkout to its end.

    Args:
        stop_after_secs: Terminate it then; it has ended well if it has by then, or ends as terminated.

    Raises:
        SaitenError: It failed; the message ends with what it said last.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started, clock = time.time(), time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=CHECKOUT, env=_environment())
        with _Watch(process.pid) as watch:
            try:
                code = process.wait(stop_after_secs)
            except subprocess.TimeoutExpired:
                process.terminate()
                code = process.wait()
                code = 0 if code in (-signal.SIGTERM, 128 + signal.SIGTERM) else code
            seconds = time.perf_counter() - clock
        output.seek(0)
        errors.seek(0)
        if code:
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise SaitenError(f"{' '.join(command)} ended with {code}: {said[-1] if said else 'it said nothing'}")
        own, child = watch.peaks()
        return Finished(started, seconds, output.read().decode(), own, child)


def run_module(module: str, *arguments: str) -> Finished:
    """Runs a Python module of this checkout in a process of its own; see `run_command`."""
    return run_command([sys.executable, "-m", module, *arguments])


def _environment() -> dict[str, str]:
    """Lets Python keep the code that it has compiled, as it is where a package was installed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class _Watch:
    """Follows the peaks of a process and its descendants from a thread."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "_Watch":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def peaks(self) -> tuple[int, int]:
        """Returns the process's own peak in bytes, and the largest of its descendants'."""
        children = [peak for pid, peak in self._peaks.items() if pid != self._pid]
        return self._peaks.get(self._pid, 0), max(children, default=0)

    def _follow(self) -> None:
        while not self._ended.wait(_POLL_SECS):
            self._look()

    def _look(self) -> None:
        for pid in chain([self._pid], descendants(self._pid)):
            peak = peak_bytes(pid)
            if peak:
                # Not the largest so far: until a child has called exec it shares its parent's figure.
                self._peaks[pid] = peak


def descendants(pid: int) -> Iterator[int]:
    """Yields the ids of a process's children and theirs, as far as they live."""
    children: Mapping[int, list[int]] = _children_by_parent()
    waiting = [pid]
    while waiting:
        found = children.get(waiting.pop(), [])
        waiting += found
        yield from found


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for name in os.listdir(_PROC):
        if name.isdigit():
            # "pid (command) state parent ...", where the command may hold spaces and brackets.
            fields = _read(_PROC / name / "stat").rpartition(")")[2].split()
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    return children


def peak_bytes(pid: int) -> int:
    """Returns the peak resident set of a process, 0 where it is gone."""
    for line in _read(_PROC / str(pid) / "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: pathlib.Path) -> str:
    """Returns a file of a process, "" where the process is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
