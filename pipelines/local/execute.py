"""Runs the pipeline, and ends it cleanly whatever happens."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner, PipelineState

from saiten.model.errors import SaitenError
from saiten.pipelines.local.signals import NOTHING_COMMITTED, Job, ending_on_signals
from saiten.pipelines.local.workers import STARTER_THREAD, LocalWorkers
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.owner import owner_of
from saiten.pipelines.steps.pipeline import Scoring, build
from saiten.pipelines.storage import what_failed
from saiten.pipelines.terminal import done_before_end, end_process

# Beam's threads that read what a worker sends: they end with its connection, which Beam notices by itself.
_READER_THREADS = ("beam_control_read", "read_grpc_client_inputs")
# How Python writes an error of the system's down.
_DISK_ERROR = re.compile(r"\[Errno (?P<number>\d+)\] (?P<reason>[^:]+)(: '(?P<path>.*)')?$")
# How long Beam gets to notice by itself that a worker is gone; it takes some 4 s.
_NOTICE_SECS = 20.0
_NOT_STARTED = "A worker did not start: saiten doctor tries what it needs; --resume goes on from here."


@dataclass(frozen=True)
class Execution:
    """Where the pipeline runs.

    Attributes:
        workers: The local worker processes, None on a remote runner.
        waits: Until the pipeline has ended, or only until a remote runner has it.
    """

    runner: PipelineRunner
    options: PipelineOptions
    workers: LocalWorkers | None
    waits: bool = True


def local_execution(workers: LocalWorkers, flags: Sequence[str]) -> Execution:
    """Returns an execution on this machine."""
    return Execution(workers.runner(), workers.options(flags), workers)


@dataclass(frozen=True)
class Work:
    """A pipeline that is to run.

    Attributes:
        run: Whose output it writes.
        wire: Builds it.
        left: What is there when it ends early.
    """

    run: Run
    wire: Callable[[beam.Pipeline], object]
    left: str


def execute(
    scoring: Scoring,
    execution: Execution,
    submitted: Callable[[Job], contextlib.AbstractContextManager[None]] = lambda _job: contextlib.nullcontext(),
) -> None:
    """Runs the scoring pipeline: see `run_work`."""
    work = Work(scoring.commit.run, lambda pipeline: build(pipeline, scoring), NOTHING_COMMITTED)
    run_work(work, execution, submitted)


def run_work(
    work: Work, execution: Execution, submitted: Callable[[Job], contextlib.AbstractContextManager[None]]
) -> None:
    """Runs a pipeline to its end, or until a runner has it that is not waited for.

    Args:
        submitted: Is entered as soon as a remote runner has the job, and left when it has ended.

    Raises:
        SaitenError: What a worker reported, or that one was lost; nothing was committed unless it says so.
    """
    reports = work.run.reports
    job = Job(work.run, execution.workers, work.left)
    with ending_on_signals(job), done_before_end(job.cancel), _ending_when_lost(work.run, execution.workers):
        try:
            pipeline = beam.Pipeline(runner=execution.runner, options=execution.options)
            work.wire(pipeline)
            job.is_on_its_way = True
            job.result = pipeline.run()
            with submitted(job):
                if not execution.waits:
                    return
                state = job.result.wait_until_finish()
        except Exception as error:  # Beam raises whatever a worker raised, as text
            taken = _taken(work.run, execution)
            if execution.workers is None:
                if job.is_committed():
                    return
                job.cancel()
            said = _last_line(error)
            # Beam ends all workers after an error, so that one which is gone need not be why.
            known = reports.gravest() or taken or _disk_error(said) or _lost_worker(execution.workers)
            raise known or SaitenError(said) from error
        finally:
            if execution.workers:
                execution.workers.kill()
    taken = _taken(work.run, execution)
    if state != PipelineState.DONE and not (execution.workers is None and job.is_committed()):
        raise reports.gravest() or taken or SaitenError(f"The pipeline ended as {state}; its runner's log says why.")


@contextlib.contextmanager
def _ending_when_lost(run: Run, workers: LocalWorkers | None) -> Iterator[None]:
    """Turns what Beam's threads say of a lost worker, a traceback each, into one sentence.

    Beam fails a run that lost a worker it had heard of. For one that ended before it connected it would
    wait for ever, and the error of the thread that started it is the only sign.
    """
    if workers is None:
        yield
        return
    ended = threading.Event()

    def end_if_unnoticed(failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else None
        if name != STARTER_THREAD and name not in _READER_THREADS:
            previous(failed)
        if name != STARTER_THREAD or ended.wait(_NOTICE_SECS):
            return
        error = run.reports.gravest() or _lost_worker(workers) or SaitenError(_NOT_STARTED)
        workers.kill()
        end_process(error.exit_code, str(error))

    previous = threading.excepthook
    threading.excepthook = end_if_unnoticed
    try:
        yield
    finally:
        ended.set()
        threading.excepthook = previous


def _taken(run: Run, execution: Execution) -> SaitenError | None:
    """What is to be said where a job elsewhere is fenced off; a commit takes its own token away, too."""
    with contextlib.suppress(Exception):  # whatever a store's library raises, there is an error to tell already
        if execution.workers is None and owner_of(run.output) != run.token:
            return SaitenError(
                f"{run.output} was claimed by another run while this one went on: this one commits nothing."
            )
    return None


def _lost_worker(workers: LocalWorkers | None) -> SaitenError | None:
    log = workers.log_of_lost() if workers else None
    if log is None:
        return None
    return SaitenError(f"A worker process was killed or crashed (its log: {log}); --resume goes on from here.")


def _last_line(error: BaseException) -> str:
    """What Beam says of a worker's error: the last line of its traceback, without the step's name."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].partition(" [while running")[0] if lines else type(error).__name__


def _disk_error(said: str) -> SaitenError | None:
    """An error of the disk by what Beam says of it: where the disk is full, there is no room for a worker's report."""
    found = _DISK_ERROR.search(said)
    if found is None:
        return None
    error = OSError(int(found["number"]), found["reason"], found["path"])
    return SaitenError(f"{what_failed(error)}; --resume goes on from here.")
