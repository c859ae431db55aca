"""Recurrent operations: from steps that were multiplied with a layer's input weights to states.

A state is padded with units whose weights are zero to a multiple of `UNIT_BLOCK`; so are the columns that
are read.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saiten.model.engines.packed.general_kernels import (
    STEP_ACTIVATIONS,
    run_general_gru,
    run_general_lstm,
    run_simple_rnn,
)
from saiten.model.engines.packed.kernels import UNIT_BLOCK, run_gru, run_lstm
from saiten.model.engines.packed.operation import STEP, TEXT, Floats, Operation, Shape, Values, fits
from saiten.model.text.ragged import FloatArray, Int64Array


@dataclass(frozen=True)
class _Recurrence(Operation):
    """What all of them have.

    Attributes:
        recurrent: float32 [padded units, gates * padded units].
        units: How many of them are no padding.
        gate: What the gates pass, one of `STEP_ACTIVATIONS`.
        activation: What the state passes.
        backward: Start at each text's end.
        keep_all: Give the state of every step, in the text's order, rather than the last one.
    """

    n_gates: ClassVar[int]
    recurrent: FloatArray
    units: int
    gate: str
    activation: str
    backward: bool
    keep_all: bool

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        padded = len(self.recurrent)
        columns = self.n_gates * padded
        fits(0 < self.units <= padded and padded % UNIT_BLOCK == 0, "units")
        fits(self.recurrent.shape == (padded, columns), "recurrent")
        fits((values.per, values.width) == (STEP, columns), "inputs")
        fits({self.gate, self.activation} <= set(STEP_ACTIVATIONS), "activation")
        return Shape(STEP if self.keep_all else TEXT, self.units)

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        states = np.zeros((len(values.places) if self.keep_all else len(offsets) - 1, self.units), np.float32)
        self._run(values, offsets, states)
        return states if self.keep_all else states.astype(np.float64)

    def _run(self, values: Values, offsets: Int64Array, states: FloatArray) -> None:
        raise NotImplementedError

    @property
    def _is_usual(self) -> bool:
        return (self.gate, self.activation) == ("sigmoid", "tanh")

    @property
    def _codes(self) -> tuple[int, int]:
        return STEP_ACTIVATIONS.index(self.gate), STEP_ACTIVATIONS.index(self.activation)


@dataclass(frozen=True)
class LSTM(_Recurrence):
    """An LSTM; gates i, f, c, o, of which c passes the activation."""

    kind: ClassVar[str] = "lstm"
    n_gates: ClassVar[int] = 4

    def _run(self, values: Values, offsets: Int64Array, states: FloatArray) -> None:
        table, rows = values.table, values.places
        if self._is_usual:
            run_lstm(table, rows, offsets, self.recurrent, self.backward, self.keep_all, states)
        else:
            codes = self._codes
            run_general_lstm(table, rows, offsets, self.recurrent, *codes, self.backward, self.keep_all, states)


@dataclass(frozen=True)
class GRU(_Recurrence):
    """A GRU; gates z and r, then the candidate.

    Attributes:
        candidate_bias: float32 [padded units], added inside the reset (`reset_after` only).
        reset_after: Reset the product with the state (Keras' default), or the state before it.
    """

    kind: ClassVar[str] = "gru"
    n_gates: ClassVar[int] = 3
    candidate_bias: FloatArray
    reset_after: bool

    def shape(self, *inputs: Shape) -> Shape:
        fits(self.candidate_bias.shape == self.recurrent.shape[:1], "candidate_bias")
        return super().shape(*inputs)

    def _run(self, values: Values, offsets: Int64Array, states: FloatArray) -> None:
        padded = len(self.recurrent)
        weights = (
            np.ascontiguousarray(self.recurrent[:, : 2 * padded]),
            np.ascontiguousarray(self.recurrent[:, 2 * padded :]),
            self.candidate_bias,
            self.reset_after,
        )
        table, rows = values.table, values.places
        if self._is_usual:
            run_gru(table, rows, offsets, *weights, self.backward, self.keep_all, states)
        else:
            run_general_gru(table, rows, offsets, *weights, *self._codes, self.backward, self.keep_all, states)


@dataclass(frozen=True)
class SimpleRNN(_Recurrence):
    """A state that passes an activation, and no gates (`gate` is not read)."""

    kind: ClassVar[str] = "simple_rnn"
    n_gates: ClassVar[int] = 1

    def _run(self, values: Values, offsets: Int64Array, states: FloatArray) -> None:
        _, activation = self._codes
        run_simple_rnn(
            values.table, values.places, offsets, self.recurrent, activation, self.backward, self.keep_all, states
        )
