"""An evaluation as tables: all texts, each class or output, by length and by share of OOV words."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from saiten.pipelines.reports.figure_names import FIGURES
from saiten.pipelines.terminal import escape, make_console

_MOST_CLASSES_CONFUSED = 20

Row = tuple[str, Mapping[str, Any]]


def print_evaluation(figures: Mapping[str, Any]) -> None:
    """Prints what `saiten.model.evaluation.evaluation.evaluate_whole` gave; each figure has its interval below."""
    console = make_console(None if sys.stdout.isatty() else 160)
    of_each = [*figures.get("outputs", {}).items(), *figures.get("classes", {}).items()]
    whole = {**figures.get("mean", {}), **figures}
    # Of one output the mean is that output's.
    means = [] if len(figures.get("outputs", {})) == 1 else [("all" if "mean" not in figures else "mean", whole)]
    _print(console, "", [*means, *of_each])
    if "confusion" in figures:
        _print_confusion(console, list(figures["classes"]), figures["confusion"])
    for group, name in (("by_length", "tokens"), ("by_oov_share", "OOV words")):
        _print(console, name, list(_groups(figures[group])))


def _groups(groups: Sequence[Mapping[str, Any]]) -> Iterable[Row]:
    for group in groups:
        name = next(key for key in group if key.startswith("most_"))
        yield _limit(group[name], is_share=name == "most_oov_share"), {**group.get("mean", {}), **group}


def _limit(most: float | None, *, is_share: bool) -> str:
    if not most:
        return "more" if most is None else "none"
    return f"up to {most:.0%}" if is_share else f"up to {most:,}"


def _print(console: Console, title: str, rows: Sequence[Row]) -> None:
    shown = [name for name in FIGURES if any(values.get(name) for _, values in rows)]
    table = Table(title, "texts", *(FIGURES[name][0] for name in shown), box=None, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, values in rows:
        figures = [_figure(values.get(figure), FIGURES[figure][1]) for figure in shown]
        table.add_row(escape(name), f"{values.get('texts', 0):,}", *figures)
    console.print(table)
    console.print()


def _figure(value: Mapping[str, Any] | None, layout: str) -> str:
    if value is None:
        return "-"
    low, high = (format(end, layout) for end in value["interval"])
    return f"{format(value['value'], layout)}\n{low} to {high}"


def _print_confusion(console: Console, names: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    if len(names) > _MOST_CLASSES_CONFUSED:
        return
    table = Table("true class, by row; taken for", *map(escape, names), box=None, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, counts in zip(names, confusion, strict=True):
        table.add_row(escape(name), *(f"{count:,}" for count in counts))
    console.print(table)
    console.print()
