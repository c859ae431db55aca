"""`--min_metric`: the least that a figure may be; one that an evaluation cannot have is refused before the work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saiten.model.errors import UsageError
from saiten.model.task import Task

# Figures that are better the larger they are, of all texts (of several outputs the mean), and of each output or class.
OF_ALL: Mapping[Task, tuple[str, ...]] = {
    "classes": ("accuracy", "macro_f1"),
    "labels": ("accuracy", "f1"),
    "numbers": ("pearson", "spearman"),
}
OF_EACH: Mapping[Task, tuple[str, ...]] = {
    "classes": ("precision", "recall", "f1"),
    "labels": ("accuracy", "f1", "precision", "recall"),
    "numbers": ("pearson", "spearman"),
}
RISING = ("accuracy", "macro_f1", "f1", "precision", "recall", "pearson", "spearman")


@dataclass(frozen=True)
class LeastFigure:
    """What a figure has to reach.

    Attributes:
        name: Such as ``accuracy``, or of one output or class ``taste.spearman``.
        least: What is enough.
    """

    name: str
    least: float


def parse_limit(text: str) -> LeastFigure:
    """Reads a ``--min_metric``, a name, a colon and a number.

    Raises:
        UsageError: It is none, or names a figure that is better the smaller it is.
    """
    name, _, value = text.rpartition(":")
    try:
        least = float(value)
    except ValueError:
        least = float("nan")
    if not name or least != least:
        raise UsageError(f"--min_metric is a name, a colon and a number, such as accuracy:0.9, not {text!r:.100}.")
    if name.rpartition(".")[2] not in RISING:
        raise UsageError(f"--min_metric={text:.100} names no figure of which more is better: {', '.join(RISING)}.")
    return LeastFigure(name, least)


def refuse_absent_figures(limits: Sequence[LeastFigure], task: Task, outputs: Sequence[str]) -> None:
    """Refuses a figure that an evaluation cannot have, whatever the scores.

    Raises:
        UsageError: With those that there are.
    """
    names = list(_names(task, outputs))
    # Numbers have an accuracy where all are 0 but one that is 1, which only all labels tell.
    possible = {*names, "accuracy"} if task == "numbers" and len(outputs) > 1 else {*names}
    for limit in limits:
        if limit.name not in possible:
            raise UsageError(f"There is no figure {limit.name!r:.100}; there are {', '.join(names):.500}.")


def figure_of(figures: Mapping[str, Any], name: str) -> float:
    """Returns a figure by its name; NaN where it cannot be told, such as the correlation of equal scores.

    Args:
        figures: What `saiten.model.evaluation.evaluation.evaluate_whole` gave.
        name: One that `refuse_absent_figures` lets through.

    Raises:
        UsageError: The labels are not such that there is an accuracy.
    """
    whose, _, figure = name.rpartition(".")
    of_one = {**figures.get("outputs", {}), **figures.get("classes", {})}
    found = (of_one.get(whose, {}) if whose else {**figures.get("mean", {}), **figures}).get(figure)
    if found is None and name == "accuracy":
        raise UsageError("There is no figure 'accuracy': it needs labels of which each text has exactly one that is 1.")
    return float(found["value"]) if found else float("nan")


def _names(task: Task, outputs: Sequence[str]) -> Iterator[str]:
    yield from OF_ALL[task]
    for output in outputs:
        yield from (f"{output}.{figure}" for figure in OF_EACH[task])
