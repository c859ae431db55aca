"""Worker processes that are started before there is work for them: they load their libraries while the launcher plans.

Imports nothing heavy: it is what a run does first.
"""

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from saiten.model.cores import available_cores
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.startup import STAYS_HERE, stays_here

# Freed memory goes back at once, and threads share one heap: 20 MB a worker. Large pages, where the system gives them
# to those who ask: half as many page faults for 3 MB a worker.
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
# A local run on less input than this is over before worker processes would have started.
_SMALL_INPUT_BYTES = 4 * 1024 * 1024


def most_workers(wanted: int | None) -> int:
    """Returns how many processes a local run on large input works in."""
    return available_cores() if wanted is None else wanted


def count_workers(wanted: int | None, n_bytes: int) -> int:
    """Returns how many processes a local run on so much input works in; 1 means that it works in this one."""
    return 1 if wanted is None and n_bytes < _SMALL_INPUT_BYTES else most_workers(wanted)


class WaitingWorkers:
    """Processes of `saiten.pipelines.local.worker`, each of which waits for one line that says what to work for.

    Args:
        count: How many.
        flags: Of `saiten.pipelines.local.worker`.
    """

    def __init__(self, count: int, flags: Sequence[str] = ()) -> None:
        self._processes = [_start(flags) for _ in range(count)]

    def send(self, folder: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Sends one of them to work, and returns it.

        Args:
            folder: The run's work folder, where it leaves its process id and its log.
            environment: What Beam's worker program finds in its environment.

        Raises:
            BrokenPipeError: It has ended.
        """
        process = self._processes[-1]
        assert process.stdin
        with process.stdin as orders:
            orders.write(json.dumps({"folder": folder, "environment": dict(environment)}).encode() + b"\n")
        return self._processes.pop()

    def close(self) -> None:
        """Ends those that still wait."""
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.communicate()


def _start(flags: Sequence[str]) -> subprocess.Popen[bytes]:
    settings = [f"{name}={value}" for name, value in _ENVIRONMENT.items() if name not in os.environ]
    # What lies in the folder where the person stands is none of the worker's, whatever it is called: -P keeps it
    # off the path, and the worker stands elsewhere, for a PYTHONPATH with an empty entry.
    program = [sys.executable, "-P", "-m", "saiten.pipelines.local.worker", str(os.getpid()), *flags]
    # Ctrl-C goes to the whole group: the launcher ends its workers, and one that just starts would complain.
    command = f"trap '' INT; cd /; exec {shlex.join(['env', *settings, *program])}"
    return subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE)


@contextlib.contextmanager
def waiting_workers(settings: ScoreSettings) -> Iterator[WaitingWorkers | None]:
    """Starts the workers of a local run while the block goes on; None where it will hardly need any."""
    n_workers = count_workers(settings.workers, _guess_bytes(settings.input)) if settings.is_local else 1
    if n_workers == 1:
        yield None
        return
    places = [settings.input, settings.bundle, settings.output or "", *settings.beam_flags]
    workers = WaitingWorkers(n_workers, [STAYS_HERE] if stays_here(places) else [])
    try:
        yield workers
    finally:
        workers.close()


def _guess_bytes(patterns: str) -> int:
    """Returns the size of files that are named; folders, globs and what lies elsewhere are taken for large."""
    paths = [pathlib.Path(item.strip()) for item in patterns.split(",")]
    if not all(map(pathlib.Path.is_file, paths)):
        return _SMALL_INPUT_BYTES
    return sum(path.stat().st_size for path in paths)
