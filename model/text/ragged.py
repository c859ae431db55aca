"""Sequences of different lengths, end to end in one array, without padding; and the types of such arrays.

    texts      "良い"   ""   "とても良い"
    token_ids  [  7          12   7  ]     int32
    offsets    [0,    1,   1,        3]    int64, one more than there are texts

Imports NumPy alone: compiled kernels name these types too.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

# What stands for an id while a word's is looked for.
NOT_FOUND = -1

Number = TypeVar("Number", bound=np.generic)


def offsets_of(lengths: npt.ArrayLike) -> Int64Array:
    """Returns where sequences of these lengths begin and end, int64 [n + 1].

    >>> offsets_of([1, 0, 2])
    array([0, 1, 1, 3])
    """
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def gather(
    values: npt.NDArray[Number], starts: Int64Array, lengths: Int64Array
) -> tuple[npt.NDArray[Number], Int64Array]:
    """Returns pieces of an array end to end, and their offsets.

    >>> gather(np.array([7, 12, 7, 5]), np.array([2, 0]), np.array([2, 1]))
    (array([7, 5, 7]), array([0, 2, 3]))
    """
    pieces = [values[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return np.concatenate([values[:0], *pieces]), offsets_of(lengths)


def token_runs(offsets: Int64Array, max_tokens: int) -> Iterator[tuple[int, int]]:
    """Yields first and last (exclusive) of sequences that are together no longer than that, or of one longer one.

    >>> list(token_runs(offsets_of([2, 2, 9, 1]), 5))
    [(0, 2), (2, 3), (3, 4)]
    """
    start, n = 0, len(offsets) - 1
    while start < n:
        end = max(start + 1, int(np.searchsorted(offsets, offsets[start] + max_tokens, side="right")) - 1)
        yield start, end
        start = end
