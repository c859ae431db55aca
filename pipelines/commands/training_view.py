"""Shows a training on standard error: a line for each stage and epoch, and a bar where that is a terminal."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from saiten.model.training.watcher import EpochReport
from saiten.pipelines.terminal import escape_controls


class TrainingView:
    """A `saiten.model.training.watcher.TrainingWatcher`; use it in a ``with`` statement.

    Args:
        console: Where to; not a terminal: no bar.
        clock: Seconds; injected in tests.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._stage = ""
        self._done = 0
        self._started = 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bars.add_task("", total=None)

    def __enter__(self) -> "TrainingView":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end_stage()
        self._bars.stop()

    def begin(self, stage: str, total: int | None) -> None:
        """Ends the stage before with a line and begins another."""
        self._end_stage()
        self._stage, self._done, self._started = stage, 0, self._clock()
        self._bars.reset(self._task, description=stage, total=total)

    def advance(self, steps: int) -> None:
        """Moves the bar."""
        self._done += steps
        self._bars.advance(self._task, steps)

    def end_epoch(self, report: EpochReport) -> None:
        """Ends the stage with the epoch's line instead."""
        held_out = "" if report.held_out_loss is None else f", held out {report.held_out_loss:.4f}"
        best = " *" if report.is_best and held_out else ""
        self._print(f"{self._stage}: loss {report.loss:.4f}{held_out}{best} ({report.seconds:.1f} s)")
        self._stage = ""

    def _end_stage(self) -> None:
        if self._stage:
            count = f": {self._done:,}" if self._done else ""
            self._print(f"{self._stage}{count} ({self._clock() - self._started:.1f} s)")
        self._stage = ""

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def metrics_table(metrics: dict[str, Any]) -> Table:
    """Returns the held-out metrics as a table, a row for each label."""
    title = f"{metrics['texts']:,} held-out texts"
    if "accuracy" in metrics:
        title += f", accuracy {metrics['accuracy']:.3f}"
    table = Table("label", title=title, title_justify="left")
    for name in ("MSE", "MAE", "Spearman"):
        table.add_column(name, justify="right")
    for label, values in metrics["outputs"].items():
        spearman = "-" if values["spearman"] is None else f"{values['spearman']:.3f}"
        table.add_row(Text(escape_controls(label)), f"{values['mse']:.4g}", f"{values['mae']:.4g}", spearman)
    return table
