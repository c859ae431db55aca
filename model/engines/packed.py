"""Scores with the model's weights alone: no padding, no TensorFlow.

Covered are Embedding, then LSTM or GRU layers, one-directional or bidirectional, stacked or
not, then Dense layers. The Embedding is folded into the first layer's input weights: a step
is one look-up in a table with a row for each id, and one small recurrent product.

Every text is computed by itself, so its scores are the same bits in any company.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from saiten.model.engines.engine import check_ids
from saiten.model.engines.packed_kernel import project, run_dense, run_gru, run_lstm
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array, IntArray, token_runs

# Of either kind: a forged file may announce any number.
MAX_LAYERS = 64

# Stacked layers keep the state of every step: 32,768 steps of 4 x 64 gates are 32 MB.
_MAX_TOKENS = 32_768


def _softmax(values: DoubleArray) -> DoubleArray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _relu(values: DoubleArray) -> DoubleArray:
    return np.maximum(values, 0.0)


ACTIVATIONS: Mapping[str, Callable[[DoubleArray], DoubleArray]] = {
    "linear": lambda values: values,
    "relu": _relu,
    "elu": lambda values: _relu(values) + np.expm1(np.minimum(values, 0.0)),
    "sigmoid": lambda values: 0.5 + 0.5 * np.tanh(0.5 * values),
    "softplus": lambda values: np.logaddexp(0.0, values),
    "tanh": np.tanh,
    "softmax": _softmax,
}

MERGES: Mapping[str, Callable[[Sequence[FloatArray]], FloatArray]] = {
    "concat": lambda states: np.concatenate(states, axis=1),
    "sum": lambda states: states[0] + states[1],
    "mul": lambda states: states[0] * states[1],
    "ave": lambda states: (states[0] + states[1]) / np.float32(2),
}


@dataclass(frozen=True)
class RecurrentCell:
    """One direction of a recurrent layer; widths are multiples of 8, sigmoid gates halved.

    Attributes:
        kind: ``lstm`` or ``gru``.
        inputs: float32 [width, gates * units]; in the first layer float32 [vocabulary_size, gates * units],
            the table into which embedding and bias are folded.
        bias: float32 [gates * units]; empty in the first layer.
        recurrent: float32 [units, gates * units].
        candidate_bias: float32 [units]; zeros but for a GRU with `reset_after`.
        reset_after: Of a GRU.
    """

    kind: str
    inputs: FloatArray
    bias: FloatArray
    recurrent: FloatArray
    candidate_bias: FloatArray
    reset_after: bool = False

    @property
    def units(self) -> int:
        """How many units, padded ones included."""
        return int(self.recurrent.shape[0])

    def run(
        self, table: FloatArray, rows: IntArray, offsets: Int64Array, *, backward: bool, keep_all: bool
    ) -> FloatArray:
        """Returns the states of all steps, float32 [total, units], or the last ones, [n, units]."""
        states = np.zeros((len(rows) if keep_all else len(offsets) - 1, self.units), np.float32)
        if self.kind == "lstm":
            run_lstm(table, rows, offsets, self.recurrent, backward, keep_all, states)
        else:
            gates = np.ascontiguousarray(self.recurrent[:, : 2 * self.units])
            candidate = np.ascontiguousarray(self.recurrent[:, 2 * self.units :])
            run_gru(
                table, rows, offsets, gates, candidate, self.candidate_bias,
                self.reset_after, backward, keep_all, states,
            )  # fmt: skip
        return states


@dataclass(frozen=True)
class RecurrentLayer:
    """One cell, or a forward and a backward one.

    Attributes:
        cells: Forward, then backward where the layer is bidirectional.
        merge: One of `MERGES`.
        keep_all: The layer gives the states of every step (Keras' `return_sequences`).
    """

    cells: tuple[RecurrentCell, ...]
    merge: str
    keep_all: bool


@dataclass(frozen=True)
class DenseLayer:
    """A Dense layer; one without weights is an activation alone.

    Attributes:
        weights: float64 [width, units].
        bias: float64 [units].
        activation: One of `ACTIVATIONS`.
    """

    weights: DoubleArray
    bias: DoubleArray
    activation: str


class PackedEngine:
    """Runs packed weights; see `saiten.model.engines.engine.Engine`.

    Args:
        recurrent: At least one; the first one's inputs are tables.
        dense: At least one with weights.
    """

    name = "packed"

    def __init__(self, recurrent: Sequence[RecurrentLayer], dense: Sequence[DenseLayer]) -> None:
        self.recurrent = tuple(recurrent)
        self.dense = tuple(dense)
        self.n_outputs = next(len(layer.bias) for layer in reversed(self.dense) if len(layer.bias))
        self.vocabulary_size = len(self.recurrent[0].cells[0].inputs)

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Scores every text; see `saiten.model.engines.engine.Engine`."""
        check_ids(token_ids, self.vocabulary_size)
        # Numba compiles anew for read-only arrays and other types.
        token_ids = np.require(token_ids, np.int32, ["C", "W"])
        scores = np.full((len(offsets) - 1, self.n_outputs), np.nan, np.float32)
        for first, last in token_runs(offsets, _MAX_TOKENS):
            part = np.asarray(offsets[first : last + 1] - offsets[first], np.int64)
            scores[first:last] = self._score(token_ids[offsets[first] : offsets[last]], part)
        scores[np.diff(offsets) == 0] = np.nan
        return scores

    def _score(self, rows: IntArray, offsets: Int64Array) -> FloatArray:
        states = np.zeros((0, 0), np.float32)
        for depth, layer in enumerate(self.recurrent):
            if depth:
                rows = np.arange(len(states), dtype=np.int32)
            tables = [project(states, cell.inputs, cell.bias) if depth else cell.inputs for cell in layer.cells]
            sides = [
                cell.run(table, rows, offsets, backward=bool(side), keep_all=layer.keep_all)
                for side, (cell, table) in enumerate(zip(layer.cells, tables, strict=True))
            ]
            states = MERGES[layer.merge](sides)
        values = states.astype(np.float64)
        for dense in self.dense:
            if len(dense.bias):
                values = run_dense(values, dense.weights, dense.bias)
            values = ACTIVATIONS[dense.activation](values)
        return values.astype(np.float32)
