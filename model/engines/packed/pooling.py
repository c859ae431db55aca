"""Operations over all steps of a text."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saiten.model.engines.packed.operation import STEP, TEXT, Floats, Operation, Shape, Values, fits
from saiten.model.engines.packed.pooling_kernels import (
    MAXIMUM,
    MINIMUM,
    SUM,
    attend,
    attend_additively,
    pool_steps,
    softmax_steps,
)
from saiten.model.text.ragged import DoubleArray, Int64Array

_POOLS = {"sum": SUM, "average": SUM, "maximum": MAXIMUM, "minimum": MINIMUM}


@dataclass(frozen=True)
class Pool(Operation):
    """One row of each text's steps: their sum, average, maximum or minimum, the first or the last."""

    kind: ClassVar[str] = "pool"
    how: str

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(values.per == STEP and self.how in (*_POOLS, "first", "last"), "pool")
        return Shape(TEXT, values.width)

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        if self.how in ("first", "last"):
            places = offsets[:-1] if self.how == "first" else offsets[1:] - 1
            return values.array[places].astype(np.float64)
        how = _POOLS[self.how]
        pooled = np.empty((len(offsets) - 1, values.array.shape[1]), np.float64 if how == SUM else values.array.dtype)
        pool_steps(values.array, offsets, how, pooled)
        return (
            pooled / np.diff(offsets).astype(np.float64)[:, None]
            if self.how == "average"
            else pooled.astype(np.float64)
        )


@dataclass(frozen=True)
class StepSoftmax(Operation):
    """Weights that sum to 1 over each text's steps, each column by itself: attention's, before they are used."""

    kind: ClassVar[str] = "step_softmax"

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(values.per == STEP, "step_softmax")
        return values

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        weights = np.empty_like(values.array)
        softmax_steps(values.array, offsets, weights)
        return weights


class _Attention(Operation):
    """For each step (query) the mean of its text's steps (value), weighted by the softmax of what the keys score."""

    def shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        fits(query == key and query.per == value.per == STEP, self.kind)
        return value

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        query, key, value = inputs
        mixed = np.empty_like(value.array)
        self._attend(query.array, key.array, value.array, offsets, mixed)
        return mixed

    def _attend(self, query: Floats, key: Floats, value: Floats, offsets: Int64Array, mixed: Floats) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Attention(_Attention):
    """A key scores its product with the query.

    Attributes:
        scale: What every product is multiplied with.
    """

    kind: ClassVar[str] = "attention"
    scale: float

    def _attend(self, query: Floats, key: Floats, value: Floats, offsets: Int64Array, mixed: Floats) -> None:
        attend(query, key, value, offsets, self.scale, mixed)


@dataclass(frozen=True)
class AdditiveAttention(_Attention):
    """A key scores the sum of the tanh of query plus key, scaled.

    Attributes:
        scales: float64 [width], of each column.
    """

    kind: ClassVar[str] = "additive_attention"
    scales: DoubleArray

    def shape(self, *inputs: Shape) -> Shape:
        mixed = super().shape(*inputs)
        fits(self.scales.shape == (inputs[0].width,), self.kind)
        return mixed

    def _attend(self, query: Floats, key: Floats, value: Floats, offsets: Int64Array, mixed: Floats) -> None:
        attend_additively(query, key, value, offsets, self.scales, mixed)
