"""A run that is not committed as a page: whether it goes on, and how far it is."""

import time
from collections.abc import Iterable

from saiten.pipelines.commands.pages.rows import Row
from saiten.pipelines.run.unfinished import UnfinishedRun, find_unfinished_run

_ENDED = ("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED")


def unfinished_rows(directory: str) -> Iterable[Row]:
    """Yields what lies of an unfinished run in a directory; nothing where there is none."""
    run = find_unfinished_run(directory)
    if run is None:
        return
    state = _state_of(run)
    yield "unfinished", _verdict(run, state)
    yield "run_id", run.run_id
    yield "started", f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(run.started))}"
    if run.job:
        yield "job", f"{run.job}{f', {state}' if state else ''}"
    yield "ranges", f"{run.n_finished:,} of {run.n_ranges:,} done"
    yield "records", f"{run.tally.records:,} so far, {run.tally.dead:,} of them dead letters"


def _state_of(run: UnfinishedRun) -> str | None:
    if run.job is None:
        return None
    from saiten.pipelines.local.follow import ask_state

    return ask_state(run.job)


def _verdict(run: UnfinishedRun, state: str | None) -> str:
    """The runner's word counts more than the signs that the run leaves, but a run that was given up is over."""
    left = run.left_because
    if state in _ENDED:
        left = f"its job ended as {state}"
    elif state and run.is_owned:
        left = None
    return f"abandoned: {left}; --resume finishes it, --overwrite starts anew" if left else "in progress"
