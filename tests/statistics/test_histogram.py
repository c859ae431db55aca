"""A histogram in parts is the histogram of the whole, and near enough to the values themselves."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.bundle.reference import LENGTH_EDGES, OOV_RATE_EDGES
from saiten.pipelines.statistics.histogram import Histogram, score_edges

NUMBERS = st.lists(st.floats(-3, 5, width=32), max_size=50)


def test_a_value_is_counted_in_the_bin_that_begins_with_it() -> None:
    histogram = Histogram((0.0, 1.0, 2.0))
    values = [-0.5, 0.0, 0.5, 1.0, 2.0, 7.0]
    histogram.add(values)
    assert histogram == Histogram((0.0, 1.0, 2.0), [1, 2, 1, 2], 6, 10.0, 54.5, -0.5, 7.0)
    assert (histogram.mean, histogram.deviation) == (pytest.approx(10 / 6), pytest.approx(np.std(values)))


@given(NUMBERS, NUMBERS)
def test_parts_add_up(first: list[float], second: list[float]) -> None:
    whole, parts = Histogram(score_edges(0, 1)), Histogram(score_edges(0, 1))
    whole.add(first + second)
    for part in (first, second):
        one = Histogram(score_edges(0, 1))
        one.add(part)
        parts.merge(one)
    expected, found = asdict(whole), asdict(parts)
    for name in ("total", "total_squares"):
        assert found.pop(name) == pytest.approx(expected.pop(name))
    assert found == expected


@given(NUMBERS.filter(len), st.floats(0, 1))
def test_a_quantile_is_right_to_a_bin(values: list[float], share: float) -> None:
    histogram = Histogram(score_edges(-3, 5))
    histogram.add(values)
    found, width = histogram.quantile(share), histogram.edges[1] - histogram.edges[0]
    low, high = np.quantile(values, share, method="lower"), np.quantile(values, share, method="higher")
    assert low - width - 1e-6 <= found <= high + width + 1e-6


def test_an_empty_one_has_no_mean_and_is_json() -> None:
    histogram = Histogram(LENGTH_EDGES)
    histogram.add([])
    assert np.isnan([histogram.mean, histogram.deviation, histogram.quantile(0.5)]).all()
    assert Histogram(**json.loads(json.dumps(asdict(histogram)))).counts == [0] * 22


def test_edges_hold_what_they_are_for() -> None:
    assert (score_edges(1, 5)[25], score_edges(1, 5)[75]) == (1, 5)
    assert score_edges(2, 2)[25] == 1.5  # a constant output
    lengths, rates = Histogram(LENGTH_EDGES), Histogram(OOV_RATE_EDGES)
    lengths.add([1, 2**20 - 1])
    rates.add([0.0, 1.0, 0.005])
    assert (lengths.counts[0], lengths.counts[-1]) == (0, 0)
    assert rates.counts == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
