"""From settings to a stream that goes on at a runner elsewhere, and what is said of it meanwhile."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace

import pyarrow as pa
from apache_beam.options.pipeline_options import StandardOptions

from saiten.model.counted import counted
from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.local.choose_bundle import ChosenBundle, choose_bundle
from saiten.pipelines.local.execute import Execution, Work, run_work
from saiten.pipelines.local.follow import LINE_SECS, name_job, noted
from saiten.pipelines.local.launch import read_options
from saiten.pipelines.local.prepare import new_run_id
from saiten.pipelines.local.remote import refuse_unready, refuse_unseen, remote_execution
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.local.signals import Job
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.repeating import repeating
from saiten.pipelines.run.layout import WORK_FOLDER, Run
from saiten.pipelines.run.output_directory import claimed
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.schema import refuse_taken_names
from saiten.pipelines.run.windows.window_manifest import WindowManifest, Windows
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.streaming.bundles import BundleWatch, refused_bundles
from saiten.pipelines.streaming.files import folder_of
from saiten.pipelines.streaming.pipeline import build
from saiten.pipelines.streaming.stream import Stream
from saiten.pipelines.terminal import say, show

_STREAMING_RUNNERS = ("flink", "portable", "prism", "dataflow")
_LEFT = "the windows that are there are whole, --resume goes on from here"
_CHECKPOINTS, _CHECKPOINT_MS = "--checkpointing_interval", 10_000
# Flink would keep back what a Beam bundle gives that is open at a checkpoint until the same step has another one. The
# first step of a stream has one Beam bundle in all: a job that was caught in it stood still for ever (BEAM-10558).
_WHOLE_BUNDLES = "--finish_bundle_before_checkpointing"
_LOOK_SECS = 1.0


def launch_stream(settings: ScoreSettings, *, as_json: bool) -> None:
    """Scores files or messages as they come, until the job is ended.

    Args:
        as_json: Says a line of JSON on standard output for every window.

    Raises:
        SaitenError: The job failed, or was refused.
    """
    _refuse_runner(settings.runner)
    output = settings.run_directory
    execution = remote_execution(settings.runner, _with_checkpoints(settings.beam_flags))
    refuse_unseen(execution, "output", [output])
    refuse_unseen(execution, "bundle", [settings.bundle])
    for flag, patterns in (("input", settings.input), ("bundle_watch", settings.bundle_watch or "")):
        refuse_unseen(execution, flag, (folder_of(item) for item in patterns.split(",") if item.strip()))
    refuse_unready(execution)
    chosen = choose_bundle(settings)
    options = read_options(settings)
    refuse_taken_names(chosen.outputs, [field.name for field in options.kept_fields], chosen.n_labels)
    # Files that nobody has seen yet have no say in it.
    fields = tuple(KeptField(field.name, field.type or pa.string()) for field in options.kept_fields)
    with claimed(output, overwrite=False, resume=settings.resume, is_stream=True) as claim:
        stream = _stream_of(settings, chosen, replace(options, kept_fields=fields), claim.token)
        _clear_earlier(stream.run)
        _begin_with_newest(stream)
        claim.run_id = stream.run.run_id
        execution = replace(execution, waits=execution.waits and not settings.no_wait)
        _run(stream, execution, is_quiet=settings.quiet, as_json=as_json)
        claim.is_left = not execution.waits


def _stream_of(settings: ScoreSettings, chosen: ChosenBundle, reading: ReadOptions, token: str) -> Stream:
    """Returns what the steps need to know, with a run id of its own and paths from the root on."""
    run = Run(
        new_run_id(),
        storage.absolute(settings.run_directory),
        chosen.scoring.bundle_id,
        chosen.outputs,
        tuple(pa.field(field.name, field.type) for field in reading.kept_fields),
        keep_raw=not settings.no_raw,
        token=token,
        n_labels=chosen.n_labels,
    )
    return Stream(
        run=run,
        reading=reading,
        bundle=chosen.scoring,
        deadline=Deadline(settings.batch_timeout_secs, run.reports, os.getpid()),
        input=_absolute_patterns(settings.input),
        subscription=settings.subscription,
        poll_secs=settings.poll_secs,
        window_secs=settings.window_secs,
        max_wait_ms=settings.max_batch_wait_ms,
        bundle_watch=settings.bundle_watch and storage.absolute(settings.bundle_watch),
    )


def _refuse_runner(runner: str) -> None:
    plain = runner.lower().removesuffix("runner")
    if plain not in _STREAMING_RUNNERS and "." not in runner:
        raise UsageError(
            f"--streaming needs a runner that goes on without end, which {runner} does not: --runner=FlinkRunner, "
            "PortableRunner, PrismRunner or DataflowRunner; docs/streaming.md tells how to try one on this machine."
        )


def _with_checkpoints(flags: Sequence[str]) -> list[str]:
    """Adds what lets Flink remember: without it, a job that starts again has forgotten all. Other runners ignore it."""
    named = {flag.partition("=")[0] for flag in flags}
    interval = [] if _CHECKPOINTS in named else [f"{_CHECKPOINTS}={_CHECKPOINT_MS}"]
    return [*flags, *interval, *([] if _WHOLE_BUNDLES in named else [_WHOLE_BUNDLES])]


def _clear_earlier(run: Run) -> None:
    """Removes the notes of jobs that are fenced off by now."""
    work = storage.join(run.output, WORK_FOLDER)
    earlier = [path for path in storage.list_files(work) if "/" in path.removeprefix(f"{work}/")]
    storage.remove_files(earlier)


def _begin_with_newest(stream: Stream) -> None:
    """Lets the stream begin with the newest bundle that is watched: one that goes on again does not fall back."""
    if stream.bundle_watch:
        list(BundleWatch(stream).look())


def _absolute_patterns(patterns: str) -> str:
    return ",".join(storage.absolute(item.strip()) for item in patterns.split(",")) if patterns else ""


def _run(stream: Stream, execution: Execution, *, is_quiet: bool, as_json: bool) -> None:
    execution.options.view_as(StandardOptions).streaming = True
    name_job(execution.options, stream.run.run_id)
    following = StreamFollower(stream.run, is_quiet=is_quiet, as_json=as_json)

    @contextmanager
    def submitted(job: Job) -> Iterator[None]:
        with noted(job, stream.run, execution, is_quiet=is_quiet), following.shown(job):
            yield

    run_work(Work(stream.run, lambda pipeline: build(pipeline, stream), _LEFT), execution, submitted)


class StreamFollower:
    """Says what comes of a stream: each window, what is refused, and every ten seconds where it stands.

    Args:
        run: Whose output directory is looked at.
        as_json: Each window as a line of JSON on standard output, too.
    """

    def __init__(self, run: Run, *, is_quiet: bool, as_json: bool) -> None:
        self._run = run
        self._is_quiet = is_quiet
        self._as_json = as_json
        self._windows = Windows(run.output)
        for _ in self._windows.new():  # those of earlier jobs
            pass
        self._counts = SourceCount()
        self._n_windows, self._end = 0, 0.0
        self._refused: set[tuple[str, str]] = set()

    @contextmanager
    def shown(self, job: Job, line_secs: float = LINE_SECS) -> Iterator[None]:
        """Says it while the block runs."""
        said = time.monotonic()

        def look() -> None:
            nonlocal said
            self.look()
            if not self._is_quiet and time.monotonic() - said >= line_secs:
                said = time.monotonic()
                say(self.line(str(job.result.state) if job.result else "gone"))

        try:
            with repeating(look, _LOOK_SECS, 2 * _LOOK_SECS):
                yield
        finally:
            self.look()

    def look(self) -> None:
        """Says what is new."""
        for manifest in self._windows.new():
            self._counts += manifest.counts
            self._n_windows += 1
            self._end = max(self._end, manifest.end)
            self._say_window(manifest)
        for bundle in refused_bundles(self._run.work_folder):
            if (bundle.path, bundle.reason) not in self._refused:
                self._refused.add((bundle.path, bundle.reason))
                say(f"the bundle {bundle.path} is refused, the stream goes on with the one it has: {bundle.reason}")

    def line(self, state: str) -> str:
        """Returns where the stream stands."""
        counts = self._counts
        lag = f", {time.time() - self._end:,.0f} s behind" if self._n_windows else ""
        windows, records = counted(self._n_windows, "window"), counted(counts.records, "record")
        return f"{state}, {windows}: {records}, {counted(counts.dead, 'dead letter')}{lag}"

    def _say_window(self, manifest: WindowManifest) -> None:
        if not self._is_quiet:
            say(manifest.line)
        if self._as_json:
            fields = {"window": manifest.name, **asdict(manifest.counts), "lag_secs": round(manifest.lag_secs, 3)}
            show(json.dumps({**fields, "dead_letter_codes": manifest.dead_letter_codes}))
