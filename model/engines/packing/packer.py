"""Turns a Keras model into the packed engine's operations, or says why it cannot.

The model's calls are walked in the order of computation, and each is made into operations by an entry of
`keras_layers.LAYERS` or `keras_operations.FUNCTIONS`. What comes of the ids alone, step by step, is not
computed again for every text: it becomes a table with a row for each id, which is looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saiten.model.engines.packed.arithmetic import Combine, Concatenate, Constant
from saiten.model.engines.packed.operation import CONSTANT, STEP, TEXT, Operation, Shape, aligned_empty, shape_of
from saiten.model.engines.packed.pooling import Pool
from saiten.model.engines.packed.program import MAX_NODES, Node, PackedEngine, Table
from saiten.model.errors import SaitenError
from saiten.model.text.ragged import DoubleArray, FloatArray

# Of one table; what would need a larger one is computed for every text.
_MAX_TABLE_BYTES = 2 << 30
_ROWS = 4096

# The axes of a Keras tensor behind the texts': a dimension of size 1 before the features is ONE.
STEPS, ONE, FEATURES = "steps", "one", "features"

Rows = Callable[[slice], DoubleArray]


class NotCoveredError(SaitenError):
    """The packed engine does not cover this architecture; the message says which part."""


@dataclass(frozen=True)
class Layer:
    """A layer or a function of `keras.ops` that is packed.

    Attributes:
        title: Its name and class, for messages.
        class_name: Such as ``Dense``.
        config: Its settings.
        weights: What `get_weights` returns.
    """

    title: str
    class_name: str
    config: Mapping[str, Any]
    weights: Sequence[FloatArray] = ()

    def refuse(self, why: str) -> NotCoveredError:
        """Returns the error that says why it is not covered."""
        return NotCoveredError(f"Layer {self.title} {why}.")


@dataclass(eq=False)
class Value:
    """A tensor of the model while it is packed.

    Attributes:
        shape: What it has rows for; a tensor without features is 1 wide.
        axes: What its dimensions mean, but for the first.
        rows: Gives rows by id, in double precision, where it comes of the ids alone; or a constant's row.
        number: Of a node's result.
    """

    shape: Shape
    axes: tuple[str, ...]
    rows: Rows | None = None
    number: int | None = None

    def axis(self, axis: object) -> str | None:
        """Returns what a Keras axis means here: ``texts``, `STEPS`, `ONE`, `FEATURES`, or None where there is none."""
        if isinstance(axis, list) and len(axis) == 1:
            axis = axis[0]
        axes = ("texts", *self.axes)
        return axes[axis] if type(axis) is int and -len(axes) <= axis < len(axes) else None

    def renamed(self, axes: tuple[str, ...]) -> "Value":
        """Returns it with its dimensions called otherwise."""
        return Value(self.shape, axes, self.rows, self.number)


@dataclass
class Packer:
    """Collects operations.

    Attributes:
        vocabulary_size: Rows of a table.
        tables: Values that are looked up.
        nodes: Operations with the values that they read.
    """

    vocabulary_size: int
    tables: list[Value] = field(default_factory=list)
    nodes: list[tuple[Operation, tuple[Value, ...]]] = field(default_factory=list)

    def ids(self) -> Value:
        """Returns the model's input: in a table of its own each id has itself."""

        def rows(part: slice) -> DoubleArray:
            return np.arange(self.vocabulary_size, dtype=np.float64)[part, None]

        return Value(Shape(STEP, 1), (STEPS,), rows)

    def looked_up(self, ids: Value, vectors: FloatArray) -> Value:
        """Returns vectors, float32 [size, width], by ids or by whatever whole numbers were made of them."""
        source = ids.rows
        if source is None or ids.axes != (STEPS,):
            raise NotCoveredError("An Embedding reads something else than the ids.")

        def rows(part: slice) -> DoubleArray:
            return vectors[np.clip(source(part)[:, 0], 0, len(vectors) - 1).astype(np.int64)].astype(np.float64)

        return Value(Shape(STEP, vectors.shape[1], ids.shape.limit), (STEPS, FEATURES), rows)

    def constant(self, number: float | DoubleArray) -> Value:
        """Returns the same row for everything; a number is a row of one column."""
        row = np.asarray(number, np.float64).reshape(1, -1)
        return Value(Shape(CONSTANT, row.shape[1]), (FEATURES,), lambda _: row)

    def apply(self, operation: Operation, *inputs: Value, axes: tuple[str, ...] | None = None) -> Value:
        """Returns what an operation makes of its inputs.

        Args:
            operation: One of the table's.
            inputs: What it reads.
            axes: Of the result, where they are not those of the first input that is no constant.

        Raises:
            NotCoveredError: The inputs do not fit.
        """
        try:
            shape = shape_of(operation, [value.shape for value in inputs])
        except ValueError as error:
            raise NotCoveredError(f"An operation {operation.kind} reads a tensor that does not fit.") from error
        if axes is None:
            axes = max((value.axes for value in inputs if value.shape.per == shape.per), key=len)
        sources = [value.rows for value in inputs if value.rows is not None]
        size = self.vocabulary_size * shape.width * 4
        if operation.is_stepwise and len(sources) == len(inputs) and size <= _MAX_TABLE_BYTES:
            return Value(shape, axes, lambda part: operation.fold(*(rows(part) for rows in sources)))
        for value in inputs:
            self._keep(value)
        if len(self.nodes) == MAX_NODES:
            raise NotCoveredError(f"The model has more than {MAX_NODES} operations.")
        self.nodes.append((operation, inputs))
        return Value(shape, axes, None, len(self.nodes) - 1)

    def combine(self, how: str, *inputs: Value, axes: tuple[str, ...] | None = None) -> Value:
        """Returns what `Combine` gives; a factor of 1 and a summand of 0 are left out."""
        neutral = {"multiply": 1.0, "divide": 1.0, "add": 0.0, "subtract": 0.0}.get(how)
        first, *others = inputs
        kept = [first, *(value for value in others if neutral is None or not self.is_all(value, neutral))]
        if how in ("add", "multiply") and len(kept) > 1 and self.is_all(first, neutral or 0.0):
            kept = kept[1:]
        width = max(value.shape.width for value in inputs)
        if len(kept) == 1 and kept[0].shape.width == width and kept[0].shape.per in (STEP, TEXT):
            return kept[0]
        return self.apply(Combine(how), *inputs, axes=axes)

    def pool(self, how: str, value: Value, axes: tuple[str, ...]) -> Value:
        """Returns what `Pool` gives; of steps side by side, such as two directions', each is pooled by itself.

        To put a row together for every step takes longer than to pool it.
        """
        operation, parts = self.nodes[value.number] if value.number is not None else (None, ())
        if not isinstance(operation, Concatenate) or any(part.shape.per != STEP for part in parts):
            return self.apply(Pool(how), value, axes=axes)
        return self.apply(Concatenate(), *(self.pool(how, part, axes) for part in parts))

    def is_all(self, value: Value, number: float) -> bool:
        """Whether a value is this number, whatever the text: a mask is 1 wherever there is no padding."""
        if value.rows is None or value.shape.width > 1:
            return False
        # Row 0 is the padding's, which no text holds.
        return bool((value.rows(slice(0 if value.shape.per == CONSTANT else 1, None)) == number).all())

    def engine(self, outputs: Sequence[Value]) -> PackedEngine:
        """Returns the engine that gives the outputs; what they do not come of is left out.

        Raises:
            NotCoveredError: An output is no row a text.
        """
        for value in outputs:
            if value.shape.per != TEXT or value.number is None:
                raise NotCoveredError("An output does not give one row a text.")
        read = {value.number for value in outputs}
        for number in reversed(range(len(self.nodes))):
            if number in read:
                read |= {value.number for value in self.nodes[number][1]}
        kept = [number for number in range(len(self.nodes)) if number in read]
        inputs = [value for number in kept for value in self.nodes[number][1]]
        tables = [value for value in self.tables if value in inputs]

        def place(value: Value) -> int:
            return tables.index(value) if value.number is None else len(tables) + kept.index(value.number)

        nodes = [Node(self.nodes[number][0], tuple(map(place, self.nodes[number][1]))) for number in kept]
        try:
            return PackedEngine([self._table(value) for value in tables], nodes, list(map(place, outputs)))
        except ValueError as error:
            raise NotCoveredError(f"The model is too wide or too deep: {error}.") from error

    def _keep(self, value: Value) -> None:
        """Makes room for a value that an operation reads."""
        if value.number is not None or value in self.tables:
            return
        if value.shape.per == CONSTANT and value.rows is not None:
            self.nodes.append((Constant(value.rows(slice(None))), ()))
            value.number = len(self.nodes) - 1
        else:
            self.tables.append(value)

    def _table(self, value: Value) -> Table:
        assert value.rows is not None
        table = aligned_empty((self.vocabulary_size, value.shape.width), np.float32)
        for start in range(0, len(table), _ROWS):  # without a double copy of everything
            part = slice(start, start + _ROWS)
            table[part] = value.rows(part)
        return Table(table, value.shape.limit)
