"""Ends a process whose batch or loading hangs: what hangs in a library cannot be interrupted, only ended."""

import faulthandler
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from saiten.model.errors import SaitenError
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.terminal import end_process

# A library that hangs without giving up the interpreter's lock stops Python's own timers too.
_BACKSTOP_SECS = 5.0
# TensorFlow, and what is compiled at the first batch, take their time on a busy machine.
_LEAST_LOADING_SECS = 120.0


class _Backstop:
    """Ends the process without the interpreter's help: by the one timer that a process has for it, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: list[float] = []

    @contextmanager
    def armed(self, secs: float) -> Iterator[None]:
        """Ends the process if the block of the `with` takes longer, whatever other threads begin and end meanwhile."""
        end = time.monotonic() + secs
        with self._lock:
            self._ends.append(end)
            self._set_timer()
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)
                self._set_timer()

    def _set_timer(self) -> None:
        if self._ends:
            faulthandler.dump_traceback_later(max(1e-3, min(self._ends) - time.monotonic()), exit=True, file=2)
        else:
            faulthandler.cancel_dump_traceback_later()


_backstop = _Backstop()


@dataclass(frozen=True)
class Deadline:
    """How long one block may take; travels with the steps.

    Attributes:
        secs: From `--batch_timeout_secs`.
        reports: Where the launcher finds out why a worker ended.
        launcher_pid: The process at whose terminal the person sits.
    """

    secs: float
    reports: FailureReports
    launcher_pid: int

    @contextmanager
    def for_batch(self) -> Iterator[None]:
        """Ends this process, exit 1, if the block of the `with` takes longer, which is a batch."""
        with self._ended_after(self.secs, f"A batch took longer than --batch_timeout_secs={self.secs:g}"):
            yield

    @contextmanager
    def for_loading(self) -> Iterator[None]:
        """Ends this process, exit 1, if the block of the `with` takes longer, and longer than two minutes."""
        secs = max(self.secs, _LEAST_LOADING_SECS)
        with self._ended_after(secs, f"A worker took longer than {secs:g} s to load the bundle and to try it"):
            yield

    @contextmanager
    def _ended_after(self, secs: float, sentence: str) -> Iterator[None]:
        timer = threading.Timer(secs, self._end, [f"{sentence}; nothing was committed."])
        timer.daemon = True
        timer.start()
        try:
            with _backstop.armed(secs + _BACKSTOP_SECS):
                yield
        finally:
            timer.cancel()

    def _end(self, message: str) -> None:
        self.reports.write(SaitenError(message))
        if os.getpid() == self.launcher_pid:
            end_process(SaitenError.exit_code, message)
        os._exit(SaitenError.exit_code)
