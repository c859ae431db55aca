"""A local worker process: names itself to the launcher, keeps the terminal clean, never outlives it.

`python -m saiten.pipelines.local.worker WORK_FOLDER LAUNCHER_PID`, the folder percent-encoded, with what Beam's
runner puts into the environment.
"""

import contextlib
import io
import os
import pathlib
import sys
import threading
import time
import urllib.parse

from saiten.pipelines.unused import leave_out_unused

PID_PREFIX = "worker-"
_LAUNCHER_POLL_SECS = 0.1


def log_path(folder: str, pid: int) -> str:
    """Returns the path of a worker's log."""
    return f"{folder}/log-{pid}.txt"


class Log(io.TextIOBase):
    """Takes what is written as far as there is room for it.

    Beam says an error before it sends it: were that to fail on a full disk, the launcher would wait for ever.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode(errors="backslashreplace"))
        return len(text)


def main() -> None:
    """Runs Beam's worker program until the launcher has no more work, or is gone."""
    folder = pathlib.Path(os.fsdecode(urllib.parse.unquote_to_bytes(sys.argv[1])))
    launcher_pid = int(sys.argv[2])
    (folder / f"{PID_PREFIX}{os.getpid()}").touch()
    log = os.open(log_path(str(folder), os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    sys.stdout = sys.stderr = Log(log)
    threading.Thread(target=end_with_parent, args=(launcher_pid,), daemon=True).start()
    leave_out_unused(worker=True)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


def end_with_parent(parent_pid: int) -> None:
    """Ends this process with the one that started it: one that is killed tells nobody, and this would go on writing."""
    while os.getppid() == parent_pid:
        time.sleep(_LAUNCHER_POLL_SECS)
    os._exit(1)


if __name__ == "__main__":
    main()
