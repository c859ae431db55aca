"""All that `saiten evaluate` says of scores with labels: figures with intervals, by class, by length, by OOV words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saiten.model.evaluation.intervals import with_intervals
from saiten.model.evaluation.metrics import confusion_matrix, evaluate
from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array, IntArray

_LENGTHS = (16, 64, 256, 1_024)
_OOV_SHARES = (0.0, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class LabelledScores:
    """Scores of texts whose labels are known.

    Attributes:
        task: Of the labels.
        outputs: Names of the scores.
        scores: float32 [n, outputs].
        targets: float32, NaN where a label is missing: [n, outputs], or of classes their numbers, [n, 1].
        n_tokens: int32 [n], at least 1.
        n_oov: int32 [n].
    """

    task: Task
    outputs: tuple[str, ...]
    scores: FloatArray
    targets: FloatArray
    n_tokens: IntArray
    n_oov: IntArray

    def figures(self, rows: Int64Array) -> dict[str, Any]:
        """Returns the figures of some texts; see `evaluate`."""
        return evaluate(self.task, self.scores[rows], self.targets[rows], self.outputs)

    def whole_figures(self, rows: Int64Array) -> dict[str, Any]:
        """Returns them with precision and recall of each class, or of each label."""
        figures = self.figures(rows)
        if self.task == "classes":
            numbers, chosen = self._numbers(rows)
            return {**figures, "classes": _by_class(numbers, chosen, self.outputs)}
        if self.task == "labels":
            for i, name in enumerate(self.outputs):
                known = self.targets[rows, i]
                is_known = ~np.isnan(known)
                chosen = self.scores[rows, i][is_known] >= 0.5
                of_one = _by_class(known[is_known].astype(np.int64), chosen.astype(np.int64), ("0", "1"))["1"]
                figures["outputs"][name] |= {"precision": of_one["precision"], "recall": of_one["recall"]}
        return figures

    def confusion(self) -> list[list[int]] | None:
        """Returns how many texts of each class, by row, were taken for each, by column; None without classes."""
        if self.task != "classes":
            return None
        numbers, chosen = self._numbers(np.arange(len(self.scores)))
        matrix = confusion_matrix(numbers, chosen, len(self.outputs))
        return [[int(count) for count in row] for row in matrix]

    def _numbers(self, rows: Int64Array) -> tuple[Int64Array, Int64Array]:
        return self.targets[rows, 0].astype(np.int64), self.scores[rows].argmax(axis=1)


def evaluate_whole(labelled: LabelledScores) -> dict[str, Any]:
    """Returns all figures, JSON-able, with intervals: see `with_intervals`.

    Beside what `evaluate` gives, `task`, of classes `classes` (precision, recall, F1 and texts of each) and
    `confusion` (the true class by row), and the main figures `by_length` and `by_oov_share`.
    """
    from sklearn import config_context

    with config_context(assume_finite=True, skip_parameter_validation=True):
        figures = with_intervals(labelled.whole_figures, len(labelled.scores))
    confusion = labelled.confusion()
    return {
        "task": labelled.task,
        **figures,
        **({} if confusion is None else {"confusion": confusion}),
        "by_length": [
            {"most_n_tokens": most, **_of_group(labelled, rows)} for most, rows in groups_by_length(labelled)
        ],
        "by_oov_share": [
            {"most_oov_share": most, **_of_group(labelled, rows)} for most, rows in groups_by_oov_share(labelled)
        ],
    }


def groups_by_length(labelled: LabelledScores) -> Iterator[tuple[float | None, Int64Array]]:
    """Yields the rows of the texts up to so many tokens and above the number before; the last has no limit."""
    return _groups(labelled.n_tokens.astype(np.float64), _LENGTHS)


def groups_by_oov_share(labelled: LabelledScores) -> Iterator[tuple[float | None, Int64Array]]:
    """Yields the rows of the texts of which up to such a share of the tokens is OOV, in the same way."""
    return _groups(labelled.n_oov / labelled.n_tokens, _OOV_SHARES)


def _groups(values: DoubleArray, limits: Sequence[float]) -> Iterator[tuple[float | None, Int64Array]]:
    groups = np.searchsorted(limits, values)
    for number in np.unique(groups).tolist():
        yield limits[number] if number < len(limits) else None, np.flatnonzero(groups == number)


def _of_group(labelled: LabelledScores, rows: Int64Array) -> dict[str, Any]:
    def figures(drawn: Int64Array) -> dict[str, Any]:
        return {name: value for name, value in labelled.figures(rows[drawn]).items() if name != "outputs"}

    return with_intervals(figures, len(rows))


def _by_class(numbers: Int64Array, chosen: Int64Array, names: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support

    found = precision_recall_fscore_support(numbers, chosen, labels=range(len(names)), zero_division=0)
    rows = zip(*(values.tolist() for values in found), strict=True)
    return {
        name: {"texts": int(n), "precision": float(precision), "recall": float(recall), "f1": float(f1)}
        for name, (precision, recall, f1, n) in zip(names, rows, strict=True)
    }
