"""How far a local run has come: a small file from each writer, read by the launcher.

Beam's local runners say nothing until a stage is over.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines import storage
from pipelines.judge import DeadLetterTally
from pipelines.records import RecordBlock

if TYPE_CHECKING:
    from rich.console import Console

_PREFIX = "progress-"
_WRITE_SECS = 0.5
_LINE_SECS = 60.0


@dataclass
class Progress:
    """What has been done so far.

    Attributes:
        n_bytes: Of the input.
        tally: Of its records.
    """

    n_bytes: int = 0
    tally: DeadLetterTally = field(default_factory=DeadLetterTally)


class ProgressNote:
    """One writer's progress; writes its file at most twice a second.

    Args:
        folder: The run's work folder.
        clock: Seconds; injected in tests.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._path = storage.join(folder, f"{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}.json")
        self._clock = clock
        self._written = clock()
        self._done = Progress()

    def add(self, block: RecordBlock) -> Progress | None:
        """Counts one more block.

        Returns:
            What all writers have done, where it was time to write and this one has met a dead letter, which is
            what it may be judged by; None otherwise, and on object stores.
        """
        self._done.n_bytes += block.n_bytes
        self._done.tally.add(sum(block.n_read.values()), block.dead_letters)
        if storage.is_remote(self._folder) or self._clock() - self._written < _WRITE_SECS:
            return None
        note = {"n_bytes": self._done.n_bytes, "tally": vars(self._done.tally)}
        storage.write_replaced(self._path, json.dumps(note).encode())
        self._written = self._clock()
        return read_progress(self._folder) if self._done.tally.dead else None


def read_progress(folder: str) -> Progress:
    """Returns the sum of what all writers have noted."""
    total = Progress()
    for path in storage.list_named(folder, _PREFIX):
        content = storage.read_bytes(path) if path.endswith(".json") else None  # others are not whole yet
        if content:
            note = json.loads(content)
            total.n_bytes += note["n_bytes"]
            total.tally.merge(**note["tally"])
    return total


@contextmanager
def shown(folder: str, total_bytes: int) -> Iterator[None]:
    """Shows progress on standard error while the block runs: a bar on a terminal, a line a minute elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    show = _show_bar if console.is_terminal else _show_lines
    ended = threading.Event()
    thread = threading.Thread(target=show, args=(console, folder, total_bytes, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _show_bar(console: "Console", folder: str, total_bytes: int, ended: threading.Event) -> None:
    from rich import progress as bars

    columns = (
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[records]:,} records, {task.fields[dead]:,} dead"),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total_bytes, records=0, dead=0)
        while not ended.wait(_WRITE_SECS):
            done = read_progress(folder)
            bar.update(task, completed=done.n_bytes, records=done.tally.records, dead=done.tally.dead)


def _show_lines(console: "Console", folder: str, total_bytes: int, ended: threading.Event) -> None:
    while not ended.wait(_LINE_SECS):
        done = read_progress(folder)
        share = done.n_bytes / max(1, total_bytes)
        console.print(f"{share:.0%}: {done.tally.records:,} records, {done.tally.dead:,} dead letters", highlight=False)
