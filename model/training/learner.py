"""Trains a network of `build_network` without padding: Keras' weights, loss and optimizer, our recurrence.

`model.fit` on batches padded to their longest text takes some ten times as long on a CPU
(`benchmarks/probes/training.py`).
Importing this module imports TensorFlow.
"""

from types import TracebackType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray, token_runs
from saiten.model.training.config import LOSSES, OPTIMIZERS
from saiten.model.training.recurrence import GRURecurrence, LSTMRecurrence, Recurrence, WordBatch, Workers

# A recurrent gradient now and then is a hundred times the usual one, and would undo an epoch.
_GLOBAL_CLIPNORM = 1.0

# Tokens computed at once when nothing is trained: some 50 MB of states for 32 units.
_SCORE_TOKENS = 65_536


class Learner:
    """Makes training steps on a model, whose variables it changes in place.

    Args:
        model: What `build_network` returned.
        loss: One of `LOSSES`.
        optimizer: One of `OPTIMIZERS`.
        learning_rate: Step size.

    Use it in a ``with`` statement: it owns threads.
    """

    def __init__(self, model: keras.Model, loss: str, optimizer: str, learning_rate: float) -> None:
        for value, choices in ((loss, LOSSES), (optimizer, OPTIMIZERS)):
            if value not in choices:
                raise UsageError(f"{value!r} is not one of {', '.join(choices)}.")
        self._workers = Workers()
        self._embeddings: FloatArray = model.get_layer("embedding").get_weights()[0]
        self._recurrences = _recurrences(model, self._workers)
        self._head = model.get_layer("scores")
        self._variables = [v for r in self._recurrences for v in r.variables] + self._head.trainable_variables
        self._loss = keras.losses.get(loss)
        config = {"learning_rate": learning_rate, "global_clipnorm": _GLOBAL_CLIPNORM}
        self._optimizer = keras.optimizers.get({"class_name": optimizer, "config": config})
        self._optimizer.build(self._variables)
        self._compute_head = tf.function(self._head_gradients, input_signature=[_MATRIX, _MATRIX], autograph=False)
        self._apply = tf.function(self._apply_gradients, autograph=False)

    def __enter__(self) -> "Learner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.close()

    def step(self, token_ids: IntArray, offsets: Int64Array, targets: FloatArray) -> float:
        """Makes one training step and returns the batch's mean loss before it.

        Args:
            token_ids: int32 [total], the batch's texts end to end, none of them empty.
            offsets: int64 [n + 1].
            targets: float32 [n, outputs].
        """
        hidden = self._forward(token_ids, offsets)
        loss, d_hidden, d_kernel, d_bias = self._compute_head(hidden, targets)
        parts = np.split(d_hidden.numpy(), len(self._recurrences), axis=1)
        gradients = [
            gradient
            for recurrence, part in zip(self._recurrences, parts, strict=True)
            for gradient in recurrence.backward(np.ascontiguousarray(part))
        ]
        self._apply([*map(tf.convert_to_tensor, gradients), d_kernel, d_bias])
        return float(loss)

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Returns float32 [n, outputs] for texts end to end, none of them empty."""
        rows = [
            self._head(self._forward(token_ids[offsets[a] : offsets[b]], offsets[a : b + 1] - offsets[a])).numpy()
            for a, b in token_runs(offsets, _SCORE_TOKENS)
        ]
        return np.concatenate(rows) if rows else np.zeros((0, self._head.units), np.float32)

    def loss(self, scores: FloatArray, targets: FloatArray) -> float:
        """Returns the mean loss of scores, both float32 [n, outputs]."""
        return float(tf.reduce_mean(self._loss(targets, scores)))

    def get_weights(self) -> list[FloatArray]:
        """Returns a copy of what is trained."""
        return [variable.numpy().copy() for variable in self._variables]

    def set_weights(self, weights: list[FloatArray]) -> None:
        """Puts back what `get_weights` returned."""
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def _forward(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        distinct, words = np.unique(token_ids, return_inverse=True)
        batch = WordBatch(self._embeddings[distinct], words.astype(np.int64), offsets)
        batches = [batch, batch.backwards()] if len(self._recurrences) == 2 else [batch]
        return np.concatenate([r.forward(b) for r, b in zip(self._recurrences, batches, strict=True)], axis=1)

    def _head_gradients(self, hidden: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            loss = tf.reduce_mean(self._loss(targets, self._head(hidden)))
        return (loss, *tape.gradient(loss, [hidden, *self._head.trainable_variables]))

    def _apply_gradients(self, gradients: list[tf.Tensor]) -> None:
        self._optimizer.apply(gradients, self._variables)


_MATRIX = tf.TensorSpec((None, None), tf.float32)


def _recurrences(model: keras.Model, workers: Workers) -> list[Recurrence]:
    layer: Any = model.get_layer(model.name)
    if model.name == "gru":
        return [GRURecurrence(layer.cell, workers)]
    directions = [layer.forward_layer, layer.backward_layer] if model.name == "bilstm" else [layer]
    return [LSTMRecurrence(direction.cell, workers) for direction in directions]
