"""The last step: checks what was written, then makes the run visible at once.

    every planned range has its summary         else the run fails
    records = scored + empty + dead, per file   else exit 5
    every part has its rows and its size        else the run fails
    not too many dead letters                   else exit 4
    the output is still this job's              else the run fails
    manifest.json is replaced                   from here on this run is the one that counts; both in one
    parts of earlier runs are removed
    report.html
    _SUCCESS

Safe to run twice, and all that it needs comes with it or lies beside the output: a job that no launcher waits for
commits too.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

import apache_beam as beam

from saiten.pipelines import storage
from saiten.pipelines.reports.verdict import judge_run
from saiten.pipelines.run.json_file import to_json
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, RUN_MANIFEST, Run
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.owner import deciding, owner_of, refuse_fenced_off, write_as_owner
from saiten.pipelines.run.parquet_part import PartWriter, check_part
from saiten.pipelines.run.range_summary import Part, RangeSummary, SourceCount
from saiten.pipelines.run.run_manifest import InputReport, RunCounts, RunManifest, read_run_manifest
from saiten.pipelines.run.run_plan import RunPlan, read_plan
from saiten.pipelines.statistics.repeated_ids import IdSample
from saiten.pipelines.statistics.run_statistics import RunStatistics
from saiten.pipelines.steps.finish import finish_commit
from saiten.pipelines.steps.merge_statistics import merge_statistics
from saiten.pipelines.steps.reconcile import count_by_source, summaries_of_all

# Parts that are looked at side by side: on a store each costs some round trips.
_CHECKED_AT_ONCE = 32


@dataclass(frozen=True)
class CommitSettings:
    """What the commit goes by, beside the run's plan.

    Attributes:
        run: Its name and place.
        max_dead_letter_rate: Above it nothing is committed.
        versions: Of libraries, by name, for the manifest.
    """

    run: Run
    max_dead_letter_rate: float
    versions: Mapping[str, str]


@dataclass
class Commit(beam.PTransform):
    """Checks the run and makes it visible; gives the run's id, one element."""

    settings: CommitSettings

    def expand(self, written: tuple[beam.PCollection, beam.PCollection]) -> beam.PCollection:
        summaries, statistics = map(beam.pvalue.AsList, written)
        return (
            written[0].pipeline
            | "Once" >> beam.Create([self.settings])
            | "CommitRun" >> beam.ParDo(_CommitDoFn(), summaries, statistics)
        )


class _CommitDoFn(beam.DoFn):
    def process(
        self, settings: CommitSettings, summaries: list[RangeSummary], statistics: list[RunStatistics]
    ) -> Iterator[str]:
        with settings.run.reports.reported():
            manifest = commit_run(settings, summaries, statistics)
        yield manifest.run_id


def commit_run(
    settings: CommitSettings, summaries: Sequence[RangeSummary], statistics: Sequence[RunStatistics]
) -> RunManifest:
    """Checks the run against its plan and makes it visible.

    Args:
        summaries: Of the ranges that were not finished before.
        statistics: Of their records, all together.

    Returns:
        The manifest.

    Raises:
        CountMismatchError: A record is not accounted for.
        TooManyDeadLettersError: More than `max_dead_letter_rate` of the records are dead.
        FencedOffError: The job is no longer the output directory's owner's.
        SaitenError: A range or a part is missing or not as it was reported.
    """
    run = settings.run
    path = storage.join(run.output, RUN_MANIFEST)
    version = contended.version_of(path)
    committed = read_run_manifest(run.output)
    if committed and committed.run_id == run.run_id:
        if owner_of(run.output) == run.token:  # else the step was done, and is only tried again
            finish_commit(run.output, committed)
        return committed
    refuse_fenced_off(run)
    plan = read_plan(run.output, run.run_id)
    by_range = summaries_of_all(plan, summaries)
    counts = count_by_source(plan, by_range)
    tally = DeadLetterTally()
    for summary in by_range:
        tally.merge(summary.tally)
    tally.refuse_too_many(settings.max_dead_letter_rate)
    parts = [part for summary in by_range for part in summary.parts]
    with ThreadPoolExecutor(_CHECKED_AT_ONCE) as pool:
        list(pool.map(lambda part: check_part(run.output, part), parts))
    if not any(part.path.startswith(DEAD_LETTERS_FOLDER) for part in parts):
        parts.append(_write_empty_dead_letters(run))
    counted = merge_statistics(run.statistics, [*plan.finished_statistics, *statistics])
    manifest = make_manifest(settings, plan, counts, counted, tally, parts)
    with deciding(run.output):  # also what clears up would be in the way of whoever claims the directory next
        if write_as_owner(run, path, to_json(manifest, for_people=True), version):
            finish_commit(run.output, manifest)
            return manifest
    return commit_run(settings, summaries, statistics)  # another attempt at this step was faster, or another run


def make_manifest(
    settings: CommitSettings,
    plan: RunPlan,
    counts: Mapping[str, SourceCount],
    statistics: RunStatistics,
    tally: DeadLetterTally,
    parts: Iterable[Part],
) -> RunManifest:
    """Returns the manifest of a run that came out as planned."""
    run, finished, ids = settings.run, time.time(), statistics.ids or IdSample()
    manifest = RunManifest(
        run_id=run.run_id,
        bundle_id=run.bundle_id,
        outputs_scored=run.outputs,
        engine=plan.settings.engine,
        settings=asdict(plan.settings),
        max_dead_letter_rate=settings.max_dead_letter_rate,
        report_examples=run.statistics.shows_texts,
        versions=dict(settings.versions),
        started=_utc(plan.started),
        finished=_utc(finished),
        seconds=round(finished - plan.started, 3),
        counts=RunCounts(**asdict(sum(counts.values(), SourceCount())), duplicate_ids=ids.n_repeated),
        duplicate_ids_exact=ids.is_exact,
        dead_letter_codes=tally.commonest_codes,
        inputs=tuple(
            InputReport(source, **asdict(file), **asdict(counts[source])) for source, file in plan.inputs.items()
        ),
        outputs=tuple(sorted(parts, key=lambda part: part.path)),
        statistics=replace(statistics, ids=None),
        reference=plan.reference,
    )
    return replace(manifest, verdict=judge_run(manifest))


def _write_empty_dead_letters(run: Run) -> Part:
    name = run.part_name(DEAD_LETTERS_FOLDER, 0, uuid.uuid4().hex[:8])
    return PartWriter(run, name, run.dead_letters_schema).close()


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
