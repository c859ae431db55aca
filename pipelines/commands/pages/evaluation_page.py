"""An evaluation as tables: all texts, each class or output, by length and by share of OOV words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from saiten.pipelines.commands.pages.tables import Row, print_figures
from saiten.pipelines.reports.figure_names import FIGURES
from saiten.pipelines.terminal import make_console

_MOST_CLASSES_CONFUSED = 20
_READING = (
    "Below each figure stands its 95 % interval. OOV words (out of vocabulary) are those that the model does not know."
)

Group = tuple[str, Mapping[str, Any]]


def print_evaluation(figures: Mapping[str, Any]) -> None:
    """Prints what `saiten.model.evaluation.evaluation.evaluate_whole` gave; each figure has its 95 % interval below."""
    console = make_console()
    unknown = figures.get("unknown_classes", {})
    classes = [(_class_name(name, unknown), values) for name, values in figures.get("classes", {}).items()]
    of_each = [*figures.get("outputs", {}).items(), *classes]
    whole = {**figures.get("mean", {}), **figures}
    # Of one output the mean is that output's.
    means = [] if len(figures.get("outputs", {})) == 1 else [("all" if "mean" not in figures else "mean", whole)]
    _print(console, "", [*means, *of_each])
    if "confusion" in figures:
        _print_confusion(console, list(figures["classes"]), unknown, figures["confusion"])
    for group, name in (("by_length", "by tokens"), ("by_oov_share", "by share of OOV words")):
        _print(console, name, list(_groups(figures[group])))
    console.print(f"[dim]{_READING}[/]")


def _class_name(name: str, unknown: Mapping[str, int]) -> str:
    return f"{name} (not in the model)" if name in unknown else name


def _groups(groups: Sequence[Mapping[str, Any]]) -> Iterable[Group]:
    for group in groups:
        name = next(key for key in group if key.startswith("most_"))
        yield _limit(group[name], is_share=name == "most_oov_share"), {**group.get("mean", {}), **group}


def _limit(most: float | None, *, is_share: bool) -> str:
    if not most:
        return "more" if most is None else "none"
    return f"up to {most:.0%}" if is_share else f"up to {most:,}"


def _print(console: Console, title: str, groups: Sequence[Group]) -> None:
    shown = [name for name in FIGURES if any(values.get(name) for _, values in groups)]
    rows = [
        Row([name], [f"{values.get('texts', 0):,}", *(_figure(values.get(one), FIGURES[one][1]) for one in shown)])
        for name, values in groups
    ]
    print_figures(console, [title], ["texts", *(FIGURES[name][0] for name in shown)], rows)
    console.print()


def _figure(value: Mapping[str, Any] | None, layout: str) -> str:
    if value is None:
        return "-"
    low, high = (format(end, layout) for end in value["interval"])
    return f"{format(value['value'], layout)}\n{low} to {high}"


def _print_confusion(
    console: Console, names: Sequence[str], unknown: Mapping[str, int], confusion: Sequence[Sequence[int]]
) -> None:
    """Prints how often each class was taken for each; of what the model does not have nothing is taken for."""
    if len(names) > _MOST_CLASSES_CONFUSED:
        return
    known = [name for name in names if name not in unknown]
    rows = [
        Row([_class_name(name, unknown)], [f"{count:,}" for count in counts[: len(known)]])
        for name, counts in zip(names, confusion, strict=True)
    ]
    print_figures(console, ["true class"], known, rows, "true classes, and what their texts were taken for")
    console.print()
