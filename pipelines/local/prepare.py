"""What a run is to do and what is left of it: what the steps are given."""

import os
import time
import uuid

import pyarrow as pa

from saiten.model.versions import library_versions
from saiten.pipelines import storage
from saiten.pipelines.local.choose_bundle import ChosenBundle
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.reading.files import printable
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit
from saiten.pipelines.run.resume import find_unfinished, without_finished_ranges
from saiten.pipelines.run.run_plan import PlannedFile, RowSettings, RunPlan, record_plan
from saiten.pipelines.statistics.run_statistics import StatisticsPlan
from saiten.pipelines.steps.commit import CommitSettings
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.pipeline import Scoring

_LIBRARIES = ("saiten", "apache-beam", "mecab-python3", "unidic-lite", "numpy", "numba", "pyarrow")


def row_settings(settings: ScoreSettings, bundle: ChosenBundle, plan: WorkPlan) -> RowSettings:
    """Returns everything beside the input that decides the rows."""
    return RowSettings(
        bundle_id=bundle.scoring.bundle_id,
        engine=bundle.scoring.engine,
        input_format=settings.input_format,
        encoding=settings.encoding,
        quoting=settings.quoting,
        text_field=plan.options.text_name,
        id_field=settings.id_field,
        keep_fields=[f"{field.name}:{field.type}" for field in plan.options.kept_fields],
        max_record_bytes=settings.max_record_bytes,
        no_raw=settings.no_raw,
        top=bundle.n_labels,
    )


def planned_files(plan: WorkPlan) -> dict[str, PlannedFile]:
    """Returns the input files by source."""
    return {source: PlannedFile(printable(file.path), file.size, file.modified) for source, file in plan.files.items()}


def prepare_scoring(settings: ScoreSettings, bundle: ChosenBundle, plan: WorkPlan, token: str) -> Scoring:
    """Writes down what the run sets out to do, or takes up what an unfinished one did.

    Args:
        token: Of the claim to the output directory.

    Returns:
        The steps' work, without what was done before.

    Raises:
        UsageError: The unfinished run cannot be resumed so, or the directory cannot be written.
    """
    output, inputs = storage.absolute(settings.run_directory), planned_files(plan)
    rows = row_settings(settings, bundle, plan)
    recorded = find_unfinished(output, rows, inputs) if settings.resume else None
    if recorded is None:
        recorded = RunPlan(new_run_id(), time.time(), rows, inputs, tuple(plan.ranges), bundle.reference)
    kept_fields = tuple(pa.field(field.name, field.type) for field in plan.options.kept_fields)
    statistics = StatisticsPlan(
        bundle.score_ranges,
        counts_ids=settings.id_field is not None,
        labels=bundle.outputs if bundle.n_labels else (),
        shows_texts=settings.report_examples,
    )
    run = Run(
        recorded.run_id,
        output,
        rows.bundle_id,
        bundle.outputs,
        kept_fields,
        keep_raw=not settings.no_raw,
        token=token,
        n_labels=rows.top,
        statistics=statistics,
    )
    record_plan(run, without_finished_ranges(run, recorded))
    return Scoring(
        reading=plan.options,
        bundle=bundle.scoring,
        deadline=Deadline(settings.batch_timeout_secs, run.reports, os.getpid()),
        limit=DeadLetterLimit(settings.max_dead_letter_rate, plan.total_bytes, plan.least_record_bytes),
        notes_folder=run.work_folder,
        commit=CommitSettings(run, settings.max_dead_letter_rate, library_versions(_LIBRARIES)),
    )


def new_run_id() -> str:
    """Returns the id of a new run, which sorts by age: the second, then its microsecond in hexadecimal, then chance."""
    now = time.time()
    second = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return f"{second}-{int(now % 1 * 1e6):05x}{uuid.uuid4().hex[:3]}"
