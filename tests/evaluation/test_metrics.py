"""Held-out metrics, against NumPy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from saiten.model.evaluation.metrics import are_exclusive, evaluate, spearman

# Few different values, so that there are ties.
VALUES = st.lists(st.integers(-3, 3), min_size=2, max_size=30)


@given(VALUES, st.randoms(use_true_random=False))
def test_spearman_is_the_correlation_of_mean_ranks(values: list[int], random: "np.random.Generator") -> None:
    first, second = np.array(values, np.float32), np.array(random.sample(values, len(values)), np.float32)
    ours = spearman(first, second)
    if len(set(values)) == 1:
        assert ours is None
    else:
        expected = np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1]
        assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0], [1.0, np.nan, 3.0], [np.nan] * 3])
def test_no_correlation_is_none(values: list[float]) -> None:
    """A text alone, a label that never changes, scores that are no numbers: JSON has no NaN."""
    rising = np.arange(len(values), dtype=np.float32)
    assert spearman(np.array(values, np.float32), rising) is None
    assert spearman(rising, np.array(values, np.float32)) is None


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
