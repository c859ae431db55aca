"""Operations on each row by itself: products, activations, normalization."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from saiten.model.engines.packed.activations import ACTIVATIONS
from saiten.model.engines.packed.kernels import project, run_dense
from saiten.model.engines.packed.operation import Floats, Operation, Shape, Values, fits
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array


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
