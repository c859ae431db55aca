"""Local worker processes, from the launcher's side."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.transforms.environments import Environment, python_sdk_capabilities
from google.protobuf import json_format, text_format

from saiten.pipelines import storage
from saiten.pipelines.local.waiting import WaitingWorkers
from saiten.pipelines.local.worker import PID_PREFIX, log_path

# Beam's environment of a run's own worker processes; handlers are made by its URN.
_URN = "saiten:env:waiting_worker:v1"
# The thread that waits for a worker's end.
STARTER_THREAD = "run_worker"
_KILL_SECS = 10.0
_KILL_POLL_SECS = 0.01


@dataclass(frozen=True)
class LocalWorkers:
    """The worker processes of a local run.

    Attributes:
        count: How many; 1 means that the run goes on in the launcher itself.
        folder: The run's work folder, where each worker leaves its process id and its log.
        waiting: Processes that have been started before; None starts them with the run.
    """

    count: int
    folder: str
    waiting: WaitingWorkers | None = None

    def runner(self) -> FnApiRunner:
        """Returns Beam's local runner with `saiten.pipelines.local.worker` as its worker program.

        Beam's own ``multi_processing`` mode starts the same processes, but they write their logs on the
        terminal and live on when the launcher is killed.
        """
        if self.count == 1:
            return FnApiRunner()
        _RUNS[self.folder] = self.waiting or WaitingWorkers(self.count)
        return FnApiRunner(_WorkerEnvironment(self.folder))

    def options(self, flags: Sequence[str]) -> PipelineOptions:
        """Returns Beam's options for `runner`."""
        return PipelineOptions(
            [*flags, f"--direct_num_workers={self.count}", "--default_sdk_harness_log_level=WARNING"]
        )

    def kill(self, wait_secs: float = _KILL_SECS) -> None:
        """Ends the workers at once, and returns when they are gone (or later, if one hangs in the kernel)."""
        if wait_secs and (waiting := _RUNS.pop(self.folder, None)):
            waiting.close()  # for whom no work came, such as where the run failed before
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


# Beam makes its handlers of bytes alone: the workers of each run by its work folder.
_RUNS: dict[str, WaitingWorkers] = {}


@Environment.register_urn(_URN, bytes)
class _WorkerEnvironment(Environment):
    """Processes of `WaitingWorkers`, as Beam names what a pipeline runs in."""

    def __init__(self, folder: str) -> None:
        super().__init__(capabilities=python_sdk_capabilities(), artifacts=())
        self._folder = folder

    def to_runner_api_parameter(self, _context: object) -> tuple[str, bytes]:
        return _URN, os.fsencode(self._folder)

    @staticmethod
    def from_runner_api_parameter(folder: bytes, *_rest: object) -> "_WorkerEnvironment":
        return _WorkerEnvironment(os.fsdecode(folder))


@WorkerHandler.register_environment(_URN, bytes)
class _WorkerHandler(GrpcWorkerHandler):
    """Gives one of a run's processes to Beam, which makes a handler for each.

    Beam's own for subprocesses starts them, and a server for the log of each.
    """

    def __init__(self, folder: bytes, *beams: object) -> None:
        super().__init__(*beams)
        self._folder = os.fsdecode(folder)

    def start_worker(self) -> None:
        options = json_format.MessageToJson(self.provision_info.provision_info.pipeline_options)
        control = text_format.MessageToString(self.control_api_service_descriptor())
        process = _RUNS[self._folder].send(
            self._folder,
            {"CONTROL_API_SERVICE_DESCRIPTOR": control, "PIPELINE_OPTIONS": options, "WORKER_ID": self.worker_id},
        )
        self._thread = threading.Thread(name=STARTER_THREAD, target=_wait_for, args=(process,))
        self._thread.start()

    def stop_worker(self) -> None:
        self._thread.join()


def _wait_for(process: "subprocess.Popen[bytes]") -> None:
    """Raises if a worker does not end as one whose work is done; nobody but `threading.excepthook` hears it."""
    if process.wait():
        raise RuntimeError(f"A worker ended with {process.returncode}.")


def _is_running(pid: int) -> bool:
    """Whether a child of this process has not ended; one that has is not left behind as a zombie."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # Beam's own thread was faster
        return False
