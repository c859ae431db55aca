"""Operations that put rows together or take them apart: arithmetic, columns side by side, some of them, their sum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar

import numpy as np

from saiten.model.engines.packed.operation import CONSTANT, STEP, TEXT, Floats, Operation, Shape, Values, fits
from saiten.model.text.ragged import DoubleArray, Int64Array


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
