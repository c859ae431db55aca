"""Local worker processes: they name themselves to the launcher, and never outlive it."""

import os
import signal
import threading
import time
from dataclasses import dataclass

from pipelines import storage

_PREFIX = "worker-"
_PARENT_POLL_SECS = 0.5


@dataclass(frozen=True)
class LocalWorkers:
    """The worker processes of a local run; travels with the steps.

    Attributes:
        folder: The run's work folder, where each worker leaves a note with its process id.
        launcher_pid: The launcher's process id; None where the runner is remote.
    """

    folder: str
    launcher_pid: int | None

    def register(self) -> None:
        """Called in a worker: makes it known, and makes it end when its launcher ends."""
        if self.launcher_pid in (None, os.getpid()):
            return
        path = storage.join(self.folder, f"{_PREFIX}{os.getpid()}")
        if storage.read_bytes(path) is None:
            storage.write_atomic(path, b"")
            threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def kill(self) -> None:
        """Called in the launcher: ends the workers at once."""
        for path in storage.list_files(self.folder):
            name = path.rpartition("/")[2]
            if name.startswith(_PREFIX):
                try:
                    os.kill(int(name.removeprefix(_PREFIX)), signal.SIGKILL)
                except ProcessLookupError:
                    continue


def _end_with_parent(parent_pid: int) -> None:
    """A launcher that was killed cannot tell its workers, and they would go on writing."""
    while os.getppid() == parent_pid:
        time.sleep(_PARENT_POLL_SECS)
    os._exit(1)
