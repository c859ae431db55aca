"""Shows a training on standard error: a line for each stage and epoch, and a bar where that is a terminal."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from saiten.model.counted import counted
from saiten.model.training.watcher import EpochReport
from saiten.pipelines.commands.pages.tables import Row, print_figures
from saiten.pipelines.reports.figure_names import FIGURES


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
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bars.add_task("", total=None, visible=False)

    def __enter__(self) -> "TrainingView":
        try:
            self._bars.start()
        except BaseException:  # Ctrl-C, while a bar is up that `__exit__` would not take down
            self._bars.stop()
            raise
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
        # A bar that had a total keeps it unless it is another bar.
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(stage, total=total)

    def say(self, line: str) -> None:
        """Shows a line of its own."""
        self._end_stage()
        self._print(line)

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


def print_metrics(console: Console, metrics: Mapping[str, Any], title: str = "") -> None:
    """Prints the held-out metrics as a table: a row of all, or one for each label."""
    title = title or counted(metrics["texts"], "held-out text")
    if "outputs" in metrics and "accuracy" in metrics:
        title += f", accuracy {metrics['accuracy']:.3f}"
    of_each = metrics.get("outputs", {"": metrics})
    shown = [name for name in FIGURES if any(name in values for values in of_each.values())]
    names = ["label"] if "outputs" in metrics else []
    rows = [
        Row([label][: len(names)], [_figure(values.get(name), FIGURES[name][1]) for name in shown])
        for label, values in of_each.items()
    ]
    print_figures(console, names, [FIGURES[name][0] for name in shown], rows, title)


def _figure(value: float | None, layout: str) -> str:
    return "-" if value is None else format(value, layout)
