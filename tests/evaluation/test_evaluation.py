"""Figures with intervals, by class and by groups of texts, against scikit-learn and by what intervals promise."""

import numpy as np
import pytest
from sklearn import metrics

from saiten.model.evaluation.evaluation import LabelledScores, evaluate_whole
from saiten.model.evaluation.intervals import difference_interval, with_intervals
from saiten.model.text.ragged import Int64Array

RANDOM = np.random.default_rng(1)
N = 120
SHARES = RANDOM.dirichlet([0.5] * 3, N).astype(np.float32)
NUMBERS = np.where(RANDOM.random(N) < 0.6, SHARES.argmax(axis=1), RANDOM.integers(0, 3, N))
N_TOKENS = np.array([16, 17, 64, 2_000] * (N // 4), np.int32)
N_OOV = np.array([0, 1, 2, 1_000] * (N // 4), np.int32)
CLASSES = LabelledScores("classes", tuple("abc"), SHARES, NUMBERS[:, None].astype(np.float32), N_TOKENS, N_OOV)


def test_an_interval_holds_what_the_binomial_distribution_says() -> None:
    happened = np.arange(400) < 320
    found = with_intervals(lambda rows: {"share": float(happened[rows].mean()), "texts": len(rows)}, 400)
    assert found["texts"] == 400
    assert found["share"]["value"] == 0.8
    margin = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    np.testing.assert_allclose(found["share"]["interval"], [0.8 - margin, 0.8 + margin], atol=0.006)


def test_a_figure_that_some_draws_lack_has_the_interval_of_the_others() -> None:
    def figures(rows: Int64Array) -> dict[str, dict[str, float | None]]:
        return {"a": {"mean": float(rows.mean()) if (rows == 3).any() else None, "never": None}}

    found = with_intervals(figures, 10)["a"]
    assert found["never"] is None
    assert found["mean"]["value"] == 4.5
    assert 2 < found["mean"]["interval"][0] < 4.5 < found["mean"]["interval"][1] < 7


def test_a_difference_on_the_same_texts_is_narrower_than_either() -> None:
    first, second = np.arange(100) % 2 == 0, (np.arange(100) % 2 == 0) | (np.arange(100) < 10)
    low, high = difference_interval(lambda r: first[r].mean(), lambda r: second[r].mean(), 100) or (0, 0)
    assert 0 < low < 0.05 < high < 0.12
    assert difference_interval(lambda _: None, lambda _: 1.0, 100) is None


def test_classes_have_scikit_learns_precision_recall_and_confusion() -> None:
    found, chosen = evaluate_whole(CLASSES), SHARES.argmax(axis=1)
    assert found["task"] == "classes"
    assert found["confusion"] == metrics.confusion_matrix(NUMBERS, chosen).tolist()
    report = metrics.classification_report(NUMBERS, chosen, target_names=list("abc"), output_dict=True)
    for name in "abc":
        of_class = found["classes"][name]
        assert of_class["texts"] == report[name]["support"]
        for figure, reference in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert of_class[figure]["value"] == pytest.approx(report[name][reference])
            assert of_class[figure]["interval"][0] < of_class[figure]["value"] < of_class[figure]["interval"][1]
    assert found["accuracy"]["value"] == pytest.approx(report["accuracy"])
    assert found["macro_f1"]["value"] == pytest.approx(report["macro avg"]["f1-score"])


def test_every_text_is_in_one_group_of_length_and_one_of_oov_words() -> None:
    found = evaluate_whole(CLASSES)
    by_length = [(group["most_n_tokens"], group["texts"]) for group in found["by_length"]]
    assert by_length == [(16, 30), (64, 60), (None, 30)]
    by_oov = [(group["most_oov_share"], group["texts"]) for group in found["by_oov_share"]]
    assert by_oov == [(0.0, 30), (0.05, 30), (0.1, 30), (None, 30)]
    rows = np.flatnonzero(N_TOKENS == 2_000)
    expected = (SHARES[rows].argmax(axis=1) == NUMBERS[rows]).mean()
    assert found["by_length"][-1]["accuracy"]["value"] == pytest.approx(expected)


@pytest.mark.thorough
def test_numbers_and_labels_have_figures_of_each_output_and_their_mean() -> None:
    targets = np.stack([SHARES[:, 0] * 4 + 1, np.full(N, np.nan)], axis=1).astype(np.float32)
    targets[:5, 1] = [1, 2, 3, 4, 5]
    numbers = evaluate_whole(LabelledScores("numbers", ("x", "y"), SHARES[:, :2], targets, N_TOKENS, N_OOV))
    assert numbers["outputs"]["x"]["spearman"]["value"] == pytest.approx(1)
    assert (numbers["outputs"]["x"]["texts"], numbers["outputs"]["y"]["texts"]) == (N, 5)
    both = [numbers["outputs"][name]["mse"]["value"] for name in "xy"]
    assert numbers["mean"]["mse"]["value"] == pytest.approx(np.mean(both))
    flags = (NUMBERS == 0)[:, None].astype(np.float32)
    labels = evaluate_whole(LabelledScores("labels", ("a",), SHARES[:, :1], flags, N_TOKENS, N_OOV))["outputs"]["a"]
    chosen = SHARES[:, 0] >= 0.5
    assert labels["precision"]["value"] == pytest.approx(metrics.precision_score(flags[:, 0], chosen))
    assert labels["recall"]["value"] == pytest.approx(metrics.recall_score(flags[:, 0], chosen))
