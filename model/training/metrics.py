"""How well scores fit their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saiten.model.text.ragged import DoubleArray, FloatArray

Values = FloatArray | DoubleArray


def evaluate(scores: FloatArray, labels: FloatArray, outputs: Sequence[str]) -> dict[str, Any]:
    """Compares scores with labels, both [n, outputs], n at least 1.

    Returns:
        JSON-able: `texts`; `outputs` with `mse`, `mae` and `spearman` of each, the last None where scores or
        labels are all equal; and `accuracy`, the share of texts whose largest score is their label's, where
        the labels are 0 and 1 and exclusive.
    """
    per_output = {
        name: {
            "mse": float(np.mean(np.square(scores[:, i] - labels[:, i]), dtype=np.float64)),
            "mae": float(np.mean(np.abs(scores[:, i] - labels[:, i]), dtype=np.float64)),
            "spearman": spearman(scores[:, i], labels[:, i]),
        }
        for i, name in enumerate(outputs)
    }
    metrics: dict[str, Any] = {"texts": len(labels), "outputs": per_output}
    if are_exclusive(labels):
        metrics["accuracy"] = float(np.mean(scores.argmax(axis=1) == labels.argmax(axis=1)))
    return metrics


def are_exclusive(labels: Values) -> bool:
    """Whether every text has one label of 1 and all others 0, of at least two."""
    return bool(labels.shape[1] > 1 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())


def spearman(first: Values, second: Values) -> float | None:
    """Returns Spearman's rank correlation, equal values sharing their mean rank; None where one side is constant."""
    from scipy import stats

    if not np.ptp(first) or not np.ptp(second):
        return None
    correlation = float(stats.spearmanr(first, second).statistic)
    return correlation if np.isfinite(correlation) else None
