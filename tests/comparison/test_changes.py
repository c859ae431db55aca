"""Rank correlation from a bounded table is that of SciPy, or next to it where there are many values."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from saiten.pipelines.comparison.changes import OutputChanges, Ranks

PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=40)


def ranks_of(first: np.ndarray, second: np.ndarray, most: int = 1_000) -> Ranks:  # type: ignore[type-arg]
    ranks = Ranks.like(first, second, most)
    half = len(first) // 2
    ranks.add(first[:half], second[:half])
    ranks.add(first[half:], second[half:])
    return ranks


@given(PAIRS)
def test_few_values_are_ranked_exactly(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs, np.float32).T
    assume(len(set(first)) > 1)
    assume(len(set(second)) > 1)
    assert ranks_of(first, second).correlation == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)


def test_many_values_are_ranked_nearly() -> None:
    random = np.random.default_rng(7)
    first = random.lognormal(size=50_000).astype(np.float32)
    second = (first + random.normal(0, 0.5, 50_000)).astype(np.float32)
    assert ranks_of(first, second).correlation == pytest.approx(spearmanr(first, second).statistic, abs=1e-4)
    assert ranks_of(first, first).correlation == pytest.approx(1, abs=1e-9)
    assert ranks_of(first, -first).correlation == pytest.approx(-1, abs=1e-4)
    assert ranks_of(first, second, most=50).counts.size <= 51 * 51


def test_a_constant_has_no_rank() -> None:
    assert np.isnan(ranks_of(np.ones(5, np.float32), np.arange(5, dtype=np.float32)).correlation)
    assert np.isnan(Ranks.like(np.ones(2, np.float32), np.ones(2, np.float32), 5).correlation)


def test_changes_are_counted_with_their_sign_and_without() -> None:
    first, second = np.array([1, 2, 3], np.float32), np.array([1, 2.5, 2], np.float32)
    changes = OutputChanges(first, second, 10)
    changes.add(first, second)
    assert changes.changes.mean == pytest.approx(-0.5 / 3)
    assert changes.sizes.mean == pytest.approx(1.5 / 3)
    assert (changes.sizes.least, changes.sizes.largest) == (0.0, 1.0)
    assert changes.totals.tolist() == [6.0, 5.5]
