"""Recurrences with other activations than Keras' usual ones, and the plain one: slower, and seldom met."""

import math

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.engines.kernel_math import ONE, accumulate, sigmoid, tanh
from saiten.model.engines.packed.kernels import keep_state
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray

# What a step can pass; a kernel takes the position in this list.
STEP_ACTIVATIONS = (
    "sigmoid",
    "tanh",
    "linear",
    "relu",
    "hard_sigmoid",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "exponential",
    "silu",
    "gelu",
    "relu6",
    "leaky_relu",
)
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@compiled(fast=False)
def _activated(x: float, code: int) -> float:  # noqa: C901 - one line for each activation
    if code == 3:
        return max(x, 0.0)
    if code == 4:
        return min(max(x + 3.0, 0.0), 6.0) / 6.0
    if code == 5:
        return x if x > 0.0 else math.expm1(x)
    if code == 6:
        return _SELU_SCALE * (x if x > 0.0 else _SELU_ALPHA * math.expm1(x))
    if code == 7:
        return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    if code == 8:
        return x / (1.0 + abs(x))
    if code == 9:
        return math.exp(x)
    if code == 10:
        return x / (1.0 + math.exp(-x))
    if code == 11:
        return 0.5 * x * (1.0 + math.erf(x * math.sqrt(0.5)))
    if code == 12:
        return min(max(x, 0.0), 6.0)
    if code == 13:
        return x if x > 0.0 else 0.2 * x
    return x


@compiled(fast=True)
def _activate(values: FloatArray, start: int, end: int, code: int) -> None:
    """Passes some values through an activation, in place."""
    if code == 0:
        for j in range(start, end):
            values[j] = sigmoid(values[j])
    elif code == 1:
        for j in range(start, end):
            values[j] = tanh(values[j])
    elif code != 2:
        for j in range(start, end):
            # A comparison drops a NaN, which must stay one.
            values[j] = values[j] if values[j] != values[j] else np.float32(_activated(values[j], code))


@compiled(fast=True)
def _add_product(sums: FloatArray, summands: FloatArray, values: FloatArray, weights: FloatArray) -> None:
    """Sets sums to ``summands + values @ weights``; the product comes first, as in `kernels.run_lstm`."""
    sums[:] = 0
    accumulate(sums, values, weights)
    for j in range(sums.shape[0]):
        sums[j] += summands[j]


@compiled(fast=True)
def run_general_lstm(
    table: FloatArray,
    rows: IntArray,
    offsets: Int64Array,
    recurrent: FloatArray,
    gate: int,
    activation: int,
    backward: bool,
    keep_all: bool,
    states: FloatArray,
) -> None:
    """Runs an LSTM whose gates and states pass any of `STEP_ACTIVATIONS`; see `kernels.run_lstm`."""
    units = recurrent.shape[0]
    gates = np.empty(4 * units, np.float32)
    hidden = np.empty(units, np.float32)
    cell = np.empty(units, np.float32)
    for text in range(offsets.shape[0] - 1):
        hidden[:] = 0
        cell[:] = 0
        start, end = offsets[text], offsets[text + 1]
        for step in range(end - start):
            position = end - 1 - step if backward else start + step
            _add_product(gates, table[rows[position]], hidden, recurrent)
            _activate(gates, 0, 2 * units, gate)
            _activate(gates, 2 * units, 3 * units, activation)
            _activate(gates, 3 * units, 4 * units, gate)
            for j in range(units):
                cell[j] = gates[units + j] * cell[j] + gates[j] * gates[2 * units + j]
                hidden[j] = cell[j]
            _activate(hidden, 0, units, activation)
            for j in range(units):
                hidden[j] = gates[3 * units + j] * hidden[j]
            if keep_all:
                keep_state(states, position, hidden)
        if not keep_all:
            keep_state(states, text, hidden)


@compiled(fast=True)
def run_general_gru(
    table: FloatArray,
    rows: IntArray,
    offsets: Int64Array,
    gate_weights: FloatArray,
    candidate_weights: FloatArray,
    candidate_bias: FloatArray,
    reset_after: bool,
    gate: int,
    activation: int,
    backward: bool,
    keep_all: bool,
    states: FloatArray,
) -> None:
    """Runs a GRU whose gates and states pass any of `STEP_ACTIVATIONS`; see `kernels.run_gru`."""
    units = candidate_weights.shape[0]
    gates = np.empty(2 * units, np.float32)
    candidate = np.empty(units, np.float32)
    hidden = np.empty(units, np.float32)
    kept = np.empty(units, np.float32)
    for text in range(offsets.shape[0] - 1):
        hidden[:] = 0
        start, end = offsets[text], offsets[text + 1]
        for step in range(end - start):
            position = end - 1 - step if backward else start + step
            row = table[rows[position]]
            _add_product(gates, row[: 2 * units], hidden, gate_weights)
            _activate(gates, 0, 2 * units, gate)
            if reset_after:
                _add_product(candidate, candidate_bias, hidden, candidate_weights)
                for j in range(units):
                    candidate[j] = row[2 * units + j] + gates[units + j] * candidate[j]
            else:
                for j in range(units):
                    kept[j] = gates[units + j] * hidden[j]
                _add_product(candidate, row[2 * units :], kept, candidate_weights)
            _activate(candidate, 0, units, activation)
            for j in range(units):
                hidden[j] = gates[j] * hidden[j] + (ONE - gates[j]) * candidate[j]
            if keep_all:
                keep_state(states, position, hidden)
        if not keep_all:
            keep_state(states, text, hidden)


@compiled(fast=True)
def run_simple_rnn(
    table: FloatArray,
    rows: IntArray,
    offsets: Int64Array,
    recurrent: FloatArray,
    activation: int,
    backward: bool,
    keep_all: bool,
    states: FloatArray,
) -> None:
    """Runs a SimpleRNN; see `kernels.run_lstm`. The table is float32 [rows, units]."""
    units = recurrent.shape[0]
    hidden = np.empty(units, np.float32)
    following = np.empty(units, np.float32)
    for text in range(offsets.shape[0] - 1):
        hidden[:] = 0
        start, end = offsets[text], offsets[text + 1]
        for step in range(end - start):
            position = end - 1 - step if backward else start + step
            _add_product(following, table[rows[position]], hidden, recurrent)
            _activate(following, 0, units, activation)
            hidden[:] = following
            if keep_all:
                keep_state(states, position, hidden)
        if not keep_all:
            keep_state(states, text, hidden)
