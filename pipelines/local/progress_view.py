"""Shows how far a local run has come: a bar on a terminal, a line a minute elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from saiten.model.counted import counted
from saiten.pipelines.run.notes.progress_notes import WRITE_SECS, Progress, read_progress

if TYPE_CHECKING:
    from rich.console import Console

_LINE_SECS = 60.0
# How long a bar gets to be taken down; a terminal that was stopped (Ctrl-S) takes nothing.
_DOWN_SECS = 5.0


@contextmanager
def showing_progress(folder: str, total_bytes: int) -> Iterator[None]:
    """Shows progress on standard error while the block runs: a bar on a terminal, a line a minute elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    show = _show_bar if console.is_terminal else _show_lines
    ended, is_down = threading.Event(), threading.Event()

    def show_until_ended() -> None:
        try:
            show(console, folder, total_bytes, ended)
        finally:
            is_down.set()

    try:
        threading.Thread(
            target=show_until_ended, daemon=True
        ).start()  # Ctrl-C may come while this waits for the thread
        yield
    finally:
        ended.set()
        is_down.wait(_DOWN_SECS)


def _show_bar(console: "Console", folder: str, total_bytes: int, ended: threading.Event) -> None:
    from rich import progress as bars

    columns = (
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[counts]}"),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total_bytes, counts=_counts(Progress()))
        while not ended.wait(WRITE_SECS):
            done = read_progress(folder)
            bar.update(task, completed=done.n_bytes, counts=_counts(done))


def _show_lines(console: "Console", folder: str, total_bytes: int, ended: threading.Event) -> None:
    while not ended.wait(_LINE_SECS):
        console.print(progress_line(read_progress(folder), total_bytes), highlight=False)


def progress_line(done: Progress, total_bytes: int) -> str:
    """Returns a progress in words; a runner that tries again what a lost worker did may count it twice."""
    share = min(1.0, done.n_bytes / max(1, total_bytes))
    return f"{share:.0%}: {_counts(done)}"


def _counts(done: Progress) -> str:
    return f"{counted(done.tally.records, 'record')}, {counted(done.tally.dead, 'dead letter')}"
