"""What every operation of the packed engine is: arrays and settings, a shape, and a way to compute.

A value has a row for each step of each text (all texts' steps end to end, without padding), or a row
for each text, or one row for all:

    per step   float32 [total, width]
    per text   float64 [n, width]
    constant   float64 [1, width]

To add an operation: a frozen dataclass that derives from `Operation`, in the module of its kind
(`stepwise`, `arithmetic`, `recurrence`, `pooling`); its fields are its arrays and settings, and are what `packed.npz`
holds of it. Then an entry in `table.OPERATIONS`, one in `packing`'s table that makes it of a Keras layer
or of a function of `keras.ops`, and a case in `tests/engines/test_operations.py`, which compares it with Keras.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from saiten.model.text.ragged import Int64Array, IntArray

Floats = npt.NDArray[Any]

STEP, TEXT, CONSTANT = "step", "text", "constant"

_CACHE_LINE_BYTES = 64

# Of one value: what a forged file may make of little is bounded.
MAX_WIDTH = 16_384


@dataclass(frozen=True)
class Shape:
    """What a value has a row for.

    Attributes:
        per: `STEP`, `TEXT` or `CONSTANT`.
        width: Of a row.
        limit: Of steps: how many of a text there are at most, its first ones; below 0 its last ones; 0 has all.
    """

    per: str
    width: int
    limit: int = 0


@dataclass(frozen=True)
class Values:
    """A value while texts are scored.

    Attributes:
        per: As in `Shape`.
        table: Its rows; or, where `rows` is given, a table of rows that occur.
        rows: int32 [total], which row of the table each step has; None where the table has a row for each.
    """

    per: str
    table: Floats
    rows: IntArray | None = None

    @cached_property
    def array(self) -> Floats:
        """The rows, [total, n or 1, width]."""
        return self.table if self.rows is None else self.table[self.rows]

    @cached_property
    def places(self) -> IntArray:
        """int32 [total], which row of the table each step has."""
        return np.arange(len(self.table), dtype=np.int32) if self.rows is None else self.rows


class Operation:
    """One entry of the table; see above how to add one.

    Attributes:
        kind: Its name in `packed.npz`.
        is_stepwise: Each row of its result comes of that row of the inputs alone, so that it can be
            computed once for each id of the vocabulary where the inputs come from the ids alone.
    """

    kind: ClassVar[str]
    is_stepwise: ClassVar[bool] = False

    def shape(self, *inputs: Shape) -> Shape:
        """Returns the shape of the result. Compiled code checks none, so this has to.

        Raises:
            ValueError: The inputs do not fit the arrays and settings.
        """
        raise NotImplementedError

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        """Computes the result's rows; a text's do not depend on the texts beside it, to the bit.

        Args:
            offsets: int64 [n + 1], where each text's steps begin, of those that the inputs have; no text is empty.
            inputs: Steps in single precision; in double precision where a table for the vocabulary is made.
        """
        raise NotImplementedError

    def fold(self, *arrays: Floats) -> Floats:
        """Computes rows of a table for the vocabulary, in double precision; only of a stepwise operation."""
        return self.run(np.zeros(1, np.int64), *(Values(CONSTANT, array) for array in arrays))


def aligned_empty(shape: Sequence[int], dtype: npt.DTypeLike) -> Floats:
    """Makes room for an array that begins with a cache line.

    NumPy's own begin anywhere, and then every second load of a compiled loop reads two lines: an LSTM took a sixth
    longer.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(n_bytes + _CACHE_LINE_BYTES, np.uint8)
    start = -room.ctypes.data % _CACHE_LINE_BYTES
    return room[start : start + n_bytes].view(dtype).reshape(shape)


def shape_of(operation: Operation, inputs: Sequence[Shape]) -> Shape:
    """Returns the shape of an operation's result.

    Raises:
        ValueError: The inputs do not fit the operation, or are of different steps.
    """
    limits = {shape.limit for shape in inputs if shape.per == STEP}
    fits(len(limits) <= 1, "steps")
    shape = operation.shape(*inputs)
    return replace(shape, limit=max(limits) if limits and shape.per == STEP else 0)


def fits(condition: bool, what: str) -> None:
    """Raises ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{what} does not fit")
