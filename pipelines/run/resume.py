"""What a run that was not committed left behind, and whether another may go on with it."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.records import FileSlice, WorkRange
from saiten.pipelines.run.layout import WORK_FOLDER, Run
from saiten.pipelines.run.part import check_part
from saiten.pipelines.run.range_summary import Part, RangeSummary
from saiten.pipelines.run.run_manifest import read_manifest

_PLAN = "plan.json"
# What `settings` hold of each input file.
_INPUT_FIELDS = ("path", "size", "time of change")


@dataclass(frozen=True)
class RecordedPlan:
    """What a run set out to do; everything in `settings` changes rows.

    Attributes:
        run_id: Whose plan it is.
        started: Seconds since the epoch.
        settings: Bundle, inputs and options, JSON-able.
        ranges: The work.
    """

    run_id: str
    started: float
    settings: dict[str, Any]
    ranges: tuple[WorkRange, ...]


def record_plan(run: Run, plan: RecordedPlan) -> None:
    """Notes down what the run sets out to do, before it begins or goes on.

    Raises:
        UsageError: The directory cannot be written.
    """
    # As ASCII: a path may hold what UTF-8 cannot.
    content = json.dumps(dataclasses.asdict(plan)).encode()
    ranges = {run.range_note(work.index) for work in plan.ranges}
    try:
        # What workers of an earlier attempt said of their progress and their end no longer counts.
        storage.remove_files([path for path in storage.list_files(run.work_folder) if path not in ranges])
        storage.write_atomic(storage.join(run.work_folder, _PLAN), content)
    except OSError as error:
        raise UsageError(f"--output={run.output} cannot be written: {error}.") from error


def find_unfinished(output: str, settings: dict[str, Any]) -> RecordedPlan | None:
    """Returns the plan of the newest run that was not committed, or None.

    Raises:
        UsageError: It was made with another bundle, other inputs or other settings: names the first difference.
    """
    content = _newest_plan(output)
    if content is None:
        return None
    _check_settings("unfinished", content["settings"], settings)
    ranges = [WorkRange(r["index"], tuple(FileSlice(**piece) for piece in r["slices"])) for r in content["ranges"]]
    return RecordedPlan(content["run_id"], content["started"], content["settings"], tuple(ranges))


def find_committed(output: str, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the manifest of the run that was the last one here, if it was committed; else None.

    Raises:
        UsageError: It was made with another bundle, other inputs or other settings: names the first difference.
            Or one of its parts is gone or damaged.
    """
    manifest = read_manifest(output)
    newest = _newest_plan(output)
    if manifest is None or (newest and newest["run_id"] != manifest["run_id"]):
        return None
    inputs = {file["source"]: [file["path"], file["bytes"], file["modified"]] for file in manifest["inputs"]}
    _check_settings("committed", {**manifest["settings"], "inputs": inputs}, settings)
    try:
        for part in manifest["outputs"]:
            check_part(output, Part(part["path"], part["rows"], part["bytes"], part["sha256"]), to_the_byte=True)
    except SaitenError as error:
        raise UsageError(f"--resume: the committed run is damaged: {error} --overwrite scores anew.") from error
    return manifest


def _newest_plan(output: str) -> dict[str, Any] | None:
    paths = plan_paths(output)
    content = storage.read_bytes(max(paths)) if paths else None
    return dict(json.loads(content)) if content else None


def plan_paths(output: str) -> list[str]:
    """Returns the paths of the plans that lie in an output directory."""
    return [path for path in storage.list_files(storage.join(output, WORK_FOLDER)) if path.endswith(f"/{_PLAN}")]


def _check_settings(state: str, recorded: dict[str, Any], settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        before = recorded.get(name)
        if before != value:
            difference = f"{name} ({_shortened(before)}, now {_shortened(value)})"
            if name == "inputs" and isinstance(before, dict):
                difference = f"input {_input_difference(before, value)}"
            raise UsageError(
                f"--resume: the {state} run has another {difference}: "
                "give what it was started with, or --overwrite to start anew."
            )


def _input_difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Names the first file that differs, and in what: both dictionaries are as long as the input has files."""
    source = min(source for source in {*before, *now} if before.get(source) != now.get(source))
    if source not in now:
        return f"{source} (missing now)"
    if source not in before:
        return f"{source} (new)"
    what, old, new = next(
        entry for entry in zip(_INPUT_FIELDS, before[source], now[source], strict=True) if entry[1] != entry[2]
    )
    return f"{source} ({what} {old}, now {new})"


def finished_ranges(run: Run, plan: RecordedPlan) -> list[RangeSummary]:
    """Returns the summary of every range that is finished and whose parts are still whole."""
    summaries = (_read_summary(run, work.index) for work in plan.ranges)
    return [summary for summary in summaries if summary and _is_whole(run, summary)]


def _read_summary(run: Run, range_index: int) -> RangeSummary | None:
    content = storage.read_bytes(run.range_note(range_index))
    return RangeSummary.from_dict(json.loads(content)) if content else None


def _is_whole(run: Run, summary: RangeSummary) -> bool:
    try:
        for part in summary.parts:
            check_part(run.output, part, to_the_byte=True)
    except SaitenError:
        return False
    return True


def _shortened(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
