"""The index is that of the literature; its words allow for what chance does to few records."""

import math

import numpy as np
import pytest

from saiten.pipelines.reports.drift import Drift, DriftLevel, measure_drift

DECILES = [1_000] * 10


def test_the_index_is_the_sum_over_groups() -> None:
    drift = measure_drift([5_000, 5_000], [2_000, 8_000])
    expected = (0.2 - 0.5) * math.log(0.2 / 0.5) + (0.8 - 0.5) * math.log(0.8 / 0.5)
    assert drift is not None
    assert drift.index == pytest.approx(expected, rel=1e-3)
    assert (drift.n_groups, drift.by_chance) == (2, pytest.approx(2e-4))


def test_small_bins_are_put_together() -> None:
    even = Drift(pytest.approx(0, abs=1e-3), pytest.approx(9 * (1 / 100 + 1 / 200)), 10)  # type: ignore[arg-type]
    assert measure_drift([1] * 100, [2] * 100) == even
    left_over = measure_drift([50, 45, 5], [50, 45, 5])
    assert left_over is not None
    assert (left_over.n_groups, left_over.index) == (2, 0.0)


def test_what_lies_outside_of_the_training_data_counts() -> None:
    drift = measure_drift([0, 500, 500, 0], [300, 200, 200, 300])
    assert drift is not None
    assert drift.n_groups == 2
    assert measure_drift([0, *DECILES, 0], [9_000, *[100] * 10, 0]).level == DriftLevel.DIFFERENT  # type: ignore[union-attr]


@pytest.mark.parametrize("share", [0.001, 0.03, 0.09])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_rare_class_is_compared_too(share: float, place: int) -> None:
    """Its probability is near 0 for nearly all texts: one bin has more than nine tenths of them."""

    def bins(share: float) -> list[int]:
        rest = round(20_000 * share)
        return [*[0] * place, 20_000 - rest, *[0] * (2 - place), rest] if place < 2 else [rest, 0, 20_000 - rest]

    for times, level in ((1, DriftLevel.ALIKE), (10, DriftLevel.DIFFERENT)):
        drift = measure_drift(bins(share), bins(share * times))
        assert drift is not None
        assert drift.n_groups == 2
        if share > 0.01:
            assert drift.level == level
        assert drift.index == pytest.approx(
            (times - 1) * share * math.log(times) - (times - 1) * share * math.log((1 - times * share) / (1 - share)),
            rel=0.05,
        )


def test_nothing_is_compared_with_nothing() -> None:
    assert measure_drift([0, 0], [5, 5]) is None
    assert measure_drift([5, 5], [0, 0]) is None
    assert measure_drift([10, 0, 0], [3, 4, 3]) is None  # a constant output


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        (DECILES, DriftLevel.ALIKE),
        ([1_800, 1_500, 1_200, 1_000, 1_000, 1_000, 800, 700, 600, 400], DriftLevel.MOVED),
        ([3_000, 2_500, 2_000, 1_000, 500, 400, 300, 150, 100, 50], DriftLevel.DIFFERENT),
        ([3, 1, 2, 2, 0, 4, 3, 1, 2, 2], DriftLevel.TOO_FEW),
        ([40, 0, 0, 0, 0, 0, 0, 0, 0, 0], DriftLevel.DIFFERENT),  # few, but no chance does that
    ],
)
def test_an_index_in_words(counts: list[int], level: DriftLevel) -> None:
    drift = measure_drift(DECILES, counts)
    assert drift is not None
    assert drift.level == level


@pytest.mark.parametrize("n", [20, 100, 300, 3_000])
def test_records_like_those_of_training_are_seldom_called_others(n: int) -> None:
    random = np.random.default_rng(5)
    levels = [measure_drift(DECILES, random.multinomial(n, [0.1] * 10).tolist()) for _ in range(200)]
    wrong = sum(drift is None or drift.level in (DriftLevel.MOVED, DriftLevel.DIFFERENT) for drift in levels)
    assert wrong <= 4
