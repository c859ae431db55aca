"""What a run sets out to do, recorded beside its output before it begins: what workers, commit and resume go by."""

from dataclasses import dataclass

from saiten.model.bundle.reference import Reference
from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.records import WorkRange
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.run.layout import WORK_FOLDER, Run, work_folder
from saiten.pipelines.run.range_summary import RangeSummary
from saiten.pipelines.statistics.run_statistics import RunStatistics

_PLAN = "plan.json"


@dataclass(frozen=True, kw_only=True)
class RowSettings:
    """Everything beside the input that decides the rows; a run is resumed with the same only.

    Attributes:
        bundle_id: Of the bundle that scores.
        engine: ``packed`` or ``keras``.
        keep_fields: ``name:type``.
        top: So many of the highest classes are named in each row; 0 for none.
    """

    bundle_id: str
    engine: str
    input_format: str
    encoding: str
    quoting: str = "auto"
    text_field: str
    id_field: str | None
    keep_fields: list[str]
    max_record_bytes: int
    no_raw: bool
    top: int = 0


@dataclass(frozen=True)
class PlannedFile:
    """An input file as it was when the work was planned: path, size, and time of change as the file system tells it."""

    path: str
    bytes: int
    modified: str


@dataclass(frozen=True)
class RunPlan:
    """What a run sets out to do.

    Attributes:
        run_id: Whose plan it is.
        started: Seconds since the epoch.
        settings: What decides the rows.
        inputs: By source.
        ranges: The work.
        reference: What the bundle's training data was like, where that is known.
        finished: What earlier attempts have done of it, found whole when this one began.
        finished_statistics: Of the same records; one or none.
    """

    run_id: str
    started: float
    settings: RowSettings
    inputs: dict[str, PlannedFile]
    ranges: tuple[WorkRange, ...]
    reference: Reference | None = None
    finished: tuple[RangeSummary, ...] = ()
    finished_statistics: tuple[RunStatistics, ...] = ()

    @property
    def ranges_left(self) -> list[WorkRange]:
        """The work that is still to be done."""
        done = {summary.range_index for summary in self.finished}
        return [work_range for work_range in self.ranges if work_range.index not in done]


def record_plan(run: Run, plan: RunPlan) -> None:
    """Notes down what the run sets out to do, before it begins or goes on.

    Raises:
        UsageError: The directory cannot be written.
    """
    ranges = {run.range_note(work.index) for work in plan.ranges}
    try:
        # What workers of an earlier attempt said of their progress and their end no longer counts.
        storage.remove_files([path for path in storage.list_files(run.work_folder) if path not in ranges])
        storage.write_atomic(storage.join(run.work_folder, _PLAN), to_json(plan))
    except OSError as error:
        raise UsageError(f"--output={run.output} cannot be written: {error.strerror or error}.") from error


def read_plan(output: str, run_id: str) -> RunPlan:
    """Returns what a run set out to do.

    Raises:
        UsageError: There is no plan of that run, or none that this version reads.
    """
    path = storage.join(work_folder(output, run_id), _PLAN)
    try:
        plan = read_json(path, RunPlan)
    except ValueError as error:
        raise UsageError(f"{path} is no plan that this version reads ({error}); --overwrite starts anew.") from error
    if plan is None:
        raise UsageError(f"{path} is gone: another run has taken the place of this one.")
    return plan


def newest_planned(output: str) -> str | None:
    """Returns the id of the newest run that left a plan in an output directory; None where there is none."""
    paths = storage.list_files(storage.join(output, WORK_FOLDER))
    plans = [path for path in paths if path.endswith(f"/{_PLAN}")]
    return max(plans).split("/")[-2] if plans else None
