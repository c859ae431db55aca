"""The wide part of a network: a linear model of a text's distinct words and distinct pairs of neighbouring words.

    token_ids        [[ 7 12  7  9 ]]
    distinct words     7  9 12                     a row each of a table, [vocabulary_size, outputs]
    distinct pairs     7-12  12-7  7-9             hashed to a row each of another, [n_pairs + 1, outputs]
    logits           the sum of these rows, divided by the root of their number, here 6

Built of Keras' own operations, so that a saved model needs nothing of Saiten's. Padding, before or behind, is
neither a word nor part of a pair.
Importing this module imports Keras.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import keras
import numpy as np
from keras import ops

from saiten.model.text.ragged import FloatArray, IntArray
from saiten.model.text.vocabulary import OOV_ID, PAD_ID

_MOST_INT32 = 2**31 - 1
# A word's own row is the sum of its own weights and of these runs of its characters.
_MOST_RUN_CHARACTERS = 3
_MOST_RUNS = 16

Lookup = Callable[[Any], Any]


def pair_multiplier(vocabulary_size: int) -> int:
    """Returns the left word's factor in a pair's hash, ``(left * factor + right) % n_pairs + 1``.

    It is the largest with which no int32 overflows.
    """
    return (_MOST_INT32 - vocabulary_size) // vocabulary_size


def wide_sums(token_ids: Any, words: Lookup, pairs: Lookup, vocabulary_size: int, n_pairs: int) -> Any:
    """Returns the wide part's logits but for their bias, [n, outputs].

    Args:
        token_ids: A Keras tensor, int32 [n, sequence_length].
        words: Gives the words' rows of ids [n, sequence_length], as [n, sequence_length, outputs].
        pairs: The same of pairs' rows, 0 where there is no pair.
        vocabulary_size: One more than the largest id.
        n_pairs: Rows that pairs are hashed to.
    """
    word_sum, n_words = _sum_of_distinct(token_ids, words)
    pair_sum, n_distinct_pairs = _sum_of_distinct(_pair_rows(token_ids, vocabulary_size, n_pairs), pairs)
    return (word_sum + pair_sum) / ops.sqrt(ops.maximum(n_words + n_distinct_pairs, 1.0))


def _pair_rows(token_ids: Any, vocabulary_size: int, n_pairs: int) -> Any:
    """Returns each neighbouring pair's row, from 1 on; 0 where one of the two is padding or OOV."""
    right = ops.concatenate([token_ids[:, 1:], ops.zeros_like(token_ids[:, :1])], axis=1)
    is_pair = ops.greater(ops.minimum(token_ids, right), max(PAD_ID, OOV_ID))
    rows = (token_ids * pair_multiplier(vocabulary_size) + right) % n_pairs + 1
    return ops.where(is_pair, rows, 0)


def _sum_of_distinct(ids: Any, lookup: Lookup) -> tuple[Any, Any]:
    """Returns the sum of the rows of each text's distinct ids, [n, outputs], and how many these are, [n, 1]."""
    in_order = ops.sort(ids, axis=1)
    before = ops.concatenate([ops.zeros_like(ids[:, :1]), in_order[:, :-1]], axis=1)
    is_first = ops.not_equal(in_order, before)
    weights = ops.expand_dims(ops.cast(is_first, "float32"), -1)
    return ops.sum(lookup(in_order) * weights, axis=1), ops.sum(weights, axis=1)


class WideTable(keras.layers.Layer):
    """A table of weights that start at 0, as it is trained; `rows` gives it as it is saved, [n_rows, outputs].

    Args:
        n_rows: Its rows.
        n_outputs: Its columns.
        runs_of: int32 [n_rows, most runs], what `character_runs` returned for the words; None for a table of pairs.
    """

    def __init__(self, n_rows: int, n_outputs: int, runs_of: IntArray | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._own = self.add_weight(shape=(n_rows, n_outputs), initializer="zeros", name="own")
        self._runs_of = runs_of
        if runs_of is not None:
            shape = (int(runs_of.max(initial=0)), n_outputs)
            self._runs = self.add_weight(shape=shape, initializer="zeros", name="runs")
            self._run_ids = self.add_weight(shape=runs_of.shape, dtype="int32", trainable=False, name="run_ids")
            self._run_ids.assign(runs_of)

    def call(self, ids: Any) -> Any:
        rows = ops.take(self._own, ids, axis=0)
        if self._runs_of is not None:
            runs = ops.pad(self._runs, [[1, 0], [0, 0]])
            rows += ops.sum(ops.take(runs, ops.take(self._run_ids, ids, axis=0), axis=0), axis=-2)
        return rows

    def rows(self) -> FloatArray:
        """Returns every id's row, float32 [n_rows, outputs]."""
        own: FloatArray = ops.convert_to_numpy(self._own)
        if self._runs_of is not None:
            runs = np.pad(ops.convert_to_numpy(self._runs), [(1, 0), (0, 0)])
            own = own + np.stack([runs[ids].sum(axis=0) for ids in self._runs_of])
        return np.asarray(own, np.float32)


class Bias(keras.layers.Layer):
    """Adds a trained number to each output.

    Args:
        start: float32 [outputs].
    """

    def __init__(self, start: FloatArray, **settings: Any) -> None:
        super().__init__(**settings)
        self.bias = self.add_weight(shape=start.shape, initializer="zeros", name="bias")
        self.bias.assign(start)

    def call(self, logits: Any) -> Any:
        return logits + self.bias


def character_runs(words: Sequence[str | None]) -> IntArray:
    """Numbers the runs of 1 to 3 characters inside each word, from 1 on; those of one word alone are left out.

    >>> character_runs([None, "高い", "安い"])
    array([[0],
           [1],
           [1]], dtype=int32)

    Returns:
        int32 [words, most runs of a word], filled up with 0. Of a word's runs the first 16 count.
    """
    runs_of = [list(dict.fromkeys(_runs(word or "")))[:_MOST_RUNS] for word in words]
    n_words: dict[str, int] = {}
    for run in chain.from_iterable(runs_of):
        n_words[run] = n_words.get(run, 0) + 1
    numbers = {run: i for i, run in enumerate((run for run, n in n_words.items() if n > 1), start=1)}
    kept = [[numbers[run] for run in runs if run in numbers] for runs in runs_of]
    table = np.zeros((len(kept), max(1, *map(len, kept))), np.int32)
    for row, ids in zip(table, kept, strict=True):
        row[: len(ids)] = ids
    return table


def _runs(word: str) -> list[str]:
    sizes = range(1, _MOST_RUN_CHARACTERS + 1)
    return [word[start : start + size] for size in sizes for start in range(len(word) - size + 1)]
