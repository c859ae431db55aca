"""The last step: checks what was written, then makes the run visible at once.

    every planned range has its summaries      else the run fails
    records = scored + empty + dead, per file   else exit 5
    every part has its rows and its size        else the run fails
    not too many dead letters                   else exit 4
    manifest.json is replaced                   from here on this run is the one that counts
    parts of earlier runs are removed
    report.html
    _SUCCESS

Safe to run twice, and all that it needs comes with it: a job that no launcher waits for commits too.
"""

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from saiten.model.errors import CountMismatchError, SaitenError
from saiten.pipelines import storage
from saiten.pipelines.run.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.layout import (
    DEAD_LETTERS_FOLDER,
    LOCK,
    MANIFEST,
    PART_NAME,
    REPORT,
    SCORES_FOLDER,
    SUCCESS,
    WORK_FOLDER,
    Run,
)
from saiten.pipelines.run.part import PartWriter, check_part
from saiten.pipelines.run.range_summary import Part, RangeSummary, SourceCount
from saiten.pipelines.run.report import write_report
from saiten.pipelines.run.run_manifest import CommitPlan, make_manifest, read_manifest


@dataclass
class Commit(beam.PTransform):
    """Checks the run and makes it visible; gives the manifest, one element."""

    plan: CommitPlan

    def expand(self, summaries: beam.PCollection) -> beam.PCollection:
        return (
            summaries.pipeline
            | "Once" >> beam.Create([self.plan])
            | "CommitRun" >> beam.ParDo(_CommitDoFn(), beam.pvalue.AsList(summaries))
        )


class _CommitDoFn(beam.DoFn):
    def process(self, plan: CommitPlan, summaries: list[RangeSummary]) -> Iterator[dict[str, Any]]:
        with plan.run.reports.reported():
            manifest = commit_run(plan, summaries)
        yield manifest


def commit_run(plan: CommitPlan, summaries: Iterable[RangeSummary]) -> dict[str, Any]:
    """Checks the run against its plan and makes it visible.

    Returns:
        The manifest.

    Raises:
        CountMismatchError: A record is not accounted for.
        TooManyDeadLettersError: More than `max_dead_letter_rate` of the records are dead.
        SaitenError: A range or a part is missing or not as it was reported.
    """
    run = plan.run
    committed = read_manifest(run.output)
    if committed and committed["run_id"] == run.run_id:
        finish_commit(run.output, committed)
        return committed
    by_range = _one_of_each(plan, summaries)
    counts = _count(plan, by_range)
    parts = [part for summary in by_range for part in summary.parts]
    for part in parts:
        check_part(run.output, part)
    tally = DeadLetterTally(sum(counts.values(), SourceCount()).records)
    for summary in by_range:
        tally.merge(0, summary.codes, summary.examples)
    tally.refuse_too_many(plan.max_dead_letter_rate)
    if not any(part.path.startswith(DEAD_LETTERS_FOLDER) for part in parts):
        parts.append(_write_empty_dead_letters(run))
    manifest = make_manifest(plan, counts, tally.codes, sorted(parts, key=lambda part: part.path))
    content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    storage.write_atomic(storage.join(run.output, MANIFEST), content)
    finish_commit(run.output, manifest)
    return manifest


def finish_commit(output: str, manifest: dict[str, Any]) -> None:
    """Removes what other runs left in the output directory, and says that the run is whole; safe to run again.

    Args:
        output: The output directory, in which the manifest lies already.
        manifest: Of the run that counts.

    Raises:
        SaitenError: Some of it failed; the run is committed all the same.
    """
    try:
        _clear_and_mark(output, manifest)
    except Exception as error:  # whatever the disk, the store or the report raises, the run counts already
        raise SaitenError(
            f"The run in {output} is committed, but not marked and cleared up: {error}; --resume does that."
        ) from error


def _clear_and_mark(output: str, manifest: dict[str, Any]) -> None:
    parts, beside = _leftovers(output, {file["path"] for file in manifest["outputs"]})
    storage.remove_files(parts)
    write_report(output, manifest)
    storage.write_atomic(storage.join(output, SUCCESS), b"")
    storage.remove_files(beside)
    storage.remove_folder(storage.join(output, WORK_FOLDER), keep=LOCK)


def _leftovers(output: str, current: set[str]) -> tuple[list[str], list[str]]:
    """Parts that don't count, and files that a killed run began beside the manifest; nobody else's files."""
    parts, beside = [], []
    for path in storage.list_files(output):
        below = path.removeprefix(output.rstrip("/") + "/")
        folder, _, name = below.rpartition("/")
        whole = storage.whole_name(name)
        if folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER) and re.fullmatch(PART_NAME, whole) and below not in current:
            parts.append(path)
        elif not folder and name != whole and whole in (MANIFEST, REPORT, SUCCESS):
            beside.append(path)
    return parts, beside


def _one_of_each(plan: CommitPlan, summaries: Iterable[RangeSummary]) -> list[RangeSummary]:
    found = {summary.range_index: summary for summary in summaries}
    missing = [i for i in range(plan.n_ranges) if i not in found]
    if missing:
        raise SaitenError(f"Range {missing[0]} has not said what became of it: {len(missing)} summaries are missing.")
    return [found[i] for i in range(plan.n_ranges)]


def _count(plan: CommitPlan, summaries: list[RangeSummary]) -> dict[str, SourceCount]:
    counts = dict.fromkeys(plan.inputs, SourceCount())
    for summary in summaries:
        for source, count in summary.counts.items():
            counts[source] += count
    for source, count in counts.items():
        if count.unaccounted:
            raise CountMismatchError(
                f"{source}: {count.records} records read, but {count.scored} scored, {count.empty} empty and "
                f"{count.dead} dead: {count.unaccounted} are unaccounted for."
            )
    total = sum(counts.values(), SourceCount())
    score_rows = sum(summary.scores.rows for summary in summaries)
    dead_rows = sum(summary.dead_letters.rows for summary in summaries if summary.dead_letters)
    if (score_rows, dead_rows) != (total.scored + total.empty, total.dead):
        raise CountMismatchError(
            f"The parts hold {score_rows} scores and {dead_rows} dead letters, but the records came out as {total}."
        )
    return counts


def _write_empty_dead_letters(run: Run) -> Part:
    name = run.part_name(DEAD_LETTERS_FOLDER, 0, uuid.uuid4().hex[:8])
    return PartWriter(run, name, run.dead_letters_schema).close()
