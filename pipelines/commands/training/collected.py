"""Scores and labels as they come, and what is evaluated of them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from saiten.model.errors import UsageError
from saiten.model.evaluation.evaluation import LabelledScores
from saiten.model.evaluation.metrics import are_exclusive
from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray, IntArray
from saiten.model.training.targets import MOST_CLASSES, NumberLabels
from saiten.pipelines.commands.training.labelled_records import LabelFields

# The scores of exclusive classes sum to 1, but for single precision.
_SUM_TOLERANCE = 1e-3
_NAMED = 300

Row = Sequence[float] | str


class Collected:
    """Scores and labels as they come, and why records are left out.

    A text whose class the model does not have is evaluated: that class has probability 0, so the answer is wrong.

    Args:
        labels: Where the labels are.
        outputs: Of the model.

    Attributes:
        left_out: Records that are not evaluated, by code.
        unknown: Texts of each class that the model does not have.

    Raises:
        UsageError: A label is named that the model does not give.
    """

    def __init__(self, labels: LabelFields, outputs: Sequence[str]) -> None:
        missing = [] if labels.is_class else [name for name in labels.names if name not in outputs]
        if missing:
            raise UsageError(f"The model has no output {missing[0]!r}; its outputs are {', '.join(outputs):.{_NAMED}}.")
        self._labels, self._outputs = labels, tuple(outputs)
        self._numbers = {name: i for i, name in enumerate(outputs)}
        self._parts: list[tuple[FloatArray, DoubleArray, IntArray, IntArray]] = []
        self.left_out: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    @property
    def evaluated(self) -> tuple[str, ...]:
        """Those of the model's outputs that are evaluated."""
        return self._outputs if self._labels.is_class else tuple(self._labels.names)

    def refuse_unfit(self, task: Task, some: Sequence[Row]) -> None:
        """Refuses labels that the model cannot have, by some of them.

        Raises:
            UsageError: They are not of the task.
        """
        if self._labels.is_class and task != "classes":
            raise UsageError(
                f"--class_field is for models of classes, and this one gives {task}: name the fields with its labels "
                "by --label_fields."
            )
        if self._labels.is_class:
            return
        rows = np.array(some, np.float64).reshape(-1, len(self._labels.names))
        if not np.isnan(rows).all(axis=0).any():  # a label that none of these has may come later
            self._targets(rows, task)

    def add(self, scores: FloatArray, labels: Sequence[Row], n_tokens: IntArray, n_oov: IntArray) -> None:
        """Takes the scores of some texts, [n, outputs], with a label each; texts without tokens are left out."""
        kept = np.not_equal(n_tokens, 0)
        self.left_out["EMPTY"] += int((~kept).sum())
        given = [label for label, is_kept in zip(labels, kept.tolist(), strict=True) if is_kept]
        rows = np.array([self._row(label) for label in given], np.float64).reshape(-1, len(self._labels.names))
        self._parts.append((scores[kept], rows, n_tokens[kept], n_oov[kept]))

    def _row(self, label: Row) -> Sequence[float]:
        if not isinstance(label, str):
            return label
        if label not in self._numbers:
            if len(self._numbers) >= len(self._outputs) + MOST_CLASSES:
                raise UsageError(
                    f"The field {self._labels.names[0]!r} has more than {MOST_CLASSES:,} classes that the model does "
                    f"not have; its own are {', '.join(self._outputs):.{_NAMED}}. Check --class_field."
                )
            self._numbers[label] = len(self._numbers)
        number = self._numbers[label]
        self.unknown[label] += number >= len(self._outputs)
        return (number,)

    def labelled_scores(self, task: Task | None) -> LabelledScores:
        """Returns all of them.

        Args:
            task: The model's; None: as labels and scores are.

        Raises:
            UsageError: There are none, the labels are not of the task, or the model has none of their classes.
        """
        n = sum(len(part[0]) for part in self._parts)
        if not n:
            codes = ", ".join(f"{code} {count:,}" for code, count in sorted(self.left_out.items()) if count)
            raise UsageError(f"No record is left to evaluate{f' ({codes})' if codes else ''}.")
        scores, rows, n_tokens, n_oov = (np.concatenate(values) for values in zip(*self._parts, strict=True))
        if self._labels.is_class:
            if task is None and not _are_of_classes(scores):
                raise UsageError(
                    "--class_field is for scores of exclusive classes, and these do not add up to 1: name the fields "
                    "with their labels by --label_fields."
                )
            self.unknown = +self.unknown
            if self.unknown.total() == n:
                theirs, own = (f"{', '.join(names):.{_NAMED}}" for names in (self.unknown, self._outputs))
                raise UsageError(
                    f"The model has the class of none of the {n:,} texts: theirs are {theirs}; its own are {own}. "
                    "Check --class_field."
                )
            scores = np.pad(scores, ((0, 0), (0, len(self.unknown))))
            return LabelledScores("classes", tuple(self._numbers), scores, rows.astype(np.float32), n_tokens, n_oov)
        chosen = [self._outputs.index(name) for name in self._labels.names]
        task = task or _task_of(rows, scores[:, chosen])
        targets = self._targets(rows, task)
        return LabelledScores(task, self.evaluated, scores[:, chosen], targets, n_tokens, n_oov)

    def _targets(self, rows: DoubleArray, task: Task) -> FloatArray:
        """Returns labels that are numbers as `LabelledScores.targets` has them."""
        if task == "classes" and len(self._labels.names) < len(self._outputs):
            raise UsageError("The model's outputs are exclusive classes: name all of them by --label_fields.")
        return NumberLabels(self._labels.names).values(rows, task, f"A model of {task}")


def _are_of_classes(scores: FloatArray) -> bool:
    return bool(np.abs(scores.sum(axis=1) - 1).max() < _SUM_TOLERANCE)


def _task_of(labels: DoubleArray, scores: FloatArray) -> Task:
    if are_exclusive(labels) and _are_of_classes(scores):
        return "classes"
    are_flags = bool(np.isin(labels[~np.isnan(labels)], (0, 1)).all())
    return "labels" if are_flags and scores.min() >= 0 and scores.max() <= 1 else "numbers"
