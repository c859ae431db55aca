"""A job elsewhere: what it is called, where it is, how far it has come, a line every ten seconds."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
)
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.runner import PipelineResult

from saiten.pipelines.beam_metrics import BYTES_READ, RECORDS_READ, dead_letters_by_code, read_counters
from saiten.pipelines.local.execute import Execution, execute
from saiten.pipelines.local.progress_view import progress_line
from saiten.pipelines.local.remote import addresses_of
from saiten.pipelines.local.signals import Job
from saiten.pipelines.repeating import repeating
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.notes.job_note import JobNote, write_job_note
from saiten.pipelines.run.notes.progress_notes import Progress
from saiten.pipelines.run.notes.range_notes import FinishedRanges
from saiten.pipelines.run.run_plan import read_plan
from saiten.pipelines.steps.pipeline import Scoring
from saiten.pipelines.terminal import say

LINE_SECS = 10.0
_ASK_SECS = 5.0
_CONSOLE = "https://console.cloud.google.com/dataflow/jobs"


def execute_elsewhere(scoring: Scoring, execution: Execution, total_bytes: int, *, is_quiet: bool) -> None:
    """Runs the scoring pipeline as a job of a runner elsewhere, and says where it is and how far it has come.

    Args:
        total_bytes: Of the input.
        is_quiet: Says nothing of a job that is waited for.

    Raises:
        SaitenError: As `execute` does.
    """
    run = scoring.commit.run
    name_job(execution.options, run.run_id)

    @contextmanager
    def submitted(job: Job) -> Iterator[None]:
        with noted(job, run, execution, is_quiet=is_quiet):
            n_ranges = len(read_plan(run.output, run.run_id).ranges)
            followed = FollowedJob(job.result, run.work_folder, total_bytes, n_ranges)
            with nullcontext() if is_quiet or not execution.waits else followed.shown():
                yield

    execute(scoring, execution, submitted)


@contextmanager
def noted(job: Job, run: Run, execution: Execution, *, is_quiet: bool) -> Iterator[None]:
    """Says, and writes down beside the output, where a job is as soon as its runner has it."""
    job.note = _note_of(job.result, execution)
    write_job_note(run.work_folder, job.note)
    if not execution.waits:
        say(f"the job {job.note} has begun; saiten inspect {run.output} tells how far it is.")
    elif not is_quiet:
        say(f"the job {job.note} has begun.")
    yield


def name_job(options: PipelineOptions, run_id: str) -> None:
    """Gives the job its run's name, unless the person has given it one."""
    cloud = options.view_as(GoogleCloudOptions)
    cloud.job_name = cloud.job_name or f"saiten-{run_id.lower()}"


def _note_of(result: PipelineResult | None, execution: Execution) -> JobNote:
    """Returns where a job is; each of Beam's runners says it elsewhere."""
    job_id = getattr(result, "job_id", None) or getattr(result, "_job_id", None) or ""
    if not getattr(result, "has_job", True):  # a template, which has no number before it is started
        job_id = ""
    job_id = str(job_id() if callable(job_id) else job_id)
    options, name = execution.options, type(execution.runner).__name__
    cloud = options.view_as(GoogleCloudOptions)
    address = "".join(address.geturl().removeprefix("//") for _, address in addresses_of(options)[:1])
    if name == "DataflowRunner":
        address = f"{_CONSOLE}/{cloud.region}/{job_id}?project={cloud.project}" if job_id else cloud.template_location
    return JobNote(name, str(cloud.job_name or ""), job_id, address)


def ask_state(job: JobNote) -> str | None:
    """Returns the state of a job as a job server tells it; None where there is none that can be asked."""
    import grpc

    if not job.address or "/" in job.address:
        return None
    request = beam_job_api_pb2.GetJobStateRequest(job_id=job.job_id)
    with suppress(grpc.RpcError), grpc.insecure_channel(job.address) as channel:
        answer = beam_job_api_pb2_grpc.JobServiceStub(channel).GetState(request, timeout=_ASK_SECS)
        return str(beam_job_api_pb2.JobState.Enum.Name(answer.state))
    return None


@dataclass
class FollowedJob:
    """A job that goes on elsewhere, and what is known of its progress.

    Attributes:
        work_folder: Its run's.
        total_bytes: Of its input.
        n_ranges: Of its plan.
    """

    result: PipelineResult | None
    work_folder: str
    total_bytes: int
    n_ranges: int
    _finished: FinishedRanges = field(init=False)

    def __post_init__(self) -> None:
        self._finished = FinishedRanges(self.work_folder)

    def progress(self) -> Progress:
        """Returns how far the job has come: by its runner's metrics, or by the ranges that are finished.

        Flink's job server tells no metrics of a job that goes on.
        """
        counters = {}
        with suppress(Exception):  # whatever the runner's client raises, or that it has none
            counters = read_counters(self.result)
        if counters.get(RECORDS_READ):
            tally = DeadLetterTally(counters[RECORDS_READ], dead_letters_by_code(counters))
            return Progress(counters.get(BYTES_READ, 0), tally)
        tally = self._finished.tally()
        return Progress(self.total_bytes * len(self._finished) // max(1, self.n_ranges), tally)

    def line(self) -> str:
        """Returns the job's state and progress."""
        try:
            state = str(self.result.state) if self.result else "GONE"
        except Exception:  # noqa: BLE001 - its runner cannot be asked at the moment
            state = "of unknown state"
        return f"{state}, {progress_line(self.progress(), self.total_bytes)}"

    @contextmanager
    def shown(self, every_secs: float = LINE_SECS) -> Iterator[None]:
        """Says the line every ten seconds while the block runs."""
        with repeating(lambda: say(self.line()), every_secs, _ASK_SECS):
            yield
