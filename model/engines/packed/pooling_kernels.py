"""What looks at all steps of a text at once, text by text, in double precision, compiled by Numba."""

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.text.ragged import DoubleArray, Int64Array

SUM, MAXIMUM, MINIMUM = range(3)


@compiled(fast=False)
def pool_steps(values: DoubleArray, offsets: Int64Array, how: int, pooled: DoubleArray) -> None:
    """Writes each text's sum, maximum or minimum over its steps; a NaN stays one.

    Args:
        values: float32 or float64 [total, width].
        offsets: int64 [n + 1]; no text is empty.
        how: `SUM`, `MAXIMUM` or `MINIMUM`.
        pooled: float64 [n, width], what is written; of the type of the values where nothing is summed.
    """
    for text in range(offsets.shape[0] - 1):
        start = offsets[text]
        for j in range(values.shape[1]):
            pooled[text, j] = values[start, j]
        best = pooled[text]
        for position in range(start + 1, offsets[text + 1]):
            row = values[position]
            if how == SUM:
                for j in range(row.shape[0]):
                    best[j] += row[j]
            elif how == MAXIMUM:
                for j in range(row.shape[0]):
                    best[j] = best[j] if (best[j] >= row[j]) | (best[j] != best[j]) else row[j]
            else:
                for j in range(row.shape[0]):
                    best[j] = best[j] if (best[j] <= row[j]) | (best[j] != best[j]) else row[j]


@compiled(fast=False)
def softmax_steps(values: DoubleArray, offsets: Int64Array, weights: DoubleArray) -> None:
    """Writes weights that sum to 1 over each text's steps, each column by itself.

    Args:
        values: float32 or float64 [total, width].
        offsets: int64 [n + 1]; no text is empty.
        weights: Of the same type and shape, what is written.
    """
    for text in range(offsets.shape[0] - 1):
        start, end = offsets[text], offsets[text + 1]
        for j in range(values.shape[1]):
            most = np.float64(values[start, j])
            for position in range(start, end):
                most = max(most, np.float64(values[position, j]))
            total = 0.0
            for position in range(start, end):
                total += np.exp(np.float64(values[position, j]) - most)
            for position in range(start, end):
                weights[position, j] = np.exp(np.float64(values[position, j]) - most) / total


@compiled(fast=False)
def _mix(scores: DoubleArray, values: DoubleArray, mixed: DoubleArray) -> None:
    """Writes the mean of the values, weighted by the softmax of their scores."""
    most, total = scores.max(), 0.0
    sums = np.zeros(values.shape[1], np.float64)
    for key in range(values.shape[0]):
        weight = np.exp(scores[key] - most)
        total += weight
        for j in range(values.shape[1]):
            sums[j] += weight * values[key, j]
    for j in range(values.shape[1]):
        mixed[j] = sums[j] / total


@compiled(fast=False)
def attend(
    queries: DoubleArray, keys: DoubleArray, values: DoubleArray, offsets: Int64Array, scale: float, mixed: DoubleArray
) -> None:
    """Writes, for each step, the mean of its text's values, weighted by the softmax of query times key.

    Args:
        queries: float32 or float64 [total, width], like all of these.
        keys: [total, width].
        values: [total, value width].
        offsets: int64 [n + 1]; no text is empty.
        scale: What every product is multiplied with.
        mixed: [total, value width], what is written.
    """
    for text in range(offsets.shape[0] - 1):
        start, end = offsets[text], offsets[text + 1]
        scores = np.empty(end - start, np.float64)
        for query in range(start, end):
            for key in range(start, end):
                product = 0.0
                for j in range(queries.shape[1]):
                    product += np.float64(queries[query, j]) * np.float64(keys[key, j])
                scores[key - start] = product * scale
            _mix(scores, values[start:end], mixed[query])


@compiled(fast=False)
def attend_additively(
    queries: DoubleArray,
    keys: DoubleArray,
    values: DoubleArray,
    offsets: Int64Array,
    scales: DoubleArray,
    mixed: DoubleArray,
) -> None:
    """Writes what `attend` does, by scores that are sums, scaled, of the tanh of query plus key.

    Args:
        queries: float32 or float64 [total, width], like all but the scales.
        keys: [total, width].
        values: [total, value width].
        offsets: int64 [n + 1]; no text is empty.
        scales: float64 [width].
        mixed: [total, value width], what is written.
    """
    for text in range(offsets.shape[0] - 1):
        start, end = offsets[text], offsets[text + 1]
        scores = np.empty(end - start, np.float64)
        for query in range(start, end):
            for key in range(start, end):
                total = 0.0
                for j in range(queries.shape[1]):
                    total += scales[j] * np.tanh(np.float64(queries[query, j]) + np.float64(keys[key, j]))
                scores[key - start] = total
            _mix(scores, values[start:end], mixed[query])
