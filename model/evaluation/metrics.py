"""How well scores fit their labels: what `train` says of its held-out texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array

Values = FloatArray | DoubleArray

# Bins of equal width of the calibration error.
_BINS = 10
# Scores are float32: a probability of 0 or 1 is one rounding away from being none.
_LEAST_PROBABILITY = 1e-7


def evaluate(task: Task, scores: FloatArray, targets: FloatArray, outputs: Sequence[str]) -> dict[str, Any]:
    """Compares scores, [n, outputs], with labels, n at least 1.

    Args:
        task: Of the labels.
        scores: float32 [n, outputs].
        targets: float32, NaN where a label is missing: [n, outputs], or [n, 1] the numbers of classes.
        outputs: Their names.

    Returns:
        JSON-able: `texts`; of classes `accuracy`, `macro_f1`, `log_loss` and `calibration_error`; else `outputs` with
        `texts`, and of numbers `mse`, `mae`, `pearson` and `spearman`, of labels `accuracy`, `f1`, `log_loss` and
        `calibration_error` of each; `mean`, their means over the outputs that have them; and `accuracy` of numbers
        that are exclusive flags. None where a figure cannot be had.
    """
    metrics: dict[str, Any] = {"texts": len(targets)}
    if task == "classes":
        return {**metrics, **_of_classes(scores, targets[:, 0].astype(np.int64))}
    of_one = _of_numbers if task == "numbers" else _of_labels
    metrics["outputs"] = {}
    for i, name in enumerate(outputs):
        is_known = ~np.isnan(targets[:, i])
        known_scores, known = scores[is_known, i].astype(np.float64), targets[is_known, i].astype(np.float64)
        metrics["outputs"][name] = {"texts": len(known), **(of_one(known_scores, known) if len(known) else {})}
    metrics["mean"] = _means(list(metrics["outputs"].values()))
    if task == "numbers" and are_exclusive(targets):
        metrics["accuracy"] = float(np.mean(scores.argmax(axis=1) == targets.argmax(axis=1)))
    return metrics


def main_figure(metrics: Mapping[str, Any]) -> tuple[str, float | None]:
    """Returns name and value of the figure that says most: larger is better, whatever the labels are."""
    if "accuracy" in metrics:
        return "accuracy", metrics["accuracy"]
    name = "f1" if "f1" in metrics["mean"] else "spearman"
    return f"mean {name}", metrics["mean"].get(name)


def _means(figures: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    names = dict.fromkeys(name for one in figures for name in one if name != "texts")
    known = {name: [value for one in figures if (value := one.get(name)) is not None] for name in names}
    return {name: float(np.mean(values)) for name, values in known.items() if values}


def are_exclusive(labels: Values) -> bool:
    """Whether every text has one label of 1 and all others 0, of at least two, [n, labels]."""
    return bool(labels.shape[1] > 1 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())


def _of_classes(scores: FloatArray, numbers: Int64Array) -> dict[str, float]:
    chosen = scores.argmax(axis=1)
    is_right = chosen == numbers
    confusion = confusion_matrix(numbers, chosen, scores.shape[1])
    return {
        "accuracy": float(is_right.mean()),
        "macro_f1": macro_f1(confusion),
        "log_loss": log_loss(scores[np.arange(len(numbers)), numbers]),
        "calibration_error": calibration_error(scores.max(axis=1), is_right),
    }


def _of_labels(scores: DoubleArray, known: DoubleArray) -> dict[str, float]:
    chosen = (scores >= 0.5).astype(np.int64)
    confusion = confusion_matrix(known.astype(np.int64), chosen, 2)
    return {
        "accuracy": float(np.trace(confusion) / len(known)),
        "f1": float(f1_scores(confusion)[1]),
        "log_loss": log_loss(np.where(known > 0, scores, 1 - scores)),
        "calibration_error": calibration_error(scores, known > 0),
    }


def _of_numbers(scores: DoubleArray, known: DoubleArray) -> dict[str, float | None]:
    return {
        "mse": float(np.mean(np.square(scores - known))),
        "mae": float(np.mean(np.abs(scores - known))),
        "pearson": pearson(scores, known),
        "spearman": spearman(scores, known),
    }


def confusion_matrix(numbers: Int64Array, chosen: Int64Array, n: int) -> Int64Array:
    """Returns how many texts of each class, by row, were taken for each, by column, [n, n]."""
    return np.bincount(numbers * n + chosen, minlength=n * n).reshape(n, n)


def f1_scores(confusion: Int64Array) -> DoubleArray:
    """Returns each class's F1, 0 for one that is neither there nor chosen.

    Args:
        confusion: [..., classes, classes], the true class by row.

    Returns:
        float64 [..., classes].
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    return np.asarray(2 * right / np.maximum(total, 1), np.float64)


def macro_f1(confusion: Int64Array) -> float:
    """Returns the mean F1 of the classes that are there or chosen."""
    is_there = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    return float(f1_scores(confusion)[is_there].mean())


def log_loss(probabilities: Values) -> float:
    """Returns the mean log loss, given the probability of each text's true class."""
    return float(-np.mean(np.log(np.maximum(probabilities.astype(np.float64), _LEAST_PROBABILITY))))


def calibration_error(probabilities: Values, happened: Any) -> float:
    """Returns how far the share of what happened is from the mean probability given to it.

    That is the expected calibration error: the average over ten bins of equal width, weighted by their texts.

    Args:
        probabilities: [n], from 0 to 1.
        happened: bool [n].
    """
    counts, given, happened_in = _calibration_sums(probabilities, happened)
    return float(np.abs(given - happened_in).sum() / counts.sum())


def calibration_curve(probabilities: Values, happened: Any) -> list[tuple[float, float, int]]:
    """Returns of each of those bins that is not empty the mean probability, the share of what happened, its texts."""
    rows = zip(*(sums.tolist() for sums in _calibration_sums(probabilities, happened)), strict=True)
    return [(given / n, happened_in / n, n) for n, given, happened_in in rows if n]


def _calibration_sums(probabilities: Values, happened: Any) -> tuple[Int64Array, DoubleArray, DoubleArray]:
    """Returns of each bin how many texts it has, their probabilities' sum, and for how many it happened."""
    bins = np.minimum((probabilities * _BINS).astype(np.int64), _BINS - 1)
    given, happened_in = (
        np.asarray(np.bincount(bins, np.asarray(values, np.float64), _BINS), np.float64)
        for values in (probabilities, happened)
    )
    return np.bincount(bins, minlength=_BINS).astype(np.int64), given, happened_in


def spearman(first: Values, second: Values) -> float | None:
    """Returns Spearman's rank correlation, equal values sharing their mean rank; None where one side is constant."""
    from scipy import stats

    if np.isnan(first).any() or np.isnan(second).any():
        return None
    return pearson(stats.rankdata(first), stats.rankdata(second))


def pearson(first: Values, second: Values) -> float | None:
    """Returns Pearson's correlation; None where one side is constant."""
    if not np.ptp(first) or not np.ptp(second):
        return None
    correlation = float(np.corrcoef(first, second)[0, 1])
    return correlation if np.isfinite(correlation) else None
