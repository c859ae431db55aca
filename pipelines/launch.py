"""From flags to a committed run: what the launcher does around the pipeline."""

import argparse
import contextlib
import importlib.metadata
import os
import platform
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from types import FrameType
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from model.bundle import check_dictionary
from model.errors import SaitenError
from pipelines import output_directory
from pipelines.commit import CommitPlan, read_manifest
from pipelines.formats import ReadOptions, parse_kept_fields
from pipelines.options import LOCAL_RUNNERS, beam_options, local_workers
from pipelines.plan import PlannedFile, WorkPlan, plan_work
from pipelines.progress import shown
from pipelines.run import Run
from pipelines.score import Scoring, build
from pipelines.scoring_bundle import ScoringBundle, open_bundle
from pipelines.workers import LocalWorkers

# The local runner deals the ranges out at the start, so every worker gets the same number of equal ones.
_RANGES_A_WORKER = 4


def read_options(args: argparse.Namespace) -> ReadOptions:
    """Returns how the flags say to read."""
    return ReadOptions(
        input_format=args.input_format,
        encoding=args.encoding,
        text_field=args.text_field,
        id_field=args.id_field,
        kept=parse_kept_fields(args.keep_fields),
        max_record_bytes=args.max_record_bytes,
    )


def choose_bundle(args: argparse.Namespace) -> tuple[ScoringBundle, tuple[str, ...]]:
    """Opens the bundle, with its dictionary checked whole, and chooses the engine.

    Returns:
        The bundle as the steps carry it, and the names of its outputs.

    Raises:
        BundleError: It is missing or refused.
    """
    bundle = open_bundle(args.bundle, trusted=args.trust_bundle)
    check_dictionary(bundle)
    engine = bundle.engine_name(args.engine)
    return ScoringBundle(args.bundle, bundle.bundle_id, engine, args.trust_bundle), tuple(bundle.outputs)


def score_files(args: argparse.Namespace) -> dict[str, Any]:
    """Scores what the flags say; returns the manifest of the committed run.

    Raises:
        SaitenError: Nothing was committed.
    """
    bundle, outputs = choose_bundle(args)
    options = read_options(args)
    plan = plan_work(args.input, options, _shares(args))
    workers = local_workers(args, plan.n_bytes)
    pipeline_options = beam_options(args, workers)
    settings = _settings(args, bundle, plan)
    with output_directory.claimed(args.output, overwrite=args.overwrite, resume=args.resume):
        if args.resume and output_directory.is_committed(args.output, settings):
            return read_manifest(args.output) or {}
        scoring = _plan_scoring(args, bundle, outputs, plan, settings)
        _run_pipeline(args, scoring, pipeline_options, plan.n_bytes)
    manifest = read_manifest(args.output)
    if manifest is None or manifest["run_id"] != scoring.commit.run.run_id:
        raise SaitenError(f"The pipeline ended, but {args.output} holds no commit of run {scoring.commit.run.run_id}.")
    return manifest


def _shares(args: argparse.Namespace) -> int | None:
    """How many ranges to aim for: some for each local worker; None leaves it to the largest range's size."""
    if args.runner not in LOCAL_RUNNERS:
        return None
    return int(args.workers or os.cpu_count() or 1) * _RANGES_A_WORKER


def _settings(args: argparse.Namespace, bundle: ScoringBundle, plan: WorkPlan) -> dict[str, Any]:
    """Everything that decides the rows; a run is resumed with the same only."""
    return {
        "bundle_id": bundle.bundle_id,
        "engine": bundle.engine,
        "input_format": args.input_format,
        "encoding": args.encoding,
        "text_field": args.text_field,
        "id_field": args.id_field,
        "keep_fields": [f"{field.name}:{field.type}" for field in plan.kept],
        "max_record_bytes": args.max_record_bytes,
        "no_raw": args.no_raw,
        "inputs": {file.source: [file.path, file.size, file.modified] for file in plan.files},
    }


def _plan_scoring(
    args: argparse.Namespace,
    bundle: ScoringBundle,
    outputs: tuple[str, ...],
    plan: WorkPlan,
    settings: dict[str, Any],
) -> Scoring:
    recorded = output_directory.find_unfinished(args.output, settings) if args.resume else None
    if recorded is None:
        recorded = output_directory.RecordedPlan(_new_run_id(), time.time(), settings, tuple(plan.ranges))
    run = Run(recorded.run_id, args.output, bundle.bundle_id, outputs, tuple(plan.kept), not args.no_raw)
    finished = output_directory.finished_ranges(run, recorded)
    output_directory.record_plan(run, recorded)
    done = {summary.range_index for summary in finished}
    is_local = args.runner in LOCAL_RUNNERS
    return Scoring(
        ranges=[work for work in recorded.ranges if work.index not in done],
        finished=finished,
        reading=plan.options,
        bundle=bundle,
        workers=LocalWorkers(run.work_folder, os.getpid() if is_local else None),
        commit=CommitPlan(
            run=run,
            n_ranges=len(recorded.ranges),
            inputs={file.source: _about_file(file) for file in plan.files},
            max_dead_letter_rate=args.max_dead_letter_rate,
            counts_duplicates=args.id_field is not None,
            started=recorded.started,
            about={
                "engine": bundle.engine,
                "settings": {name: value for name, value in settings.items() if name != "inputs"},
                "max_dead_letter_rate": args.max_dead_letter_rate,
                "versions": _versions(),
            },
        ),
    )


def _run_pipeline(args: argparse.Namespace, scoring: Scoring, options: PipelineOptions, n_bytes: int) -> None:
    run = scoring.commit.run
    progress = contextlib.nullcontext() if args.quiet else shown(run.work_folder, n_bytes)
    with _ending_on_signals(scoring.workers), progress:
        try:
            pipeline = beam.Pipeline(options=options)
            build(pipeline, scoring)
            state = pipeline.run().wait_until_finish()
        except Exception as error:  # noqa: BLE001 - Beam raises whatever a worker raised, as text
            scoring.workers.kill()
            raise run.reports.first() or SaitenError(_first_line(error)) from error
    if state != PipelineState.DONE:
        raise run.reports.first() or SaitenError(f"The pipeline ended as {state}; its runner's log says why.")


@contextlib.contextmanager
def _ending_on_signals(workers: LocalWorkers) -> Iterator[None]:
    """Ends at once, with the workers, on Ctrl-C and SIGTERM: what is finished lies ready for --resume."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        workers.kill()
        word = "interrupted" if number == signal.SIGINT else "terminated"
        sys.stderr.write(f"\r\033[Ksaiten: {word}; nothing was committed, --resume goes on from here.\n")
        sys.stderr.flush()
        os._exit(128 + number)

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _first_line(error: BaseException) -> str:
    """What Beam says of a worker's error: the last line of its traceback, without the step's name."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].partition(" [while running")[0] if lines else type(error).__name__


def _new_run_id() -> str:
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:8]}"


def _about_file(file: PlannedFile) -> dict[str, Any]:
    return {"path": file.path, "bytes": file.size, "modified": file.modified}


def _versions() -> dict[str, str]:
    names = ("saiten", "apache-beam", "mecab-python3", "unidic-lite", "numpy", "numba", "pyarrow")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}
