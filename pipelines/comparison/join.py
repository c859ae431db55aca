"""Rows of two sides matched by a key; of a key that stands more than once, the first with the first and so on."""

from dataclasses import dataclass

import numpy as np

from saiten.model.text.ragged import Int64Array
from saiten.pipelines.statistics.repeated_ids import Hashes


@dataclass(frozen=True)
class Matches:
    """Which rows belong together.

    Attributes:
        first: int64 [m], rows of the first side that have one on the second.
        second: int64 [m], those rows.
        only_first: int64, rows of the first side that have none.
        only_second: int64, rows of the second side that have none.
    """

    first: Int64Array
    second: Int64Array
    only_first: Int64Array
    only_second: Int64Array


def match_rows(first: Hashes, second: Hashes) -> Matches:
    """Matches the rows of two sides.

    >>> matches = match_rows(np.array([7, 5, 7], np.uint64), np.array([7, 9], np.uint64))
    >>> matches.first, matches.second, matches.only_first, matches.only_second
    (array([0]), array([0]), array([1, 2]), array([1]))
    """
    keys = np.concatenate([first, second])
    turns = np.concatenate([_turns(first), _turns(second)])
    order = np.lexsort((turns, keys))
    keys, turns = keys[order], turns[order]
    # Of a key and a turn there is one row a side at most, and the first side's comes first: lexsort is stable.
    is_pair = (keys[1:] == keys[:-1]) & (turns[1:] == turns[:-1])
    rows_first, rows_second = order[:-1][is_pair], order[1:][is_pair] - len(first)
    by_row = np.argsort(rows_first)
    rows_first, rows_second = rows_first[by_row], rows_second[by_row]
    return Matches(
        rows_first,
        rows_second,
        np.setdiff1d(np.arange(len(first)), rows_first),
        np.setdiff1d(np.arange(len(second)), rows_second),
    )


def _turns(keys: Hashes) -> Int64Array:
    """Returns for each row how many before it have the same key."""
    order = np.argsort(keys, kind="stable")
    is_new = np.ones(len(keys), np.bool_)
    is_new[1:] = keys[order][1:] != keys[order][:-1]
    starts = np.maximum.accumulate(np.where(is_new, np.arange(len(keys)), 0))
    turns = np.empty(len(keys), np.int64)
    turns[order] = np.arange(len(keys)) - starts
    return turns
