"""Distributions on the training data, kept in the bundle so that later texts can be compared with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saiten.model.bundle.reference import LENGTH_EDGES, OOV_RATE_EDGES
from saiten.model.evaluation.metrics import Values
from saiten.model.text.ragged import BoolArray, FloatArray, IntArray

_QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
_BINS = 50


def describe_training_data(
    scores: FloatArray, n_tokens: IntArray, n_oov: IntArray, held_out: BoolArray, outputs: Sequence[str]
) -> dict[str, Any]:
    """Describes what the model gave for its training data, held-out texts included.

    Args:
        scores: float32 [n, outputs].
        n_tokens: int32 [n], tokens before truncation.
        n_oov: int32 [n].
        held_out: bool [n]. The vocabulary is made of the other texts, so that of OOV words theirs would tell nothing:
            the rate is that of the held-out texts, where there are any.

    Returns:
        JSON-able: `texts`, `scores` by output name, `n_tokens` and `oov_rate`, each as `describe` gives it.
    """
    return {
        "texts": len(scores),
        "scores": {name: describe(scores[:, i]) for i, name in enumerate(outputs)},
        "n_tokens": describe(n_tokens.astype(np.float64), LENGTH_EDGES),
        "oov_rate": describe((n_oov / n_tokens)[held_out if held_out.any() else ...], OOV_RATE_EDGES),
    }


def describe(values: Values, bins: int | Sequence[float] = _BINS) -> dict[str, Any]:
    """Returns mean, standard deviation, quantiles (pairs of share and value) and a histogram.

    Args:
        bins: How many, of equal width; or their edges.
    """
    values = np.asarray(values, np.float64)
    counts, edges = np.histogram(values, bins=bins)
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "quantiles": [[q, float(value)] for q, value in zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True)],
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }
