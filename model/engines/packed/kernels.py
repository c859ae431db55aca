"""The usual recurrences and products: one sequence at a time, compiled by Numba.

`UNIT_BLOCK` units at a time share a pass over the gates, so a state is as wide as a multiple of
it; padded units have zero weights, stay exactly zero, and are not written.
"""

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.engines.kernel_math import ONE, accumulate, sigmoid, tanh
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array, IntArray

UNIT_BLOCK = 8

# Loops over a few numbers instead of assignments to slices, which took a quarter of the time of 16 units.


@compiled(fast=True)
def set_zero(values: FloatArray) -> None:
    """Sets all values to zero."""
    for j in range(values.shape[0]):
        values[j] = 0


@compiled(fast=True)
def keep_state(states: FloatArray, place: int, hidden: FloatArray) -> None:
    """Writes a state into a row, but for the units that are padding."""
    for j in range(states.shape[1]):
        states[place, j] = hidden[j]


@compiled(fast=True)
def run_lstm(
    table: FloatArray,
    rows: IntArray,
    offsets: Int64Array,
    recurrent: FloatArray,
    backward: bool,
    keep_all: bool,
    states: FloatArray,
) -> None:
    """Runs an LSTM over texts that lie end to end.

    Args:
        table: float32 [rows, 4 * units], the projected inputs: gates i, f, c, o.
        rows: int32 [total], which row of the table each step reads.
        offsets: int64 [n + 1].
        recurrent: float32 [units, 4 * units].
        backward: Start at each text's end.
        keep_all: Write the state of every step, [total, width], rather than the last one, [n, width].
        states: What is written: the first units, as many as it is wide.
    """
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
            row = table[rows[position]]
            # From zero: to add each product to the larger input would round it each time.
            set_zero(gates)
            accumulate(gates, hidden, recurrent)
            for j in range(2 * units):
                gates[j] = sigmoid(row[j] + gates[j])
            for j in range(units):
                kept = gates[units + j] * cell[j]
                cell[j] = kept + gates[j] * tanh(row[2 * units + j] + gates[2 * units + j])
            for j in range(units):
                hidden[j] = sigmoid(row[3 * units + j] + gates[3 * units + j]) * tanh(cell[j])
            if keep_all:
                keep_state(states, position, hidden)
        if not keep_all:
            keep_state(states, text, hidden)


@compiled(fast=True)
def _reset_product(
    candidate: FloatArray, row: FloatArray, gates: FloatArray, hidden: FloatArray, weights: FloatArray, bias: FloatArray
) -> None:
    units = candidate.shape[0]
    for j in range(units):
        candidate[j] = bias[j]
    accumulate(candidate, hidden, weights)
    for j in range(units):
        candidate[j] = row[2 * units + j] + gates[units + j] * candidate[j]


@compiled(fast=True)
def _reset_state(
    candidate: FloatArray, row: FloatArray, gates: FloatArray, hidden: FloatArray, weights: FloatArray, kept: FloatArray
) -> None:
    units = candidate.shape[0]
    for j in range(units):
        kept[j] = gates[units + j] * hidden[j]
        candidate[j] = 0
    accumulate(candidate, kept, weights)
    for j in range(units):
        candidate[j] += row[2 * units + j]


@compiled(fast=True)
def run_gru(
    table: FloatArray,
    rows: IntArray,
    offsets: Int64Array,
    gate_weights: FloatArray,
    candidate_weights: FloatArray,
    candidate_bias: FloatArray,
    reset_after: bool,
    backward: bool,
    keep_all: bool,
    states: FloatArray,
) -> None:
    """Runs a GRU over texts that lie end to end; see `run_lstm`.

    Args:
        table: float32 [rows, 3 * units], the projected inputs: gates z, r, then the candidate.
        rows: int32 [total].
        offsets: int64 [n + 1].
        gate_weights: float32 [units, 2 * units], recurrent, of z and r.
        candidate_weights: float32 [units, units], recurrent.
        candidate_bias: float32 [units], added inside the reset (`reset_after` only).
        reset_after: Reset the product with the state (Keras' default), or the state before it.
        backward: Start at each text's end.
        keep_all: Write the state of every step.
        states: What is written.
    """
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
            set_zero(gates)
            accumulate(gates, hidden, gate_weights)
            for j in range(2 * units):
                gates[j] = sigmoid(row[j] + gates[j])
            if reset_after:
                _reset_product(candidate, row, gates, hidden, candidate_weights, candidate_bias)
            else:
                _reset_state(candidate, row, gates, hidden, candidate_weights, kept)
            for j in range(units):
                hidden[j] = gates[j] * hidden[j] + (ONE - gates[j]) * tanh(candidate[j])
            if keep_all:
                keep_state(states, position, hidden)
        if not keep_all:
            keep_state(states, text, hidden)


@compiled(fast=True)
def project(inputs: FloatArray, weights: FloatArray, bias: FloatArray) -> FloatArray:
    """Returns ``inputs @ weights + bias``, row by row: a row's result cannot depend on its neighbours.

    Args:
        inputs: float32 [total, width].
        weights: float32 [width, gates].
        bias: float32 [gates].
    """
    projected = np.empty((inputs.shape[0], weights.shape[1]), np.float32)
    for i in range(inputs.shape[0]):
        projected[i] = bias
        accumulate(projected[i], inputs[i], weights)
    return projected


@compiled(fast=False)
def run_dense(inputs: DoubleArray, weights: DoubleArray, bias: DoubleArray) -> DoubleArray:
    """Returns ``inputs @ weights + bias`` in double precision, row by row, in a fixed order.

    Args:
        inputs: float64 [n, width].
        weights: float64 [width, units].
        bias: float64 [units].
    """
    outputs = np.empty((inputs.shape[0], weights.shape[1]), np.float64)
    for i in range(inputs.shape[0]):
        outputs[i] = bias
        for k in range(weights.shape[0]):
            for j in range(weights.shape[1]):
                outputs[i, j] += inputs[i, k] * weights[k, j]
    return outputs
