"""Held-out metrics, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from saiten.model.evaluation.metrics import are_exclusive, evaluate, spearman
from saiten.model.text.ragged import FloatArray

NAN = np.nan
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


def test_numbers_have_figures_of_their_own_each() -> None:
    scores = np.array([[0.5, 2.0, 1.0], [1.0, 2.0, 1.0], [0.0, 5.0, 1.0], [0.0, 7.0, 1.0]], np.float32)
    labels = np.array([[0.0, 3.0, NAN], [1.0, 3.0, NAN], [0.0, 3.0, NAN], [0.0, NAN, NAN]], np.float32)
    assert evaluate("numbers", scores, labels, ["taste", "price", "volume"]) == {
        "texts": 4,
        "outputs": {
            "taste": {
                "texts": 4,
                "mse": 0.0625,
                "mae": 0.125,
                "pearson": pytest.approx(np.corrcoef([0.5, 1, 0, 0], [0, 1, 0, 0])[0, 1]),
                "spearman": pytest.approx(0.8164966),
            },
            "price": {
                "texts": 3,
                "mse": pytest.approx(2.0),
                "mae": pytest.approx(4 / 3),
                "pearson": None,
                "spearman": None,
            },
            "volume": {"texts": 0},
        },
        "mean": {
            "mse": pytest.approx((0.0625 + 2) / 2),
            "mae": pytest.approx((0.125 + 4 / 3) / 2),
            "pearson": pytest.approx(np.corrcoef([0.5, 1, 0, 0], [0, 1, 0, 0])[0, 1]),
            "spearman": pytest.approx(0.8164966),
        },
    }


def test_numbers_that_are_exclusive_flags_have_an_accuracy() -> None:
    scores = np.array([[0.9, 0.2], [0.3, 0.4]], np.float32)
    assert evaluate("numbers", scores, np.float32([[1, 0], [1, 0]]), ["a", "b"])["accuracy"] == 0.5
    assert "accuracy" not in evaluate("numbers", scores, np.float32([[1, 1], [1, 0]]), ["a", "b"])


RANDOM = np.random.default_rng(0)
SHARES = RANDOM.dirichlet([0.5] * 4, 200).astype(np.float32)
NUMBERS = np.where(RANDOM.random(200) < 0.6, SHARES.argmax(axis=1), RANDOM.integers(0, 4, 200))


def test_classes_have_scikit_learns_figures() -> None:
    found = evaluate("classes", SHARES, NUMBERS[:, None].astype(np.float32), list("abcd"))
    chosen = SHARES.argmax(axis=1)
    assert found == {
        "texts": 200,
        "accuracy": pytest.approx(metrics.accuracy_score(NUMBERS, chosen)),
        "macro_f1": pytest.approx(metrics.f1_score(NUMBERS, chosen, average="macro")),
        "log_loss": pytest.approx(log_loss_by_hand(SHARES[np.arange(200), NUMBERS]), rel=1e-5),
        "calibration_error": pytest.approx(calibration_by_hand(SHARES.max(axis=1), chosen == NUMBERS)),
    }


def test_macro_f1_is_of_the_classes_that_are_there_or_chosen() -> None:
    scores = np.float32([[0.9, 0.1, 0, 0], [0.1, 0.9, 0, 0], [0.1, 0.9, 0, 0]])
    found = evaluate("classes", scores, np.float32([[0], [0], [1]]), list("abcd"))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score([0, 0, 1], [0, 1, 1], average="macro"))


def test_labels_have_scikit_learns_figures_each() -> None:
    scores, flags = SHARES[:, :1], (NUMBERS == 0)[:, None].astype(np.float32)
    holes = flags.copy()
    holes[::7] = NAN
    is_known = ~np.isnan(holes[:, 0])
    known, given = flags[is_known, 0], scores[is_known, 0]
    chosen = given >= 0.5
    assert evaluate("labels", scores, holes, ["a"])["outputs"]["a"] == {
        "texts": int(is_known.sum()),
        "accuracy": pytest.approx(metrics.accuracy_score(known, chosen)),
        "f1": pytest.approx(metrics.f1_score(known, chosen)),
        "log_loss": pytest.approx(log_loss_by_hand(np.where(known > 0, given, 1 - given)), rel=1e-5),
        "calibration_error": pytest.approx(calibration_by_hand(given, known > 0)),
    }


def log_loss_by_hand(probabilities: FloatArray) -> float:
    return float(-np.log(np.maximum(probabilities.astype(np.float64), 1e-7)).mean())


def calibration_by_hand(probabilities: FloatArray, happened: FloatArray) -> float:
    total = 0.0
    for low in np.arange(10) / 10:
        inside = (probabilities >= low) & ((probabilities < low + 0.1) | (low == 0.9))
        if inside.any():
            total += inside.mean() * abs(happened[inside].mean() - probabilities[inside].mean())
    return total


def test_a_certain_mistake_has_a_finite_log_loss() -> None:
    found = evaluate("classes", np.float32([[1, 0]]), np.float32([[1]]), ["a", "b"])
    assert 10 < found["log_loss"] < 20
    assert found["calibration_error"] == 1.0


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
