"""Kills and faults at random times: nothing torn, the earlier run byte for byte, `--resume` completes it."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from benchmarks.reliability.bench import Bench
from benchmarks.reliability.directory import Rows, check_only_run, check_untorn, content, read_rows, run_id
from benchmarks.reliability.outcome import Outcome, promise

_ROW = "kills and faults"
_INJECT = pathlib.Path(__file__).parents[1] / "inject"
_POLL_SECS = 0.01
# What a person waits at most after the last signal; far above what a busy machine needs.
_END_SECS = 60.0
# A signal that comes when the run has ended shows nothing; the try is made again, at another moment.
_MAX_TOO_LATE = 20
# A process does fewer operations of each kind than these, so some faults never happen: they are counted.
_MAX_OPERATIONS = {"full-parts": 3, "full-manifest": 1, "rename": 8, "fsync": 16, "read-only": 16}


@dataclass(frozen=True)
class Scene:
    """An earlier run in an output directory, and the rows that a new one must give.

    Attributes:
        source: The new run's input.
        earlier_source: The earlier run's.
        workers: Processes of the new run.
    """

    bench: Bench
    source: pathlib.Path
    earlier_source: pathlib.Path
    workers: int = 2

    @cached_property
    def unbroken(self) -> tuple[Rows, float]:
        """The rows of an unbroken run, and the seconds from its plan to its end: as far as random times reach."""
        output = self.bench.folder / "unbroken"
        shutil.copytree(self.earlier, output)
        with self.start(output, {}) as process:
            for _ in _until_planned(process, output):
                time.sleep(_POLL_SECS)
            began = time.monotonic()
            _, said = process.communicate()
        promise(process.returncode == 0, f"the unbroken run ended with {process.returncode}: {said}")
        return read_rows(output), time.monotonic() - began

    @cached_property
    def earlier(self) -> pathlib.Path:
        """The directory of an earlier run, to be copied."""
        output = self.bench.folder / "earlier"
        code, said = self.bench.score(self.earlier_source, output, "--workers=1")
        promise(code == 0, f"the earlier run ended with {code}: {said}")
        return output

    def try_once(self, kind: str, outcome: Outcome) -> None:
        """Overwrites the earlier run, breaks that by `kind`, and resumes it; again, if the break came too late.

        Raises:
            BrokenPromiseError: A reader would have found something torn, or resuming did not complete it.
        """
        for _ in range(_MAX_TOO_LATE):
            if self._break_once(kind, outcome):
                return
            outcome.note("too late")
        promise(False, f"it came too late {_MAX_TOO_LATE} times")

    def _break_once(self, kind: str, outcome: Outcome) -> bool:
        expected, _ = self.unbroken
        output = self.bench.folder / "output"
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(self.earlier, output)
        before = content(output)
        happened = KINDS[kind](self, output)
        wait_until_alone(output)
        check_untorn(output, before, expected)
        if happened and run_id(output) != run_id(self.earlier):
            outcome.note("committed all the same")
        self._complete(output, outcome)
        check_only_run(output, expected)
        return happened

    def _complete(self, output: pathlib.Path, outcome: Outcome) -> None:
        code, said = self.bench.score(self.source, output, "--workers=1", "--resume")
        if code == 2 and "the committed run has another" in said:
            outcome.note("ended before it began")
            code, said = self.bench.score(self.source, output, "--workers=1", "--overwrite")
        promise(code == 0, f"the run after it ended with {code}: {said}")

    def start(self, output: pathlib.Path, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        """Starts the run that is to be broken."""
        arguments = self.bench.arguments(self.source, output, "--overwrite", f"--workers={self.workers}")
        return self.bench.start(arguments, environment=environment)


# Runs a scene in an output directory and breaks it; tells whether that happened before the run had ended.
Break = Callable[[Scene, pathlib.Path], bool]
_Victims = Callable[["subprocess.Popen[str]", pathlib.Path], list[int]]


def worker_pids(output: pathlib.Path) -> list[int]:
    """Returns the worker processes of the run in a directory that are alive."""
    return [pid for path in output.glob("_work/*/worker-*") if is_alive(pid := int(path.name.partition("-")[2]))]


def is_alive(pid: int) -> bool:
    """Tells whether a process is there and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_alone(output: pathlib.Path) -> None:
    """Waits until no process of the broken run writes any more.

    Raises:
        BrokenPromiseError: One goes on.
    """
    until = time.monotonic() + _END_SECS
    while worker_pids(output):
        promise(time.monotonic() < until, f"a worker lives on for {_END_SECS:.0f} s")
        time.sleep(_POLL_SECS)


def _signals(who: _Victims, *numbers: int, code: int | None) -> Break:
    def run(scene: Scene, output: pathlib.Path) -> bool:
        moment = scene.bench.random.uniform(0, scene.unbroken[1])
        with scene.start(output, {}) as process:
            for _ in _until_planned(process, output):
                time.sleep(_POLL_SECS)
            until = time.monotonic() + moment
            while process.poll() is None and time.monotonic() < until:
                time.sleep(_POLL_SECS)
            fired = False
            while process.poll() is None and not fired:  # a worker may not have started yet
                pids = who(process, output)
                fired = bool(pids)
                for number in numbers:
                    for pid in pids:
                        _send(pid, number)
                time.sleep(_POLL_SECS)
            try:
                _, said = process.communicate(timeout=_END_SECS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                promise(False, f"it did not end within {_END_SECS:.0f} s")
        if not fired or (code is not None and process.returncode):
            expected = code if fired else 0
            promise(process.returncode == expected, f"exit {process.returncode} and not {expected}: {said}")
            promise(said.count("\n") == 1, f"more than one line: {said!r}")
        return fired

    return run


def _until_planned(process: "subprocess.Popen[str]", output: pathlib.Path) -> Iterator[None]:
    """Goes on until the run's plan lies there, or the run has ended."""
    while process.poll() is None and not list(output.glob("_work/*/plan.json")):
        yield


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number) if pid > 0 else os.killpg(-pid, number)


def _launcher(process: "subprocess.Popen[str]", _: pathlib.Path) -> list[int]:
    return [process.pid]


def _one_worker(_: "subprocess.Popen[str]", output: pathlib.Path) -> list[int]:
    return worker_pids(output)[:1]


def _group(process: "subprocess.Popen[str]", _: pathlib.Path) -> list[int]:
    return [-process.pid]


def _injected(fault: str) -> Break:
    def run(scene: Scene, output: pathlib.Path) -> bool:
        mark = scene.bench.folder / "happened"
        mark.unlink(missing_ok=True)
        environment = {
            "PYTHONPATH": str(_INJECT),
            "SAITEN_FAULT": fault,
            "SAITEN_FAULT_AT": str(scene.bench.random.randrange(_MAX_OPERATIONS[fault])),
            "SAITEN_FAULT_UNDER": str(output),
            "SAITEN_FAULT_MARK": str(mark),
        }
        with scene.start(output, environment) as process:
            _, said = process.communicate(timeout=_END_SECS * 5)
        if process.returncode:
            promise(process.returncode in (1, 2), f"exit {process.returncode}: {said}")
            promise(said.count("\n") == 1, f"more than one line: {said!r}")
        else:
            promise(run_id(output) != run_id(scene.earlier), "exit 0, and the run is not there")
        return mark.exists()

    return run


def _retried(scene: Scene, output: pathlib.Path) -> bool:
    arguments = scene.bench.arguments(scene.source, output, "--overwrite", "--workers=1")
    with scene.bench.start(arguments, program="benchmarks.reliability.retried") as process:
        _, said = process.communicate()
    promise(process.returncode == 0, f"exit {process.returncode}: {said}")
    return True


KINDS: dict[str, Break] = {
    "kill -9 of the launcher": _signals(_launcher, signal.SIGKILL, code=None),
    "kill -9 of a worker": _signals(_one_worker, signal.SIGKILL, code=1),
    "kill -9 of the whole group": _signals(_group, signal.SIGKILL, code=None),
    "SIGTERM": _signals(_launcher, signal.SIGTERM, code=143),
    "SIGINT": _signals(_group, signal.SIGINT, code=130),
    "SIGINT twice": _signals(_group, signal.SIGINT, signal.SIGINT, code=130),
    "full disk, parts": _injected("full-parts"),
    "full disk, manifest": _injected("full-manifest"),
    "failing rename": _injected("rename"),
    "failing fsync": _injected("fsync"),
    "read-only target": _injected("read-only"),
    "retried Beam bundle": _retried,
}


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Tries each kind 25 times, or so often as is said."""
    scene = Scene(
        bench, bench.write_lines("new.txt", 4_000, padding_bytes=24_000), bench.write_lines("earlier.txt", 50)
    )
    outcomes = [Outcome(_ROW, kind) for kind in KINDS]
    for outcome in outcomes:
        for _ in range(times or 25):
            outcome.attempt(lambda: scene.try_once(outcome.kind, outcome))  # noqa: B023 - called at once
    return outcomes
