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


@dataclass(frozen=True)
class Attention(Operation):
    """For each step (query) the mean of its text's steps (value), weighted by the softmax of query times key.

    Attributes:
        scale: What every product is multiplied with.
    """

    kind: ClassVar[str] = "attention"
    scale: float

    def shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        fits(query == key and query.per == value.per == STEP, "attention")
        return value

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        query, key, value = inputs
        mixed = np.empty_like(value.array)
        attend(query.array, key.array, value.array, offsets, self.scale, mixed)
        return mixed


@dataclass(frozen=True)
class AdditiveAttention(Operation):
    """As `Attention`, of sums rather than products: what is added up is the tanh of query plus key, scaled.

    Attributes:
        scales: float64 [width], of each column.
    """

    kind: ClassVar[str] = "additive_attention"
    scales: DoubleArray

    def shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        fits(query == key and query.per == value.per == STEP, "additive_attention")
        fits(self.scales.shape == (query.width,), "additive_attention")
        return value

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        query, key, value = inputs
        mixed = np.empty_like(value.array)
        attend_additively(query.array, key.array, value.array, offsets, self.scales, mixed)
        return mixed
