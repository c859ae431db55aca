"""Who may write to an output directory, and what an unfinished run left there."""

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from model.errors import SaitenError, UsageError
from pipelines import storage
from pipelines.claim import claim
from pipelines.part_writer import check_part
from pipelines.records import FileSlice, WorkRange
from pipelines.run import (
    DEAD_LETTERS_FOLDER,
    LOCK,
    MANIFEST,
    REPORT,
    RUN_ID,
    SCORES_FOLDER,
    SUCCESS,
    WORK_FOLDER,
    Part,
    RangeSummary,
    Run,
)
from pipelines.run_manifest import read_manifest

_FOLDERS = (SCORES_FOLDER, DEAD_LETTERS_FOLDER, WORK_FOLDER)
_FILES = (MANIFEST, SUCCESS, REPORT)
_PLAN = "plan.json"
# What `settings` hold of each input file.
_INPUT_FIELDS = ("path", "size", "time of change")
_FOREIGN_WORK = re.compile(rf"{WORK_FOLDER}/(?!{LOCK}$|{RUN_ID}/)")


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


def refuse_used(output: str, *, overwrite: bool, resume: bool) -> None:
    """Refuses a directory that holds something this run would not replace or finish.

    Raises:
        UsageError: With what it holds and the remedy.
    """
    if not storage.is_remote(output):
        _refuse_kinds(output)
    try:
        below = [path.removeprefix(output.rstrip("/") + "/") for path in storage.list_files(output)]
    except OSError as error:
        raise UsageError(f"--output={output} cannot be read: {error}.") from error
    names = {storage.whole_name(path.split("/")[0]) for path in below}
    # All of the work folder goes with the commit, so nothing but runs' own may lie there.
    foreign = sorted([*names.difference(_FOLDERS, _FILES), *(path for path in below if _FOREIGN_WORK.match(path))])
    if foreign:
        raise UsageError(f"--output={output} holds {foreign[0]}, which is no run's: give a directory of its own.")
    if MANIFEST in below and read_manifest(output) and not (overwrite or resume):
        raise UsageError(f"--output={output} holds a run: --overwrite replaces it, or give another directory.")
    if (names - {WORK_FOLDER} or _plan_paths(output)) and not (overwrite or resume):
        raise UsageError(
            f"--output={output} holds an unfinished run: --resume finishes it, --overwrite starts anew, "
            "or give another directory."
        )


def _refuse_kinds(output: str) -> None:
    """Refuses what a run could not write to or clear up, though it has the right name."""
    if os.path.lexists(output) and not os.path.isdir(output):
        raise UsageError(f"--output={output} is a file: give a directory.")
    for name in (*_FOLDERS, *_FILES):
        path = os.path.join(output, name)
        # Parts of earlier runs behind a link would never be found.
        is_link, is_folder = os.path.islink(path), os.path.isdir(path)
        fits = is_folder and not is_link if name in _FOLDERS else not is_folder
        if os.path.lexists(path) and not fits:
            kind = "a link" if is_link else "a folder" if is_folder else "a file"
            raise UsageError(f"--output={output} holds {name}, which is {kind}: give a directory of its own.")


@contextmanager
def claimed(output: str, *, overwrite: bool, resume: bool) -> Iterator[None]:
    """Refuses a directory that is in use, and keeps other launchers out of it while the block runs.

    Raises:
        UsageError: The directory holds something, cannot be written, or another process writes to it.
    """
    refuse_used(output, overwrite=overwrite, resume=resume)
    with claim(output):
        refuse_used(output, overwrite=overwrite, resume=resume)  # another run may have ended meanwhile
        yield


def record_plan(run: Run, plan: RecordedPlan) -> None:
    """Notes down what the run sets out to do, before it begins or goes on.

    Raises:
        UsageError: The directory cannot be written.
    """
    # As ASCII: a path may hold what UTF-8 cannot.
    content = json.dumps(dataclasses.asdict(plan)).encode()
    ranges = {
        run.range_note(folder, work.index) for folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER) for work in plan.ranges
    }
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
    paths = _plan_paths(output)
    content = storage.read_bytes(max(paths)) if paths else None
    return dict(json.loads(content)) if content else None


def _plan_paths(output: str) -> list[str]:
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
    """Returns both summaries of every range that both writers finished and whose parts are still whole."""
    finished = []
    for work in plan.ranges:
        summaries = [_read_summary(run, folder, work.index) for folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER)]
        if all(summary is not None and _is_whole(run, summary) for summary in summaries):
            finished += [summary for summary in summaries if summary]
    return finished


def _read_summary(run: Run, folder: str, range_index: int) -> RangeSummary | None:
    content = storage.read_bytes(run.range_note(folder, range_index))
    return RangeSummary.from_dict(json.loads(content)) if content else None


def _is_whole(run: Run, summary: RangeSummary) -> bool:
    try:
        if summary.part:
            check_part(run.output, summary.part, to_the_byte=True)
    except SaitenError:
        return False
    return True


def _shortened(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
