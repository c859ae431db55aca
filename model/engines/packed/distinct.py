"""The linear part of a wide and deep network: a text's distinct ids, and its distinct pairs of neighbours."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.engines.packed.operation import STEP, TEXT, Floats, Operation, Shape, Values, fits
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array, IntArray

_LAST_STAMP = np.uint8(255)


@dataclass(frozen=True)
class DistinctSum(Operation):
    """The rows of a text's distinct ids and of its distinct pairs, summed, and divided by the root of their number.

    It reads the ids' rows as they are looked up in a table.

    Attributes:
        pairs: float32 [n_pairs + 1, width]; no pair has row 0.
        factor: Of the left id in a pair's row, ``(left * factor + right) % n_pairs + 1``.
        least: Pairs of smaller ids than this one are none.
    """

    kind: ClassVar[str] = "distinct_sum"
    pairs: FloatArray
    factor: int
    least: int

    def shape(self, *inputs: Shape) -> Shape:
        (values,) = inputs
        fits(values.per == STEP and self.pairs.shape[1:] == (values.width,) and len(self.pairs) > 1, "pairs")
        fits(0 <= self.factor < 2**31 and self.least >= 0, "factor")
        return Shape(TEXT, values.width)

    def run(self, offsets: Int64Array, *inputs: Values) -> Floats:
        (values,) = inputs
        sums = np.zeros((len(offsets) - 1, self.pairs.shape[1]), np.float64)
        sum_distinct(values.table, values.places, offsets, self.pairs, self.factor, self.least, sums)
        return sums


@compiled(fast=False)
def sum_distinct(
    words: FloatArray,
    ids: IntArray,
    offsets: Int64Array,
    pairs: FloatArray,
    factor: int,
    least: int,
    sums: DoubleArray,
) -> None:
    """Adds up what each text has that was not seen in it before; nothing is sorted.

    Args:
        words: float32 [rows, width].
        ids: int32 [total], rows of `words`.
        offsets: int64 [n + 1]; no text is empty.
        pairs: float32 [n_pairs + 1, width].
        factor, least: See `DistinctSum`.
        sums: float64 [n, width], zeros; what is written.
    """
    n_pairs = np.int64(pairs.shape[0] - 1)
    # The text in which a row was seen last, from 1 on; a byte, for these are read all over, is full after 255 texts.
    word_seen = np.zeros(words.shape[0], np.uint8)
    pair_seen = np.zeros(pairs.shape[0], np.uint8)
    stamp = np.uint8(0)
    for text in range(offsets.shape[0] - 1):
        if stamp == _LAST_STAMP:
            word_seen[:] = 0
            pair_seen[:] = 0
            stamp = np.uint8(0)
        stamp = np.uint8(stamp + 1)
        number = 0
        left = np.int64(-1)
        for position in range(offsets[text], offsets[text + 1]):
            right = np.int64(ids[position])
            if word_seen[right] != stamp:
                word_seen[right] = stamp
                number += 1
                for j in range(words.shape[1]):
                    sums[text, j] += words[right, j]
            if left >= least and right >= least:
                row = (left * factor + right) % n_pairs + 1
                if pair_seen[row] != stamp:
                    pair_seen[row] = stamp
                    number += 1
                    for j in range(pairs.shape[1]):
                        sums[text, j] += pairs[row, j]
            left = right
        for j in range(sums.shape[1]):
            sums[text, j] /= np.sqrt(number)
