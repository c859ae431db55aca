"""The last step: checks what was written, then makes the run visible at once.

    every planned range has its summaries      else the run fails
    records = scored + empty + dead, per file   else exit 5
    every part has the rows it should have      else the run fails
    not too many dead letters                   else exit 4
    manifest.json is replaced                   from here on this run is the one that counts
    parts of earlier runs are removed
    _SUCCESS

Safe to run twice, and all that it needs comes with it: a job that no launcher waits for commits too.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq

from model.errors import CountMismatchError, SaitenError, TooManyDeadLettersError
from pipelines import storage
from pipelines.run import (
    DEAD_LETTERS_FOLDER,
    MANIFEST,
    SCORES_FOLDER,
    SUCCESS,
    WORK_FOLDER,
    Part,
    RangeSummary,
    Run,
    SourceCount,
)
from pipelines.schema import DEAD_LETTER_SCHEMA
from pipelines.write import PartWriter

FORMAT_VERSION = 1
_PART_NAME = re.compile(r"part-(?P<run>.+)-\d{5}\.parquet$")


@dataclass(frozen=True)
class CommitPlan:
    """What the run must have become.

    Attributes:
        run: Its name and place.
        n_ranges: How many ranges were planned.
        inputs: Path, size and modification time of each source.
        max_dead_letter_rate: Above it nothing is committed.
        counts_duplicates: Ids come from a field, so they may repeat.
        started: Seconds since the epoch.
        about: Options, versions and engine, for the manifest.
    """

    run: Run
    n_ranges: int
    inputs: dict[str, dict[str, Any]]
    max_dead_letter_rate: float
    counts_duplicates: bool
    started: float
    about: dict[str, Any]


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
        finish_commit(run, committed)
        return committed
    by_range = _one_of_each(plan, summaries)
    counts = _count(plan, by_range)
    parts = [summary.part for summary in by_range if summary.part]
    for part in parts:
        _check_part(run, part)
    codes = sum((Counter(summary.codes) for summary in by_range), Counter[str]())
    _judge_dead_letters(plan, counts, codes, by_range)
    if not any(part.path.startswith(DEAD_LETTERS_FOLDER) for part in parts):
        parts.append(_write_empty_dead_letters(run))
    manifest = _manifest(plan, counts, codes, sorted(parts, key=lambda part: part.path))
    content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    storage.write_atomic(storage.join(run.output, MANIFEST), content)
    finish_commit(run, manifest)
    return manifest


def read_manifest(output: str) -> dict[str, Any] | None:
    """Returns the manifest of the run that is committed in a directory, or None."""
    content = storage.read_bytes(storage.join(output, MANIFEST))
    if content is None:
        return None
    manifest: dict[str, Any] = json.loads(content)
    return manifest


def finish_commit(run: Run, manifest: dict[str, Any]) -> None:
    """Removes what earlier runs left in the output directory, then says that the run is whole."""
    current = {file["path"] for file in manifest["outputs"]}
    storage.remove_files(
        [
            storage.join(run.output, folder, name)
            for folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER)
            for name in _part_files(run, folder)
            if f"{folder}/{name}" not in current
        ]
    )
    storage.write_atomic(storage.join(run.output, SUCCESS), b"")
    storage.remove_folder(storage.join(run.output, WORK_FOLDER))


def _part_files(run: Run, folder: str) -> list[str]:
    """Names of all parts in a folder, whole or partial; nobody else's files."""
    names = [path.rpartition("/")[2] for path in storage.list_files(storage.join(run.output, folder))]
    return [name for name in names if _PART_NAME.match(name) or name.endswith(storage.PARTIAL_SUFFIX)]


def _one_of_each(plan: CommitPlan, summaries: Iterable[RangeSummary]) -> list[RangeSummary]:
    found = {(summary.range_index, summary.folder): summary for summary in summaries}
    wanted = [(i, folder) for i in range(plan.n_ranges) for folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER)]
    missing = [key for key in wanted if key not in found]
    if missing:
        index, folder = missing[0]
        raise SaitenError(
            f"Range {index} has not said what became of its {folder}: {len(missing)} reports are missing."
        )
    return [found[key] for key in wanted]


def _count(plan: CommitPlan, summaries: list[RangeSummary]) -> dict[str, SourceCount]:
    counts = dict.fromkeys(plan.inputs, SourceCount())
    for summary in summaries:
        for source, count in summary.counts.items():
            counts[source] += count
    for source, count in counts.items():
        if not count.adds_up:
            raise CountMismatchError(
                f"{source}: {count.records} records read, but {count.scored} scored, {count.empty} empty and "
                f"{count.dead} dead: {count.records - count.scored - count.empty - count.dead} are unaccounted for."
            )
    rows = Counter[str]()
    for summary in summaries:
        rows[summary.folder] += summary.part.rows if summary.part else 0
    total = sum(counts.values(), SourceCount())
    if rows[SCORES_FOLDER] != total.scored + total.empty or rows[DEAD_LETTERS_FOLDER] != total.dead:
        raise CountMismatchError(f"The parts hold {dict(rows)} rows, but the records came out as {total}.")
    return counts


def _check_part(run: Run, part: Part) -> None:
    path = storage.join(run.output, part.path)
    try:
        with storage.open_read(path) as file:
            rows = pq.ParquetFile(file).metadata.num_rows
    except (OSError, ValueError) as error:
        raise SaitenError(f"{path} was written, but cannot be read back: {error}.") from error
    if rows != part.rows:
        raise SaitenError(f"{path} holds {rows} rows, not the {part.rows} that were written.")


def _judge_dead_letters(
    plan: CommitPlan, counts: dict[str, SourceCount], codes: Counter[str], summaries: list[RangeSummary]
) -> None:
    total = sum(counts.values(), SourceCount())
    if total.dead <= plan.max_dead_letter_rate * total.records:
        return
    examples: dict[str, str] = {}
    for summary in summaries:
        examples = summary.examples | examples
    commonest = ", ".join(f"{code} {count} (such as {examples[code]})" for code, count in codes.most_common(3))
    raise TooManyDeadLettersError(
        f"{total.dead} of {total.records} records are dead letters, more than --max_dead_letter_rate="
        f"{plan.max_dead_letter_rate:g} allows: {commonest}. Nothing is committed."
    )


def _write_empty_dead_letters(run: Run) -> Part:
    name = run.part_name(DEAD_LETTERS_FOLDER, 0)
    return PartWriter(run, name, DEAD_LETTER_SCHEMA.with_metadata(run.metadata)).close()


def _manifest(
    plan: CommitPlan, counts: dict[str, SourceCount], codes: Counter[str], parts: list[Part]
) -> dict[str, Any]:
    total = sum(counts.values(), SourceCount())
    finished = time.time()
    return {
        "format_version": FORMAT_VERSION,
        "run_id": plan.run.run_id,
        "bundle_id": plan.run.bundle_id,
        "outputs_scored": list(plan.run.outputs),
        **plan.about,
        "started": _utc(plan.started),
        "finished": _utc(finished),
        "seconds": round(finished - plan.started, 3),
        "counts": asdict(total) | {"duplicate_ids": _duplicate_ids(plan, parts)},
        "dead_letter_codes": dict(codes.most_common()),
        "inputs": [{"source": source, **plan.inputs[source], **asdict(counts[source])} for source in plan.inputs],
        "outputs": [
            {"path": part.path, "rows": part.rows, "bytes": part.n_bytes, "sha256": part.sha256} for part in parts
        ],
    }


def _duplicate_ids(plan: CommitPlan, parts: list[Part]) -> int:
    """How many scored or empty records repeat an earlier one's id; 8 bytes of memory an id."""
    if not plan.counts_duplicates:
        return 0
    hashes = [np.zeros(0, np.int64)]
    for part in parts:
        if part.path.startswith(SCORES_FOLDER):
            with storage.open_read(storage.join(plan.run.output, part.path)) as file:
                hashes += [
                    np.fromiter(map(hash, batch.column(0).to_pylist()), np.int64, batch.num_rows)
                    for batch in pq.ParquetFile(file).iter_batches(columns=["id"])
                ]
    ids = np.concatenate(hashes)
    return len(ids) - len(np.unique(ids))


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
