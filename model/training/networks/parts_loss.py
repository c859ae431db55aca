"""What is minimised: the loss of a network's parts, and of the factors with which they are summed.

Importing this module imports Keras.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray


class PartsLoss(keras.losses.Loss):
    """The sum of each part's loss and, where there are several, of the loss of their sum.

    The targets of exclusive classes are their numbers, float32 [n, 1]; of others float32 [n, outputs], NaN
    where a label is missing: it adds nothing to the loss.

    Args:
        task: Of the labels.
        name: One of `saiten.model.training.config.LOSSES`.
        weights: float32 [outputs] of classes, [outputs, 2] of labels that are 0 or 1: what a text counts; None: one.
    """

    def __init__(self, task: Task, name: str, weights: FloatArray | None = None) -> None:
        super().__init__(name=name)
        self.task = task
        self.weights = weights
        self._loss = keras.losses.get(name)

    def call(self, targets: Any, parts: Any) -> Any:
        """Returns the loss of each text, [n], of the parts' logits, [n, parts, outputs]."""
        n_parts = parts.shape[1]
        logits = [parts[:, i] for i in range(n_parts)]
        if n_parts > 1:
            logits.append(ops.sum(parts, axis=1))
        return sum(self._one(targets, part) for part in logits)

    def _one(self, targets: Any, logits: Any) -> Any:
        if self.task == "classes":
            numbers = ops.cast(targets[:, 0], "int32")
            losses = keras.losses.sparse_categorical_crossentropy(numbers, logits, from_logits=True)
            return losses if self.weights is None else losses * ops.take(self.weights, numbers)
        is_missing = ops.isnan(targets)
        known = ops.where(is_missing, 0.0, targets)
        # Over an axis of its own, so that each label keeps its loss.
        columns = known[..., None], logits[..., None]
        losses = self._loss(*columns, from_logits=True) if self.task == "labels" else self._loss(*columns)
        if self.weights is not None:
            losses = losses * (known * self.weights[:, 1] + (1 - known) * self.weights[:, 0])
        return ops.mean(ops.where(is_missing, 0.0, losses), axis=-1)


def choose_factors(
    parts: FloatArray, targets: FloatArray, task: Task, weights: FloatArray | None = None, name: str = "mse"
) -> tuple[DoubleArray, float]:
    """Chooses the factors with which the parts' logits fit the held-out targets best.

    The parts have learnt from the same texts, so their sum is too sure of itself; the factors make
    probabilities of it again. A few texts that are all right would ask for factors without end, so these are
    drawn to the parts' plain mean, with the weight of one text. Of numbers that one part gives nothing is changed.

    Args:
        parts: float32 [n, parts, outputs].
        targets, task, weights, name: As for `PartsLoss`; the name counts for numbers.

    Returns:
        float64 [parts], none below 0, and the loss with them: see `held_out_loss`.
    """
    from scipy import optimize

    logits = parts.astype(np.float64)

    def loss(factors: DoubleArray) -> float:
        return held_out_loss(np.tensordot(logits, factors, ((1,), (0,))), targets, task, weights, name)

    start = np.full(parts.shape[1], 1 / parts.shape[1])
    if task == "numbers" and len(start) == 1:
        return start, loss(start)

    def drawn(factors: DoubleArray) -> float:
        return loss(factors) + float(np.square(factors - start).sum()) / len(parts)

    found = optimize.minimize(drawn, start, method="L-BFGS-B", bounds=[(0, None)] * len(start))
    factors = np.asarray(found.x, np.float64)
    return factors, loss(factors)


def held_out_loss(
    logits: DoubleArray, targets: FloatArray, task: Task, weights: FloatArray | None = None, name: str = "mse"
) -> float:
    """Returns the mean loss of logits, float64 [n, outputs]: log loss, or of numbers the loss of that name."""
    if task == "classes":
        numbers = targets[:, 0].astype(np.int64)
        rows = np.arange(len(numbers))
        losses = np.logaddexp.reduce(logits, axis=1) - logits[rows, numbers]
        return float(np.average(losses, weights=None if weights is None else weights[numbers]))
    is_known = ~np.isnan(targets)
    known, logits = targets[is_known].astype(np.float64), logits[is_known]
    if task == "numbers":
        return float(np.mean(_of_differences(logits - known, name)))
    losses = np.logaddexp(0, logits) - known * logits
    if weights is None:
        return float(np.mean(losses))
    shares = np.broadcast_to(weights, (*targets.shape, 2))[is_known]
    return float(np.average(losses, weights=np.where(known > 0.5, shares[:, 1], shares[:, 0])))


def _of_differences(differences: DoubleArray, name: str) -> DoubleArray:
    """Returns Keras' loss of that name of each number, in double precision."""
    if name == "mse":
        return np.square(differences)
    sizes = np.abs(differences)
    return sizes if name == "mae" else np.where(sizes > 1, sizes - 0.5, np.square(sizes) / 2)
