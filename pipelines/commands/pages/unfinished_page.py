"""A run that is not committed, or a stream, as a page: whether it goes on, and how far it is."""

import time
from collections.abc import Iterable

from saiten.model.counted import counted
from saiten.pipelines.commands.pages.rows import Row
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.unfinished import Life, find_life, find_unfinished_run, newest_job
from saiten.pipelines.run.windows.window_manifest import Windows

_ENDED = ("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED")


def unfinished_rows(directory: str) -> Iterable[Row]:
    """Yields what lies of an unfinished run in a directory; nothing where there is none."""
    run = find_unfinished_run(directory)
    if run is None:
        return
    yield from _life_rows("unfinished", run.life, "--resume finishes it, --overwrite starts anew")
    yield "run_id", run.run_id
    yield "started", f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(run.started))}"
    yield "ranges", f"{run.n_finished:,} of {run.n_ranges:,} done"
    yield "records", f"{run.tally.records:,} so far, {run.tally.dead:,} of them dead letters"


def stream_rows(directory: str) -> Iterable[Row]:
    """Yields what there is of a stream; nothing where there is none."""
    run_id, windows = newest_job(directory), list(Windows(directory).new())
    if windows or (run_id and find_unfinished_run(directory) is None):
        life = find_life(directory, run_id or "")
        yield from _life_rows("stream", life, "the windows that are there are whole, --resume goes on")
        counts = sum((manifest.counts for manifest in windows), SourceCount())
        duplicates = sum(manifest.duplicates for manifest in windows)
        yield "windows", f"{len(windows):,}"
        yield "records", ", ".join(f"{name} {count:,}" for name, count in vars(counts).items())
        yield "duplicates", f"{counted(duplicates, 'message')} that came again, not counted"
    if windows:
        yield "last", windows[-1].line


def _life_rows(name: str, life: Life, remedy: str) -> Iterable[Row]:
    """The runner's word counts more than the signs that a run leaves, but one that was given up is over.

    Beam's job server for Flink says RUNNING for ever of a job whose launcher was gone when it failed or was cancelled.
    """
    state = None
    if life.job:
        from saiten.pipelines.local.follow import ask_state

        state = ask_state(life.job)
    left, goes_on = life.left_because, "in progress"
    if state in _ENDED:
        left = f"its job ended as {state}"
    elif state and life.is_owned:
        if left:
            goes_on += f" by its job server's word, which may not have heard of its end: {left}; if so, {remedy}"
        left = None
    yield name, f"abandoned: {left}; {remedy}" if left else goes_on
    if life.job:
        yield "job", f"{life.job}{f', {state}' if state else ''}"
