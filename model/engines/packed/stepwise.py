"""Operations on each row by itself: products, activations, arithmetic, normalization."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import ClassVar

import numpy as np

from saiten.model.engines.packed.activations import ACTIVATIONS
from saiten.model.engines.packed.kernels import project, run_dense
from saiten.model.engines.packed.operation import CONSTANT, STEP, TEXT, Floats, Operation, Shape, Values, fits
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array


@dataclass(frozen=True)
class Constant(Operation):
    """The same row for everything.

    Attributes:
        row: float64 [1, width].
    """

    kind: ClassVar[str] = "constant"
    row: DoubleArray

    def shape(self, *inputs: Shape) -> Shape:
        fits(not inputs and self.row.ndim == 2 and len(self.row) == 1, "constant")
        return Shape(CONSTANT, self.row.shape[1])

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        return self.row


@dataclass(frozen=True)
class Dense(Operation):
    """Rows times weights, plus bias.

    Attributes:
        weights: float32 [width, units].
        bias: float32 [units].
    """

    kind: ClassVar[str] = "dense"
    is_stepwise: ClassVar[bool] = True
    weights: FloatArray
    bias: FloatArray

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(self.bias.ndim == 1 and self.weights.shape == (values.width, len(self.bias)), "dense")
        return replace(values, width=len(self.bias))

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        if values.array.dtype == np.float32:
            return np.asarray(project(values.array, self.weights, self.bias))
        return np.asarray(run_dense(values.array, *self._doubles))

    def fold(self, *arrays: Floats) -> Floats:
        weights, bias = self._doubles
        return np.asarray(arrays[0] @ weights + bias)

    @cached_property
    def _doubles(self) -> tuple[DoubleArray, DoubleArray]:
        return self.weights.astype(np.float64), self.bias.astype(np.float64)


@dataclass(frozen=True)
class Activation(Operation):
    """One of `ACTIVATIONS`; `number` is the slope or the like that some have."""

    kind: ClassVar[str] = "activation"
    is_stepwise: ClassVar[bool] = True
    name: str
    number: float = 0.0

    def shape(self, *inputs: Shape) -> Shape:
        fits(self.name in ACTIVATIONS, "activation")
        return inputs[0]

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        return np.asarray(ACTIVATIONS[self.name](values.array, self.number), values.array.dtype)


@dataclass(frozen=True)
class Softmax(Operation):
    """Softmax of each row, or its logarithm."""

    kind: ClassVar[str] = "softmax"
    is_stepwise: ClassVar[bool] = True
    log: bool

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        array = values.array.astype(np.float64)
        array = array - array.max(axis=1, keepdims=True)
        powers = np.exp(array)
        sums = powers.sum(axis=1, keepdims=True)
        return np.asarray(array - np.log(sums) if self.log else powers / sums, values.array.dtype)


@dataclass(frozen=True)
class Scale(Operation):
    """A factor and a summand for each column: what BatchNormalization is once it is trained.

    Attributes:
        factors: float64 [width].
        summands: float64 [width].
    """

    kind: ClassVar[str] = "scale"
    is_stepwise: ClassVar[bool] = True
    factors: DoubleArray
    summands: DoubleArray

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(self.factors.shape == self.summands.shape == (values.width,), "scale")
        return values

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        return np.asarray(values.array * self.factors + self.summands, values.array.dtype)


@dataclass(frozen=True)
class Normalize(Operation):
    """Each row to mean 0 and variance 1, then scaled; without centring, only to a mean square of 1.

    Attributes:
        factors: float64 [width].
        summands: float64 [width].
        epsilon: Added to the variance.
        centred: The mean is taken away.
    """

    kind: ClassVar[str] = "normalize"
    is_stepwise: ClassVar[bool] = True
    factors: DoubleArray
    summands: DoubleArray
    epsilon: float
    centred: bool

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(self.factors.shape == self.summands.shape == (values.width,), "normalize")
        return values

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        array = values.array.astype(np.float64)
        if self.centred:
            array = array - array.mean(axis=1, keepdims=True)
        array = array / np.sqrt(np.square(array).mean(axis=1, keepdims=True) + self.epsilon)
        return np.asarray(array * self.factors + self.summands, values.array.dtype)


@dataclass(frozen=True)
class Columns(Operation):
    """Some columns, from `start` (inclusive) to `stop` (exclusive)."""

    kind: ClassVar[str] = "columns"
    is_stepwise: ClassVar[bool] = True
    start: int
    stop: int

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(0 <= self.start < self.stop <= values.width, "columns")
        return replace(values, width=self.stop - self.start)

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        return np.ascontiguousarray(values.array[:, self.start : self.stop])


@dataclass(frozen=True)
class ColumnSum(Operation):
    """The sum of each row's columns."""

    kind: ClassVar[str] = "column_sum"
    is_stepwise: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        return replace(values, width=1)

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        return np.asarray(values.array.astype(np.float64).sum(axis=1, keepdims=True), values.array.dtype)


COMBINATIONS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "power": np.power,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
}


@dataclass(frozen=True)
class Combine(Operation):
    """Several inputs, element by element, by one of `COMBINATIONS`, from left to right.

    A width of 1 and a row for a text or for all are taken for each column and each step.
    """

    kind: ClassVar[str] = "combine"
    is_stepwise: ClassVar[bool] = True
    how: str

    def shape(self, *inputs: Shape) -> Shape:
        widths = {values.width for values in inputs} - {1}
        fits(self.how in COMBINATIONS and bool(inputs) and len(widths) <= 1, "combine")
        return Shape(_finest(inputs), max([1, *widths]))

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        arrays = _alike(offsets, inputs)
        return np.asarray(reduce(COMBINATIONS[self.how], arrays), arrays[0].dtype)


@dataclass(frozen=True)
class Concatenate(Operation):
    """Several inputs side by side."""

    kind: ClassVar[str] = "concatenate"
    is_stepwise: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        fits(bool(inputs), "concatenate")
        return Shape(_finest(inputs), sum(values.width for values in inputs))

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        arrays = _alike(offsets, inputs)
        n_rows = max(map(len, arrays))
        return np.concatenate([np.broadcast_to(array, (n_rows, array.shape[1])) for array in arrays], axis=1)


def _finest(inputs: Sequence[Shape]) -> str:
    found = {values.per for values in inputs}
    return next(per for per in (STEP, TEXT, CONSTANT) if per in found)


def _alike(offsets: Int64Array, inputs: Sequence[Values]) -> list[Floats]:
    """Returns arrays of one precision that NumPy can combine: of texts' rows one for each step, where steps are met."""
    steps = [values for values in inputs if values.per == STEP]
    if not steps:
        return [values.array for values in inputs]
    lengths = np.diff(offsets)
    spread = [np.repeat(values.array, lengths, axis=0) if values.per == TEXT else values.array for values in inputs]
    return [array.astype(steps[0].array.dtype, copy=False) for array in spread]
