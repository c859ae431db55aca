"""The packed engine: operations one after the other, over texts of any lengths. No padding, no TensorFlow.

Every text is computed by itself, so its scores are the same bits in any company.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saiten.model.engines.engine import check_ids
from saiten.model.engines.packed.operation import MAX_WIDTH, STEP, TEXT, Operation, Shape, Values, fits, shape_of
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray, gather, token_runs

# A forged file may announce any number; these leave room for what people build.
MAX_TABLES, MAX_NODES, MAX_TOTAL_WIDTH = 16, 256, 65_536

# Of all steps' values of the texts that are computed at once.
_MAX_BYTES = 64 << 20
_MAX_TOKENS = 32_768


@dataclass(frozen=True)
class Table:
    """Rows that are looked up by id.

    Attributes:
        rows: float32 [vocabulary_size, width].
        limit: Which of a text's ids, as in `Shape`: all, the first ones or the last ones.
    """

    rows: FloatArray
    limit: int = 0


@dataclass(frozen=True)
class Node:
    """An operation and the numbers of the values that it reads: first the tables', then those of earlier nodes."""

    operation: Operation
    inputs: tuple[int, ...]


class PackedEngine:
    """Runs packed weights; see `saiten.model.engines.engine.Engine`.

    Args:
        tables: All of one length.
        nodes: What is computed, in this order.
        outputs: Numbers of the values that are the scores, side by side.

    Raises:
        ValueError: Something does not fit; compiled code checks nothing.
    """

    name = "packed"

    def __init__(self, tables: Sequence[Table], nodes: Sequence[Node], outputs: Sequence[int]) -> None:
        self.tables, self.nodes, self.outputs = tuple(tables), tuple(nodes), tuple(outputs)
        fits(0 < len(self.tables) <= MAX_TABLES and len(self.nodes) <= MAX_NODES, "the number of operations")
        fits(all(table.rows.ndim == 2 for table in self.tables), "a table")
        fits(len({len(table.rows) for table in self.tables}) == 1, "the tables' size")
        self.vocabulary_size = len(self.tables[0].rows)
        shapes = [Shape(STEP, table.rows.shape[1], table.limit) for table in self.tables]
        for node in self.nodes:
            fits(all(0 <= number < len(shapes) for number in node.inputs), "an input")
            shapes.append(shape_of(node.operation, [shapes[number] for number in node.inputs]))
        fits(all(0 < shape.width <= MAX_WIDTH for shape in shapes), "a width")
        total = sum(shape.width for shape in shapes)
        fits(total <= MAX_TOTAL_WIDTH, "the width of all values")
        fits(bool(self.outputs) and all(0 <= number < len(shapes) for number in self.outputs), "an output")
        fits(all(shapes[number].per == TEXT for number in self.outputs), "an output")
        self.n_outputs = sum(shapes[number].width for number in self.outputs)
        self._shapes = shapes
        self._max_tokens = min(_MAX_TOKENS, max(1, _MAX_BYTES // (4 * total)))

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Scores every text; see `saiten.model.engines.engine.Engine`."""
        check_ids(token_ids, self.vocabulary_size)
        scores = np.full((len(offsets) - 1, self.n_outputs), np.nan, np.float32)
        filled = np.flatnonzero(np.diff(offsets))
        # Empty texts take no room, so that the others still lie end to end.
        offsets = np.append(offsets[:-1][filled], offsets[-1:]).astype(np.int64)
        # Numba compiles anew for read-only arrays and other types.
        token_ids = np.require(token_ids, np.int32, ["C", "W"])
        for first, last in token_runs(offsets, self._max_tokens):
            part = offsets[first : last + 1] - offsets[first]
            scores[filled[first:last]] = self._score(token_ids[offsets[first] : offsets[last]], part)
        return scores

    def _score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        spans = {limit: _limited(token_ids, offsets, limit) for limit in {shape.limit for shape in self._shapes}}
        values = [Values(STEP, table.rows, spans[table.limit][0]) for table in self.tables]
        # A hole in the weights, or a number beyond all bounds, becomes NaN, and the record a dead letter.
        with np.errstate(all="ignore"):
            for node in self.nodes:
                limit = max((self._shapes[number].limit for number in node.inputs), key=abs, default=0)
                result = node.operation.run(spans[limit][1], *(values[number] for number in node.inputs))
                values.append(Values(self._shapes[len(values)].per, result))
            return np.concatenate([values[number].array for number in self.outputs], axis=1).astype(np.float32)


def _limited(token_ids: IntArray, offsets: Int64Array, limit: int) -> tuple[IntArray, Int64Array]:
    """Returns each text's first ids, as many as the limit, or its last ones; and where they begin."""
    lengths = np.diff(offsets)
    if not limit or lengths.max(initial=0) <= abs(limit):
        return token_ids, offsets
    lengths = np.minimum(lengths, abs(limit))
    return gather(token_ids, offsets[:-1] if limit > 0 else offsets[1:] - lengths, lengths)
