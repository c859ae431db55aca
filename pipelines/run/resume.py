"""What an earlier run left behind, and whether another may go on with it."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, replace
from typing import Any

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.run.json_file import read_json
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.parquet_part import check_part
from saiten.pipelines.run.range_summary import RangeNote
from saiten.pipelines.run.run_manifest import RunManifest, read_run_manifest
from saiten.pipelines.run.run_plan import PlannedFile, RowSettings, RunPlan, newest_planned, read_plan
from saiten.pipelines.statistics.run_statistics import StatisticsCounter

# What a message calls the fields of `PlannedFile`.
_INPUT_FIELDS = ("path", "size", "time of change")
# On a store each note and each part costs some round trips.
_READ_AT_ONCE = 16


def find_unfinished(output: str, settings: RowSettings, inputs: dict[str, PlannedFile]) -> RunPlan | None:
    """Returns the plan of the newest run that was not committed, or None.

    Raises:
        UsageError: It was made with another bundle, other inputs or other settings: names the first difference.
    """
    run_id = newest_planned(output)
    if run_id is None:
        return None
    plan = read_plan(output, run_id)
    _refuse_difference("unfinished", asdict(plan.settings), plan.inputs, settings, inputs)
    return plan


def find_committed(output: str, settings: RowSettings, inputs: dict[str, PlannedFile]) -> RunManifest | None:
    """Returns the manifest of the run that was the last one here, if it was committed; else None.

    Raises:
        UsageError: It was made with another bundle, other inputs or other settings: names the first difference.
            Or one of its parts is gone or damaged.
    """
    manifest = read_run_manifest(output)
    if manifest is None or newest_planned(output) not in (None, manifest.run_id):
        return None
    before = {file.source: PlannedFile(file.path, file.bytes, file.modified) for file in manifest.inputs}
    _refuse_difference("committed", manifest.settings, before, settings, inputs)
    try:
        with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
            list(pool.map(lambda part: check_part(output, part, to_the_byte=True), manifest.outputs))
    except SaitenError as error:
        raise UsageError(f"--resume: the committed run is damaged: {error} --overwrite scores anew.") from error
    return manifest


def without_finished_ranges(run: Run, plan: RunPlan) -> RunPlan:
    """Returns the plan with every range that is finished and whose parts are still whole."""
    counter = StatisticsCounter(run.statistics)
    finished = []
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        for note in pool.map(lambda work: _read_note(run, work.index), plan.ranges):
            if note:
                finished.append(note.summary)
                counter.merge(note.statistics)
    return replace(plan, finished=tuple(finished), finished_statistics=(counter.counted,) if finished else ())


def _read_note(run: Run, range_index: int) -> RangeNote | None:
    """Returns the note of a finished range, or None where the range is to be done (again)."""
    try:
        note = read_json(run.range_note(range_index), RangeNote)
        for part in note.summary.parts if note else ():
            check_part(run.output, part, to_the_byte=True)
    except (SaitenError, ValueError):  # a part is damaged, or the note is another version's
        return None
    return note


def _refuse_difference(
    state: str,
    before: dict[str, Any],
    inputs_before: dict[str, PlannedFile],
    settings: RowSettings,
    inputs: dict[str, PlannedFile],
) -> None:
    now = asdict(settings)
    changed = next((name for name, value in now.items() if before.get(name) != value), None)
    if changed is not None:
        difference = f"{changed} ({_shortened(before.get(changed))}, now {_shortened(now[changed])})"
    elif inputs_before != inputs:
        difference = f"input {_input_difference(inputs_before, inputs)}"
    else:
        return
    raise UsageError(
        f"--resume: the {state} run has another {difference}: "
        "give what it was started with, or --overwrite to start anew."
    )


def _input_difference(before: dict[str, PlannedFile], now: dict[str, PlannedFile]) -> str:
    """Names the first file that differs, and in what: both dictionaries are as long as the input has files."""
    source = min(source for source in {*before, *now} if before.get(source) != now.get(source))
    if source not in now:
        return f"{source} (missing now)"
    if source not in before:
        return f"{source} (new)"
    what, old, new = next(
        entry
        for entry in zip(_INPUT_FIELDS, astuple(before[source]), astuple(now[source]), strict=True)
        if entry[1] != entry[2]
    )
    return f"{source} ({what} {old}, now {new})"


def _shortened(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
