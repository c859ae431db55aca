"""From settings to a committed run: what the launcher does around the pipeline."""

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.local.choose_bundle import ChosenBundle, choose_bundle
from saiten.pipelines.local.execute import Execution, execute, local_execution
from saiten.pipelines.local.follow import execute_elsewhere
from saiten.pipelines.local.prepare import planned_files, prepare_scoring, row_settings
from saiten.pipelines.local.progress_view import showing_progress
from saiten.pipelines.local.remote import refuse_unready, refuse_unseen, remote_execution
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.local.waiting import WaitingWorkers, count_workers, most_workers
from saiten.pipelines.local.workers import LocalWorkers
from saiten.pipelines.reading.files import input_items, printable
from saiten.pipelines.reading.options import ReadOptions, parse_kept_fields
from saiten.pipelines.reading.plan import WorkPlan, plan_work
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.progress_notes import remove_progress
from saiten.pipelines.run.output_directory import claimed
from saiten.pipelines.run.resume import find_committed
from saiten.pipelines.run.run_manifest import RunManifest, read_run_manifest
from saiten.pipelines.run.schema import refuse_taken_names
from saiten.pipelines.steps.finish import finish_commit
from saiten.pipelines.steps.infer import HANDLERS
from saiten.pipelines.terminal import done_before_end, say


def read_options(settings: ScoreSettings) -> ReadOptions:
    """Returns how the settings say to read."""
    return ReadOptions(
        input_format=settings.input_format,
        encoding=settings.encoding,
        quoting=settings.quoting,
        text_field=settings.text_field,
        id_field=settings.id_field,
        kept_fields=parse_kept_fields(settings.keep_fields),
        max_record_bytes=settings.max_record_bytes,
        table_files=settings.table_files,
    )


def plan_scoring(settings: ScoreSettings, bundle: ChosenBundle, n_workers: int = 1) -> WorkPlan:
    """Plans the work, none of which may lie where it is going to be written.

    Args:
        n_workers: How many will read at the same time, on this machine.

    Raises:
        UsageError: The input will not do, or a kept field has the name of another column.
    """
    options = read_options(settings)
    refuse_taken_names(bundle.outputs, [field.name for field in options.kept_fields], bundle.n_labels)
    block_bytes = HANDLERS[bundle.scoring.engine].block_bytes
    plan = plan_work(settings.input, options, n_workers=n_workers, block_bytes=block_bytes)
    if settings.output is not None and not storage.is_remote(settings.output):
        # A link's own place counts, and where it leads.
        above = tuple(os.path.join(resolve(settings.output), "") for resolve in (os.path.abspath, os.path.realpath))
        paths = [file.path for file in plan.files.values() if not storage.is_remote(file.path)]
        inside = [path for path in paths if path.startswith(above) or os.path.realpath(path).startswith(above)]
        if inside:
            raise UsageError(f"--input has {printable(inside[0])}, which lies in --output: give another directory.")
    return plan


def launch_run(settings: ScoreSettings, waiting: WaitingWorkers | None = None) -> RunManifest | None:
    """Scores what the settings say.

    Args:
        waiting: Workers that have been started for it; those that it does not need are ended.

    Returns:
        The manifest of the committed run; None where a runner elsewhere has the job, which is not waited for.

    Raises:
        SaitenError: Nothing was committed, unless it says so.
    """
    output = settings.run_directory
    remote = None if settings.is_local else _judged_execution(settings)
    bundle = choose_bundle(settings)
    plan = plan_scoring(settings, bundle, 1 if remote else most_workers(settings.workers))
    if remote:
        refuse_unseen(remote, "input", (file.path for file in plan.files.values()))
    n_workers = 1 if remote else count_workers(settings.workers, plan.total_bytes)
    if waiting and n_workers == 1:
        waiting.close()
    # Worker processes that each used all cores would only be in each other's way.
    bundle = bundle.with_threads(1 if n_workers > 1 else 0)
    rows, inputs = row_settings(settings, bundle, plan), planned_files(plan)
    with claimed(output, overwrite=settings.overwrite, resume=settings.resume) as claim:
        committed = find_committed(output, rows, inputs) if settings.resume else None
        if committed:
            finish_commit(output, committed)  # a run that was killed in its last step is whole now
            say(f"the run in {output} was finished already, at {committed.finished}: nothing was scored now. It was:")
            return committed
        scoring = prepare_scoring(settings, bundle, plan, claim.token)
        claim.run_id = scoring.commit.run.run_id
        with _notes_folder(settings, scoring.commit.run) as folder, _progress(settings, folder, plan.total_bytes):
            scoring = dataclasses.replace(scoring, notes_folder=folder)
            if remote is None:
                execute(scoring, local_execution(LocalWorkers(n_workers, folder, waiting), settings.beam_flags))
            else:
                remote = dataclasses.replace(remote, waits=remote.waits and not settings.no_wait)
                execute_elsewhere(scoring, remote, plan.total_bytes, is_quiet=settings.quiet)
                if not remote.waits:
                    claim.is_left = True
                    return None
    return _committed(output, scoring.commit.run.run_id)


def _judged_execution(settings: ScoreSettings) -> Execution:
    """Returns an execution elsewhere whose workers see what the settings name and that can take the job.

    Raises:
        UsageError: They do not, or it cannot.
    """
    remote = remote_execution(settings.runner, settings.beam_flags)
    refuse_unseen(remote, "output", [settings.run_directory])
    refuse_unseen(remote, "bundle", [settings.bundle])
    refuse_unseen(remote, "input", input_items(settings.input))
    refuse_unready(remote)
    return remote


def _committed(output: str, run_id: str) -> RunManifest:
    """Returns the manifest of the run that has just ended.

    Raises:
        SaitenError: There is none: its workers wrote elsewhere.
    """
    manifest = read_run_manifest(output)
    if manifest is None or manifest.run_id != run_id:
        raise SaitenError(
            f"The pipeline ended, but {output} holds no commit of run {run_id}: do its workers see the same directory?"
        )
    return manifest


@contextlib.contextmanager
def _notes_folder(settings: ScoreSettings, run: Run) -> Iterator[str]:
    """Where workers on this machine leave process ids, logs and how far they have come.

    That is beside the run, or here if the run is on a store.
    """
    if not (settings.is_local and storage.is_remote(run.output)):
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


def _progress(settings: ScoreSettings, notes_folder: str, total_bytes: int) -> contextlib.AbstractContextManager[None]:
    """Shows how far a local run has come."""
    if settings.quiet or not settings.is_local:
        return contextlib.nullcontext()
    return showing_progress(notes_folder, total_bytes)
