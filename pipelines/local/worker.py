"""A local worker process: names itself to the launcher, keeps the terminal clean, never outlives it.

`python -m saiten.pipelines.local.worker LAUNCHER_PID [--stays_here]` loads its libraries, and waits on its standard
input for a line of JSON with the run's work folder and what Beam's worker program finds in its environment; without one
it ends.
"""

import contextlib
import importlib
import io
import json
import os
import pathlib
import sys
import threading
import time
from collections.abc import Callable

from saiten.pipelines.startup import STAYS_HERE, start_light

PID_PREFIX = "worker-"
_LAUNCHER_POLL_SECS = 0.1
# They bring all others, those with compiled code too.
_NEEDED = (
    "saiten.pipelines.steps.pipeline",
    "saiten.model.engines.packed.program",
    "saiten.model.text.segmenter.segmenter",
)


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
    threading.Thread(target=end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    _write_to(os.open(os.devnull, os.O_WRONLY))
    start_light(only_scores=True, stays_here=STAYS_HERE in sys.argv)
    with contextlib.suppress(ImportError):  # it comes again below, where there is a log
        _load_libraries()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    orders = json.loads(line)
    folder, pid = pathlib.Path(orders["folder"]), os.getpid()
    (folder / f"{PID_PREFIX}{pid}").touch()
    _write_to(os.open(log_path(str(folder), pid), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    os.environ.update(orders["environment"])
    _load_libraries()([])


def _load_libraries() -> Callable[[list[str]], None]:
    """Loads what nearly every run needs, and returns Beam's worker program."""
    for name in _NEEDED:
        importlib.import_module(name)
    from apache_beam.runners.worker import sdk_worker_main

    main: Callable[[list[str]], None] = sdk_worker_main.main
    return main


def _write_to(descriptor: int) -> None:
    """Lets all that this process writes, and the libraries in it, go there."""
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    sys.stdout = sys.stderr = Log(descriptor)


def end_with_parent(parent_pid: int) -> None:
    """Ends this process with the one that started it: one that is killed tells nobody, and this would go on writing."""
    while os.getppid() == parent_pid:
        time.sleep(_LAUNCHER_POLL_SECS)
    os._exit(1)


if __name__ == "__main__":
    main()
