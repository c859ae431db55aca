"""A run's settings, and the work that is left of it: what the steps are given."""

import os
import time
import uuid
from typing import Any

import pyarrow as pa

from saiten.model.versions import library_versions
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.reading.files import InputFile, printable
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.progress_notes import DeadLetterLimit
from saiten.pipelines.run.resume import RecordedPlan, find_unfinished, finished_ranges, record_plan
from saiten.pipelines.run.run_manifest import CommitPlan
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.score import Scoring
from saiten.pipelines.steps.scoring_bundle import ScoringBundle

_LIBRARIES = ("saiten", "apache-beam", "mecab-python3", "unidic-lite", "numpy", "numba", "pyarrow")


def describe_settings(settings: ScoreSettings, bundle: ScoringBundle, plan: WorkPlan) -> dict[str, Any]:
    """Everything that decides the rows; a run is resumed with the same only."""
    return {
        "bundle_id": bundle.bundle_id,
        "engine": bundle.engine,
        "input_format": settings.input_format,
        "encoding": settings.encoding,
        "text_field": settings.text_field,
        "id_field": settings.id_field,
        "keep_fields": [f"{field.name}:{field.type}" for field in plan.options.kept_fields],
        "max_record_bytes": settings.max_record_bytes,
        "no_raw": settings.no_raw,
        "inputs": {source: [printable(file.path), file.size, file.modified] for source, file in plan.files.items()},
    }


def prepare_scoring(
    settings: ScoreSettings,
    bundle: ScoringBundle,
    outputs: tuple[str, ...],
    plan: WorkPlan,
    described: dict[str, Any],
) -> Scoring:
    """Writes down what the run sets out to do, or takes up what an unfinished one did.

    Args:
        outputs: Names of the model's outputs.
        described: What `describe_settings` gave.

    Returns:
        The steps' work, without what was done before.

    Raises:
        UsageError: The unfinished run cannot be resumed so, or the directory cannot be written.
    """
    recorded = find_unfinished(settings.run_directory, described) if settings.resume else None
    if recorded is None:
        recorded = RecordedPlan(_new_run_id(), time.time(), described, tuple(plan.ranges))
    kept = tuple(pa.field(field.name, field.type) for field in plan.options.kept_fields)
    run = Run(recorded.run_id, settings.run_directory, bundle.bundle_id, outputs, kept, not settings.no_raw)
    finished = finished_ranges(run, recorded)
    record_plan(run, recorded)
    done = {summary.range_index for summary in finished}
    return Scoring(
        ranges=[work for work in recorded.ranges if work.index not in done],
        finished=finished,
        reading=plan.options,
        bundle=bundle,
        deadline=Deadline(settings.batch_timeout_secs, run.reports, os.getpid()),
        limit=DeadLetterLimit(settings.max_dead_letter_rate, plan.total_bytes, plan.least_record_bytes),
        notes_folder=run.work_folder,
        commit=CommitPlan(
            run=run,
            n_ranges=len(recorded.ranges),
            inputs={source: _about_file(file) for source, file in plan.files.items()},
            max_dead_letter_rate=settings.max_dead_letter_rate,
            counts_duplicates=settings.id_field is not None,
            started=recorded.started,
            about={
                "engine": bundle.engine,
                "settings": {name: value for name, value in described.items() if name != "inputs"},
                "max_dead_letter_rate": settings.max_dead_letter_rate,
                "report_examples": settings.report_examples,
                "versions": library_versions(_LIBRARIES),
            },
        ),
    )


def _new_run_id() -> str:
    """Sorts by age: the second, then its microsecond in hexadecimal, then chance."""
    now = time.time()
    second = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return f"{second}-{int(now % 1 * 1e6):05x}{uuid.uuid4().hex[:3]}"


def _about_file(file: InputFile) -> dict[str, Any]:
    return {"path": printable(file.path), "bytes": file.size, "modified": file.modified}
