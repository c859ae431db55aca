"""Ctrl-C and SIGTERM: the run ends with one line, its workers with it, and nothing is half visible."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from apache_beam.runners.runner import PipelineResult, PipelineState

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.local.workers import LocalWorkers
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.job_note import JobNote
from saiten.pipelines.run.owner import withdraw
from saiten.pipelines.run.run_manifest import read_run_manifest
from saiten.pipelines.terminal import end_process

NOTHING_COMMITTED = "nothing was committed, --resume goes on from here"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# How long a runner gets to end a job that it was asked to cancel.
_CANCEL_SECS = 30.0
_STATE_POLL_SECS = 0.5
# How long a commit gets that has begun.
_COMMIT_SECS = 30.0


@dataclass
class Job:
    """What a signal has to end.

    Attributes:
        run: Whose pipeline it is.
        workers: On this machine; None on a remote runner.
        left: What is there when it ends early.
        result: Of a pipeline that goes on elsewhere; local ones have ended when there is one.
        note: What that is called at its runner.
        is_on_its_way: A runner elsewhere may have it, and has not said so yet.
    """

    run: Run
    workers: LocalWorkers | None
    left: str = NOTHING_COMMITTED
    result: PipelineResult | None = None
    note: JobNote | None = None
    is_on_its_way: bool = False

    def end(self) -> str:
        """Ends the workers, or fences the remote job off and cancels it; returns what the person has to know."""
        if self.workers:
            self.workers.kill()
        try:
            if self.is_committed():
                return "the run is committed, --resume marks it"
        except SaitenError as error:
            return str(error)[0].lower() + str(error)[1:-1]
        if self.workers or not (self.result or self.is_on_its_way):
            return self.left
        if self.result is None:
            return f"its runner may have got the job, which is fenced off: {self.left}"
        state = self.cancel()
        if state is None:
            return f"the job {self.note or ''} may still be running, but is fenced off: {self.left}"
        # Beam's job server for Flink says so and Flink itself may still try again: what counts is the fence.
        said = "is cancelled" if state == PipelineState.CANCELLED else f"ended as {state}"
        return f"the job {said}, as its runner tells, and is fenced off: {self.left}"

    def is_committed(self) -> bool:
        """Tells whether the run counts; from then on it does not begin to.

        Raises:
            SaitenError: It cannot be told; the job is cancelled.
        """
        try:
            if self._counts() or self.workers:
                return self._counts()
            has_begun = not withdraw(self.run)
            return self._counts() or (has_begun and self._comes_to_count())
        except Exception as error:  # whatever a store's library raises, the process has to end
            self.cancel()
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise SaitenError(
                f"Whether the run is committed cannot be told ({reason}); saiten inspect {self.run.output} tells."
            ) from error

    def _comes_to_count(self) -> bool:
        until = time.monotonic() + _COMMIT_SECS
        while time.monotonic() < until:
            if self._counts():
                return True
            time.sleep(_STATE_POLL_SECS)
        raise TimeoutError("its commit has begun and does not end")

    def _counts(self) -> bool:
        with suppress(UsageError):  # a manifest that cannot be read is not this run's
            manifest = read_run_manifest(self.run.output)
            return manifest is not None and manifest.run_id == self.run.run_id
        return False

    def cancel(self) -> str | None:
        """Cancels a remote job; returns the state in which it has ended, or None if it may still go on.

        That the runner took the request says nothing: some go on all the same.
        """
        if self.result is None or self.workers:
            return str(PipelineState.CANCELLED)
        until = time.monotonic() + _CANCEL_SECS
        with suppress(Exception):  # whatever the runner's client raises, the job's state is what counts
            self.result.cancel()
        while time.monotonic() < until:
            try:
                state = str(self.result.state)
            except Exception:  # noqa: BLE001 - its runner can no longer be asked
                return None
            if PipelineState.is_terminal(state):
                return state
            time.sleep(_STATE_POLL_SECS)
        return None


@contextmanager
def ending_on_signals(job: Job) -> Iterator[None]:
    """Ends the process on a signal while the block runs; a second signal waits for nothing."""

    def end(number: int, _frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, end_at_once)
        said = job.end()
        end_process(128 + number, f"{_word(number)}; {said}.")

    def end_at_once(number: int, _frame: FrameType | None) -> None:
        if job.workers:
            job.workers.kill(wait_secs=0)
        end_process(128 + number, f"{_word(number)} twice; --resume goes on from here.", at_once=True)

    if threading.current_thread() is not threading.main_thread():  # only there may a program say what a signal does
        yield
        return
    previous = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _word(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else "terminated"
