"""Labels as they come, numbers or the names of classes, and what they are taken for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from saiten.model.errors import UsageError
from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray

MOST_CLASSES = 1_000
# So many may have but one text each; of more that is the mark of another field, such as an id.
_FEW_CLASSES = 20

_TASKS: dict[str, Task] = {"binary_crossentropy": "labels", "categorical_crossentropy": "classes"}
LOSS_OF: dict[Task, str] = {
    "numbers": "mse",
    "labels": "binary_crossentropy",
    "classes": "categorical_crossentropy",
}


Label = Sequence[float] | str


class LabelReader(Protocol):
    """Turns each record's label into numbers of fixed width."""

    width: int

    def row(self, label: Label, record: int) -> DoubleArray:
        """Returns float64 [width], NaN where a label is missing.

        Raises:
            UsageError: The label of the record, which has that number, will not do.
        """
        ...

    def targets(self, rows: DoubleArray, n_records: int, loss: str | None) -> "Targets":
        """Says what all rows together, float64 [n, width], are taken for.

        Args:
            rows: All that `row` returned.
            n_records: How many of them, from the first on, may be trained on; the others are held out.
            loss: One of `saiten.model.training.config.LOSSES`; None: as the labels are.
        """
        ...


@dataclass(frozen=True)
class Targets:
    """What is trained.

    Attributes:
        task: What the labels are taken for.
        loss: One of `saiten.model.training.config.LOSSES`.
        outputs: A name for each of the model's outputs.
        values: float32, NaN where a label is missing: [n, outputs], or of classes their numbers, [n, 1].
    """

    task: Task
    loss: str
    outputs: tuple[str, ...]
    values: FloatArray


class NumberLabels:
    """Labels that are numbers, NaN where one is missing.

    Args:
        names: What they are called.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self.width = len(self._names)

    def row(self, label: Label, record: int) -> DoubleArray:
        """Returns the numbers; see `LabelReader`."""
        row = np.asarray(label, np.float64)
        if row.shape != (self.width,) or np.isinf(row).any():
            raise UsageError(f"Record {record} needs {self.width} finite labels, not {row.tolist()}.")
        return row

    def targets(self, rows: DoubleArray, n_records: int, loss: str | None) -> Targets:
        """Takes zeros and ones for classes where they exclude each other in every text, else for labels.

        Others are taken for numbers. `loss` decides otherwise.
        """
        self._refuse_absent(rows[:n_records])
        if loss:
            task = _TASKS.get(loss, "numbers")
        else:
            task = "classes" if _are_classes(rows) else "labels" if _are_flags(rows) else "numbers"
        return Targets(task, loss or LOSS_OF[task], self._names, self.values(rows, task, f"The loss {loss}"))

    def values(self, rows: DoubleArray, task: Task, who: str) -> FloatArray:
        """Returns the rows as `Targets.values` has them.

        Args:
            rows: All that `row` returned, float64 [n, width].
            task: What they are to be taken for.
            who: Takes them so, to begin a sentence with.

        Raises:
            UsageError: They are not of the task, or a label is never there.
        """
        self._refuse_absent(rows)
        if task == "classes" and not _are_classes(rows):
            raise UsageError(f"{who} needs labels of which each text has exactly one that is 1, others 0.")
        if task == "labels" and not _are_flags(rows):
            raise UsageError(f"{who} needs labels that are 0 or 1.")
        return np.asarray(np.nanargmax(rows, axis=1)[:, None] if task == "classes" else rows, np.float32)

    def _refuse_absent(self, rows: DoubleArray) -> None:
        for name, is_missing in zip(self._names, np.isnan(rows).T, strict=True):
            if is_missing.all():
                raise UsageError(f"No text has a label {name!r}.")


def _are_flags(rows: DoubleArray) -> bool:
    return bool(np.isin(rows[~np.isnan(rows)], (0, 1)).all())


def _are_classes(rows: DoubleArray) -> bool:
    return _are_flags(rows) and rows.shape[1] > 1 and bool((np.nansum(rows, axis=1) == 1).all())


class ClassLabels:
    """Labels that are the names of classes, a class a text."""

    width = 1

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def row(self, label: Label, record: int) -> DoubleArray:
        """Returns the number that the class has for now; see `LabelReader`."""
        if not isinstance(label, str):
            raise UsageError(f"Record {record} needs the name of a class, not {label!r}.")
        number = self._numbers.setdefault(label, len(self._numbers))
        if number >= MOST_CLASSES:
            raise UsageError(
                f"There are more than {MOST_CLASSES:,} classes, such as {label!r:.60}: name a field with few."
            )
        return np.array([number], np.float64)

    def targets(self, rows: DoubleArray, n_records: int, loss: str | None) -> Targets:
        """Numbers the classes in the order of their names, of numbers in the order of these.

        A class of held-out texts alone is none.
        """
        refuse_loss_of_names(loss)
        found = np.unique(rows[:n_records])
        all_names = list(self._numbers)
        names = sorted((all_names[int(number)] for number in found), key=_rank)
        if len(names) < 2:
            raise UsageError(f"There is but one class, {names[0]!r:.60}; a model needs two to choose from.")
        if len(names) > _FEW_CLASSES and 2 * len(names) > n_records:
            raise UsageError(
                f"There are {len(names):,} classes in {n_records:,} texts, too few of each to learn from: name a field "
                "that many texts share."
            )
        order = np.full(len(all_names), np.nan, np.float32)
        order[[self._numbers[name] for name in names]] = np.arange(len(names))
        return Targets("classes", LOSS_OF["classes"], tuple(names), order[rows.astype(np.int64)])


def refuse_loss_of_names(loss: str | None) -> None:
    """Refuses a loss with which the names of classes cannot be learned.

    Raises:
        UsageError: It is neither None nor that of classes.
    """
    if loss not in (None, LOSS_OF["classes"]):
        raise UsageError(
            f"The names of classes are learned by {LOSS_OF['classes']}, not by {loss}: leave out --loss, or give the "
            "classes as fields of 0 and 1 by --label_fields."
        )


def _rank(name: str) -> tuple[float, str]:
    try:
        number = float(name)
    except ValueError:
        return np.inf, name
    return number if np.isfinite(number) else np.inf, name  # "nan" has no place among numbers


def loss_line(targets: Targets, others: bool = True) -> str:
    """Says in one line what the labels are taken for.

    Args:
        targets: What is trained.
        others: Whether the labels could be learned by another loss.
    """
    count = len(targets.outputs)
    what = {
        "numbers": f"{count} number{'s' * (count > 1)} a text",
        "labels": f"{count} label{'s' * (count > 1)} a text, each 0 or 1: probabilities by sigmoid",
        "classes": f"{count} exclusive classes: probabilities by softmax",
    }[targets.task]
    return f"{what}, {targets.loss}{' (--loss sets another)' if others else ''}"


def refuse_class_weight(task: Task) -> None:
    """Refuses to weigh classes where there are none.

    Raises:
        UsageError: The labels are numbers.
    """
    if task == "numbers":
        raise UsageError("--class_weight=balanced is for classes; these labels are numbers.")


def balanced_weights(task: Task, values: FloatArray, n_outputs: int) -> FloatArray:
    """Returns what a text of each class counts so that all classes count the same, and a text 1 on average.

    Args:
        task: ``classes`` or ``labels``.
        values: float32, the training texts' `Targets.values`.
        n_outputs: How many classes or labels.

    Returns:
        float32 [outputs] of classes, [outputs, 2] of labels: for 0 and for 1.
    """
    if task == "classes":
        counts = np.bincount(values[:, 0].astype(np.int64), minlength=n_outputs)
        return np.asarray(counts.sum() / (n_outputs * np.maximum(counts, 1)), np.float32)
    ones, known = np.nansum(values, axis=0), (~np.isnan(values)).sum(axis=0)
    counts = np.stack([known - ones, ones], axis=1)
    return np.asarray(known[:, None] / (2 * np.maximum(counts, 1)), np.float32)


def start_of(task: Task, values: FloatArray, n_outputs: int) -> FloatArray:
    """Returns the logits that give every text the classes' or labels' shares, float32 [outputs]; of numbers 0.

    Args:
        task, values, n_outputs: As for `balanced_weights`.
    """
    if task == "numbers":
        return np.zeros(n_outputs, np.float32)
    if task == "classes":
        shares = np.bincount(values[:, 0].astype(np.int64), minlength=n_outputs) + 1
        return np.asarray(np.log(shares / shares.sum()), np.float32)
    ones, known = np.nansum(values, axis=0) + 1, (~np.isnan(values)).sum(axis=0) + 2
    return np.asarray(np.log(ones / (known - ones)), np.float32)
