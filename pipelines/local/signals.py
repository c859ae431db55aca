"""Ctrl-C and SIGTERM: the run ends with one line, its workers with it, and nothing is half visible."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from apache_beam.runners.runner import PipelineResult

from saiten.pipelines.local.workers import LocalWorkers
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.run_manifest import read_run_manifest
from saiten.pipelines.terminal import end_process

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Job:
    """What a signal has to end.

    Attributes:
        run: Whose pipeline it is.
        workers: On this machine; None on a remote runner.
        result: Of a pipeline that goes on elsewhere; local ones have ended when there is one.
    """

    run: Run
    workers: LocalWorkers | None
    result: PipelineResult | None = None

    def end(self) -> str:
        """Ends the workers, or cancels the remote job; returns what the person has to know."""
        if self.workers:
            self.workers.kill()
        if self.workers is None and self.result is not None and not self._is_cancelled(self.result):
            return "the job could not be cancelled and may go on: its runner's page says more"
        try:
            manifest = read_run_manifest(self.run.output)
        except Exception:  # noqa: BLE001 - whatever a store's library raises, the process has to end
            manifest = None
        if manifest is not None and manifest.run_id == self.run.run_id:
            return "the run is committed, --resume marks it"
        return "nothing was committed, --resume goes on from here"

    @staticmethod
    def _is_cancelled(result: PipelineResult) -> bool:
        try:
            result.cancel()
        except Exception:  # noqa: BLE001 - whatever the runner's client raises, the person has to know
            return False
        return True


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

    previous = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _word(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else "terminated"
