"""Held-out metrics, against scipy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.metrics import are_exclusive, evaluate, ranks, spearman

# Few different values, so that there are ties.
VALUES = st.lists(st.integers(-3, 3), min_size=2, max_size=30)


@given(VALUES)
def test_ranks_are_scipys(values: list[int]) -> None:
    np.testing.assert_array_equal(ranks(np.array(values, np.float32)), stats.rankdata(values))


@given(VALUES, st.randoms(use_true_random=False))
def test_spearman_is_scipys(values: list[int], random: "np.random.Generator") -> None:
    first, second = np.array(values, np.float32), np.array(random.sample(values, len(values)), np.float32)
    ours = spearman(first, second)
    if len(set(values)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)


def test_evaluate_gives_each_label_its_own_numbers() -> None:
    scores = np.array([[0.5, 2.0], [1.0, 2.0], [0.0, 5.0]], np.float32)
    labels = np.array([[0.0, 3.0], [1.0, 3.0], [0.0, 3.0]], np.float32)
    assert evaluate(scores, labels, ["taste", "price"]) == {
        "texts": 3,
        "outputs": {
            "taste": {
                "mse": pytest.approx(0.25 / 3),
                "mae": pytest.approx(0.5 / 3),
                "spearman": pytest.approx(0.8660254),
            },
            "price": {"mse": pytest.approx(2.0), "mae": pytest.approx(4 / 3), "spearman": None},
        },
    }


def test_accuracy_is_given_for_exclusive_labels_only() -> None:
    scores = np.array([[0.9, 0.2], [0.3, 0.4]], np.float32)
    exclusive = np.array([[1, 0], [1, 0]], np.float32)
    assert evaluate(scores, exclusive, ["a", "b"])["accuracy"] == 0.5
    assert "accuracy" not in evaluate(scores, np.array([[1, 1], [1, 0]], np.float32), ["a", "b"])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([[1, 0], [0, 1]], True),
        ([[1, 0], [0, 0]], False),
        ([[0.5, 0.5], [0, 1]], False),
        ([[1], [1]], False),
    ],
)
def test_exclusive_means_one_label_of_one_each(labels: list[list[float]], expected: bool) -> None:
    assert are_exclusive(np.array(labels, np.float32)) is expected
