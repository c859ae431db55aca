"""The packed engine's arithmetic: one sequence at a time, compiled by Numba.

`UNIT_BLOCK` units at a time share a pass over the gates, so every width here is a multiple
of it; padded units have zero weights and stay exactly zero.

Columns of gates that pass a sigmoid come halved, since sigmoid(x) = (1 + tanh(x / 2)) / 2:
one tanh serves all gates.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from model.sequences import FloatArray, IntArray, OffsetArray

UNIT_BLOCK = 8

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be regrouped and fused; NaN and infinities must stay what they are, to become dead letters.
_FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}


def _compiled(fast: bool) -> Callable[[Function], Function]:
    """Compiles for this processor, keeping the machine code on disk where that can be written."""

    def compile_function(function: Function) -> Function:
        options = {"nogil": True, "error_model": "numpy", "fastmath": _FAST_MATH if fast else False}
        try:
            return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return numba.njit(**options)(function)  # type: ignore[no-any-return]

    return compile_function


# tanh as a ratio of polynomials, the one TensorFlow uses (Eigen, MathFunctionsImpl.h): 2 units in the last place.
_A1, _A3, _A5, _A7, _A9, _A11, _A13 = (
    np.float32(value)
    for value in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_B0, _B2, _B4, _B6 = (
    np.float32(value)
    for value in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
_TANH_LIMIT = np.float32(7.99881172180175781)
_HALF = np.float32(0.5)
_ONE = np.float32(1)


@_compiled(fast=True)
def _tanh(x: np.float32) -> np.float32:
    # min and max may drop a NaN; it passes both comparisons unchanged.
    x = -_TANH_LIMIT if x < -_TANH_LIMIT else x  # noqa: FURB136
    x = _TANH_LIMIT if x > _TANH_LIMIT else x  # noqa: FURB136
    s = x * x
    p = ((((((_A13 * s + _A11) * s + _A9) * s + _A7) * s + _A5) * s + _A3) * s + _A1) * x
    q = ((_B6 * s + _B4) * s + _B2) * s + _B0
    return p / q


@_compiled(fast=True)
def _accumulate(sums: FloatArray, values: FloatArray, weights: FloatArray) -> None:
    """Adds ``values @ weights`` to sums; the number of values is a multiple of 8."""
    for k in range(0, values.shape[0], 8):
        v0, v1, v2, v3 = values[k], values[k + 1], values[k + 2], values[k + 3]
        v4, v5, v6, v7 = values[k + 4], values[k + 5], values[k + 6], values[k + 7]
        for j in range(sums.shape[0]):
            first = v0 * weights[k, j] + v1 * weights[k + 1, j] + v2 * weights[k + 2, j] + v3 * weights[k + 3, j]
            last = v4 * weights[k + 4, j] + v5 * weights[k + 5, j] + v6 * weights[k + 6, j] + v7 * weights[k + 7, j]
            sums[j] += first + last


@_compiled(fast=True)
def run_lstm(
    table: FloatArray,
    rows: IntArray,
    offsets: OffsetArray,
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
        keep_all: Write the state of every step, [total, units], rather than the last one, [n, units].
        states: What is written.
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
            for j in range(4 * units):
                gates[j] = row[j]
            _accumulate(gates, hidden, recurrent)
            for j in range(4 * units):
                gates[j] = _tanh(gates[j])
            for j in range(units):
                kept = (_HALF + _HALF * gates[units + j]) * cell[j]
                cell[j] = kept + (_HALF + _HALF * gates[j]) * gates[2 * units + j]
                hidden[j] = (_HALF + _HALF * gates[3 * units + j]) * _tanh(cell[j])
            if keep_all:
                states[position] = hidden
        if not keep_all:
            states[text] = hidden


@_compiled(fast=True)
def _reset_product(
    candidate: FloatArray, row: FloatArray, gates: FloatArray, hidden: FloatArray, weights: FloatArray, bias: FloatArray
) -> None:
    units = candidate.shape[0]
    for j in range(units):
        candidate[j] = bias[j]
    _accumulate(candidate, hidden, weights)
    for j in range(units):
        candidate[j] = row[2 * units + j] + gates[units + j] * candidate[j]


@_compiled(fast=True)
def _reset_state(
    candidate: FloatArray, row: FloatArray, gates: FloatArray, hidden: FloatArray, weights: FloatArray, kept: FloatArray
) -> None:
    units = candidate.shape[0]
    for j in range(units):
        kept[j] = gates[units + j] * hidden[j]
        candidate[j] = row[2 * units + j]
    _accumulate(candidate, kept, weights)


@_compiled(fast=True)
def run_gru(
    table: FloatArray,
    rows: IntArray,
    offsets: OffsetArray,
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
            for j in range(2 * units):
                gates[j] = row[j]
            _accumulate(gates, hidden, gate_weights)
            for j in range(2 * units):
                gates[j] = _HALF + _HALF * _tanh(gates[j])
            if reset_after:
                _reset_product(candidate, row, gates, hidden, candidate_weights, candidate_bias)
            else:
                _reset_state(candidate, row, gates, hidden, candidate_weights, kept)
            for j in range(units):
                hidden[j] = gates[j] * hidden[j] + (_ONE - gates[j]) * _tanh(candidate[j])
            if keep_all:
                states[position] = hidden
        if not keep_all:
            states[text] = hidden


@_compiled(fast=True)
def project(inputs: FloatArray, weights: FloatArray, bias: FloatArray) -> FloatArray:
    """Returns ``inputs @ weights + bias``, row by row: a row's result cannot depend on its neighbours.

    Args:
        inputs: float32 [total, width], the width a multiple of 8.
        weights: float32 [width, gates].
        bias: float32 [gates].
    """
    projected = np.empty((inputs.shape[0], weights.shape[1]), np.float32)
    for i in range(inputs.shape[0]):
        projected[i] = bias
        _accumulate(projected[i], inputs[i], weights)
    return projected


@_compiled(fast=False)
def run_dense(
    inputs: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
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
