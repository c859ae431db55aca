"""Local worker processes, from the launcher's side."""

import contextlib
import os
import shlex
import signal
import sys
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from saiten.model.cores import available_cores
from saiten.pipelines import storage
from saiten.pipelines.local.worker import PID_PREFIX, log_path

# Freed memory goes back at once, and threads share one heap: 20 MB a worker.
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
_KILL_SECS = 10.0
_KILL_POLL_SECS = 0.01
# A local run on less input than this is over before worker processes would have started.
_SMALL_INPUT_BYTES = 4 * 1024 * 1024


def most_workers(wanted: int | None) -> int:
    """Returns how many processes a local run on large input works in."""
    return available_cores() if wanted is None else wanted


def count_workers(wanted: int | None, n_bytes: int) -> int:
    """Returns how many processes a local run on so much input works in; 1 means that it works in this one."""
    return 1 if wanted is None and n_bytes < _SMALL_INPUT_BYTES else most_workers(wanted)


@dataclass(frozen=True)
class LocalWorkers:
    """The worker processes of a local run.

    Attributes:
        count: How many; 1 means that the run goes on in the launcher itself.
        folder: The run's work folder, where each worker leaves its process id and its log.
    """

    count: int
    folder: str

    def runner(self) -> FnApiRunner:
        """Returns Beam's local runner with `saiten.pipelines.local.worker` as its worker program.

        Beam's own ``multi_processing`` mode starts the same processes, but they write their logs on the
        terminal and live on when the launcher is killed.
        """
        if self.count == 1:
            return FnApiRunner()
        settings = [f"{name}={value}" for name, value in _ENVIRONMENT.items() if name not in os.environ]
        folder = urllib.parse.quote(os.fsencode(self.folder))  # Beam takes a command that is UTF-8 only
        # What lies in the folder where the person stands is none of the worker's, whatever it is called: -P keeps it
        # off the path, and the worker stands elsewhere, for a PYTHONPATH with an empty entry.
        program = [sys.executable, "-P", "-m", "saiten.pipelines.local.worker"]
        command = ["env", *settings, *program, folder, str(os.getpid())]
        # Ctrl-C goes to the whole group: the launcher ends its workers, and one that just starts would complain.
        start = f"trap '' INT; cd /; exec {shlex.join(command)}"
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(start))

    def options(self, flags: Sequence[str]) -> PipelineOptions:
        """Returns Beam's options for `runner`."""
        return PipelineOptions(
            [*flags, f"--direct_num_workers={self.count}", "--default_sdk_harness_log_level=WARNING"]
        )

    def kill(self, wait_secs: float = _KILL_SECS) -> None:
        """Ends the workers at once, and returns when they are gone (or later, if one hangs in the kernel)."""
        # Only children that have not ended: the system gives the number of one that has to any other process.
        pids = list(filter(_is_running, self._pids()))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + wait_secs
        while any(map(_is_running, pids)) and time.monotonic() < until:
            time.sleep(_KILL_POLL_SECS)

    def log_of_lost(self) -> str | None:
        """Returns the log of a worker that is gone although nobody asked it to end; None where all are there."""
        for pid in self._pids():
            if not _is_running(pid):
                return log_path(self.folder, pid)
        return None

    def _pids(self) -> list[int]:
        paths = storage.list_named(self.folder, PID_PREFIX)
        return [int(path.removeprefix(storage.join(self.folder, PID_PREFIX))) for path in paths]


def _is_running(pid: int) -> bool:
    """Whether a child of this process has not ended; one that has is not left behind as a zombie."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # Beam's own thread was faster
        return False
