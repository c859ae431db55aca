"""Rows are matched as a dictionary would match them, the first of an id with the first."""

from collections import defaultdict, deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from saiten.pipelines.comparison.join import match_rows

KEYS = st.lists(st.integers(0, 6), max_size=30)


def match_by_dictionary(first: list[int], second: list[int]) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    waiting: dict[int, deque[int]] = defaultdict(deque)
    for row, key in enumerate(second):
        waiting[key].append(row)
    pairs, only_first = [], []
    for row, key in enumerate(first):
        if waiting[key]:
            pairs.append((row, waiting[key].popleft()))
        else:
            only_first.append(row)
    return pairs, only_first, sorted(row for rows in waiting.values() for row in rows)


@given(KEYS, KEYS)
def test_rows_are_matched_as_by_a_dictionary(first: list[int], second: list[int]) -> None:
    matches = match_rows(np.array(first, np.uint64), np.array(second, np.uint64))
    pairs, only_first, only_second = match_by_dictionary(first, second)
    assert list(zip(matches.first.tolist(), matches.second.tolist(), strict=True)) == pairs
    assert (matches.only_first.tolist(), matches.only_second.tolist()) == (only_first, only_second)
