"""What a training tells the person: coverage, hints, and the linear baseline's figures, whoever wins."""

import pathlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saiten.model.evaluation.baseline import compare_with_baseline, score_by_baseline
from saiten.model.training.config import NetworkConfig, TrainingConfig, Word2VecConfig
from saiten.model.training.findings import baseline_line, coverage_line, hints
from saiten.model.training.targets import ClassLabels
from saiten.model.training.train import train
from tests.helpers.labelled import reviews

LINES = ["良い 店", "悪い 店", "良い 味", "悪い 味", "良い 駅", "悪い 駅"] * 5
GOOD = np.float32([1, 0] * 15)


def test_the_baseline_learns_classes_labels_and_numbers() -> None:
    held_out = ["良い 海", "悪い 海"]
    classes = score_by_baseline(LINES, held_out, GOOD[:, None], "classes", 2)
    np.testing.assert_array_equal(classes, [[0, 1], [1, 0]])
    known = np.stack([GOOD, np.where(np.arange(30) < 12, GOOD, np.nan), np.ones(30), np.full(30, np.nan)], axis=1)
    labels = score_by_baseline(LINES, held_out, known.astype(np.float32), "labels", 4, balanced=True)
    np.testing.assert_array_equal(labels, [[1, 1, 1, 0], [0, 0, 1, 0]])
    numbers = score_by_baseline(LINES, held_out, (known[:, :2] * 4 + 1).astype(np.float32), "numbers", 2)
    assert (numbers[0] > 3.5).all()
    assert (numbers[1] < 2.5).all()


def compared(network: Any, baseline: Any) -> dict[str, Any]:
    targets = np.arange(100, dtype=np.float32)[:, None] % 2
    found = compare_with_baseline(np.eye(2)[network], np.eye(2)[baseline], targets, "classes", ("a", "b"))
    assert set(found["metrics"]) == {"texts", "accuracy", "macro_f1"}
    return found


def test_it_is_said_plainly_which_is_better() -> None:
    right = np.arange(100) % 2
    often, seldom = (np.where(np.arange(100) < n, right, 1 - right) for n in (90, 60))
    assert baseline_line(compared(seldom, often)).startswith(
        "the linear baseline is better than this network: accuracy 0.9000 against 0.6000, difference +0.2"
    )
    assert baseline_line(compared(often, seldom)).endswith("; the network is better")
    assert baseline_line(compared(often, often)).endswith("difference +0.0000 to +0.0000; no clear difference")
    nothing = {"figure": "mean spearman", "network": None, "baseline": None, "difference": None}
    assert baseline_line(nothing) == "the linear baseline and the network have no mean spearman to compare"


FINE: dict[str, Any] = {
    "data": {"used": 2_200, "held_out": 200},
    "settings": {"epochs": None, "max_sequence_length": 100},
    "coverage": {"vocabulary": 0.95, "truncated": 0.05, "oov_words": []},
    "epochs": [{"is_best": True}] * 4,
}
SENTENCES = {
    "few": ({"data": {"used": 900, "held_out": 90}}, "The network was trained on 810 texts only;"),
    "rising": (
        {"settings": {"epochs": 4, "max_sequence_length": 100}},
        "The held-out loss still fell in epoch 4, the last that --epochs=4 allows: give more, or leave it out, and",
    ),
    "oov": ({"coverage": {"vocabulary": 0.8, "truncated": 0}}, "20% of the held-out words are not in the vocabulary;"),
    "long": (
        {"coverage": {"vocabulary": 1, "truncated": 0.2}},
        "20% of the held-out texts are longer than --max_sequence_length=100,",
    ),
}


def test_what_was_read_is_one_line() -> None:
    coverage = {"vocabulary": 0.955, "truncated": 0.02, "oov_words": [["珍しい", 1_040], ["言葉", 2]]}
    assert coverage_line(FINE | {"coverage": coverage}) == (
        "95.5% of the held-out texts' words are in the vocabulary, 2.0% of the texts are truncated; "
        "commonest OOV words (not in it): 珍しい (1,040), 言葉 (2)"
    )
    nothing_held_out = {"data": {"used": 9, "held_out": 0}, "coverage": coverage | {"oov_words": []}}
    assert coverage_line(nothing_held_out).startswith("95.5% of the training texts' words")


def test_nothing_is_said_where_nothing_is_off() -> None:
    assert hints(FINE) == []


@pytest.mark.parametrize("name", SENTENCES)
def test_a_hint_is_one_sentence(name: str) -> None:
    changed, beginning = SENTENCES[name]
    (found,) = hints(FINE | changed)
    assert found.startswith(beginning)


def test_a_training_says_what_it_read_and_what_the_baseline_reaches(tmp_path: pathlib.Path) -> None:
    records = [(text, "良" if good else "悪") for text, (good, _) in reviews(200)]
    validation = [(f"{text}珍しい言葉", label) for text, label in records[:40]]
    config = TrainingConfig(
        word2vec=Word2VecConfig(4, epochs=1), min_count=1, network=NetworkConfig("lstm", 2), max_sequence_length=12
    )
    config = replace(config, loss=None, epochs=1)
    bundle = tmp_path / "bundle"
    settings: dict[str, Any] = {"validation": validation, "with_baseline": True}
    training = train(records, labels=ClassLabels(), bundle_path=bundle, config=config, **settings).training
    coverage = training["coverage"]
    assert coverage["oov_words"][:2] == [["珍しい", 40], ["言葉", 40]]
    assert 0.7 < coverage["vocabulary"] < 0.95
    assert 0 < coverage["truncated"] < 1
    baseline = training["baseline"]
    assert (baseline["figure"], baseline["baseline"]) == ("accuracy", 1.0)
    assert baseline["network"] == training["metrics"]["accuracy"]
    assert baseline["metrics"] == {"texts": 40, "accuracy": 1.0, "macro_f1": 1.0}
