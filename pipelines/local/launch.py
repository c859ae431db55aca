"""From flags to a committed run: what the launcher does around the pipeline."""

import argparse
import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.commands.options import beam_flags, count_workers, is_local
from saiten.pipelines.local.execute import execute, local_execution, remote_execution
from saiten.pipelines.local.prepare import prepare_scoring, run_settings
from saiten.pipelines.local.progress_view import shown
from saiten.pipelines.local.workers import LocalWorkers
from saiten.pipelines.reading.files import printable
from saiten.pipelines.reading.formats import ReadOptions, parse_kept_fields
from saiten.pipelines.reading.plan import WorkPlan, plan_work
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.output_directory import claimed
from saiten.pipelines.run.progress_notes import remove_progress
from saiten.pipelines.run.resume import find_committed
from saiten.pipelines.run.run_manifest import read_manifest
from saiten.pipelines.run.schema import refuse_taken_names
from saiten.pipelines.steps.commit import finish_commit
from saiten.pipelines.steps.scoring_bundle import ScoringBundle, opened_bundle
from saiten.pipelines.terminal import done_before_end


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


def plan_scoring(args: argparse.Namespace, outputs: Sequence[str]) -> WorkPlan:
    """Plans the work, none of which may lie where it is going to be written.

    Raises:
        UsageError: The input will not do, or a kept field has the name of another column.
    """
    options = read_options(args)
    refuse_taken_names(outputs, [field.name for field in options.kept])
    plan = plan_work(args.input, options)
    if args.output is not None and not storage.is_remote(args.output):
        # A link's own place counts, and where it leads.
        above = tuple(os.path.join(resolve(args.output), "") for resolve in (os.path.abspath, os.path.realpath))
        paths = [file.path for file in plan.files.values() if not storage.is_remote(file.path)]
        inside = [path for path in paths if path.startswith(above) or os.path.realpath(path).startswith(above)]
        if inside:
            raise UsageError(f"--input has {printable(inside[0])}, which lies in --output: give another directory.")
    return plan


def choose_bundle(args: argparse.Namespace) -> tuple[ScoringBundle, tuple[str, ...]]:
    """Opens the bundle, with its dictionary checked whole, and chooses and judges the engine.

    Returns:
        The bundle as the steps carry it, and the names of its outputs.

    Raises:
        BundleError: It is missing or refused.
    """
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        bundle.check_dictionary()
        engine = bundle.engine_name(args.engine)
        bundle.check_engine(engine)
        return ScoringBundle(args.bundle, bundle.bundle_id, engine, args.trust_bundle), tuple(bundle.outputs)


def score_files(args: argparse.Namespace) -> dict[str, Any]:
    """Scores what the flags say; returns the manifest of the committed run.

    Raises:
        SaitenError: Nothing was committed, unless it says so.
    """
    flags = beam_flags(args)
    remote = None if is_local(args.runner) else remote_execution(args.runner, flags)
    bundle, outputs = choose_bundle(args)
    plan = plan_scoring(args, outputs)
    n_workers = 1 if remote else count_workers(args, plan.total_bytes)
    # Worker processes that each used all cores would only be in each other's way.
    bundle = dataclasses.replace(bundle, threads=1 if n_workers > 1 else 0)
    settings = run_settings(args, bundle, plan)
    with claimed(args.output, overwrite=args.overwrite, resume=args.resume):
        committed = find_committed(args.output, settings) if args.resume else None
        if committed:
            finish_commit(args.output, committed)  # a run that was killed in its last step is whole now
            return committed
        scoring = prepare_scoring(args, bundle, outputs, plan, settings)
        with _notes_folder(args, scoring.commit.run) as folder, _progress(args, folder, plan.total_bytes):
            execution = remote or local_execution(LocalWorkers(n_workers, folder), flags)
            execute(dataclasses.replace(scoring, notes_folder=folder), execution)
    manifest = read_manifest(args.output)
    if manifest is None or manifest["run_id"] != scoring.commit.run.run_id:
        raise SaitenError(f"The pipeline ended, but {args.output} holds no commit of run {scoring.commit.run.run_id}.")
    return manifest


@contextlib.contextmanager
def _notes_folder(args: argparse.Namespace, run: Run) -> Iterator[str]:
    """Where workers on this machine leave process ids, logs and how far they have come.

    That is beside the run, or here if the run is on a store.
    """
    if not (is_local(args.runner) and storage.is_remote(run.output)):
        yield run.work_folder
        return
    folder = tempfile.mkdtemp(prefix="saiten-workers-")

    def clear() -> None:
        remove_progress(folder)
        with contextlib.suppress(OSError):  # an error may name a log in it
            os.rmdir(folder)

    try:
        with done_before_end(clear):
            yield folder
    except BaseException:
        clear()
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _progress(args: argparse.Namespace, notes_folder: str, total_bytes: int) -> contextlib.AbstractContextManager[None]:
    """Shows how far a local run has come."""
    if args.quiet or not is_local(args.runner):
        return contextlib.nullcontext()
    return shown(notes_folder, total_bytes)
