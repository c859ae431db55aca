"""The distributions that later texts are compared with."""

import json

import numpy as np

from saiten.model.evaluation.training_distributions import describe, describe_training_data


def test_a_distribution_is_described_by_moments_quantiles_and_bins() -> None:
    described = describe(np.arange(101, dtype=np.float32))
    assert described["mean"] == 50
    assert described["std"] == np.sqrt(850)
    assert described["quantiles"] == [
        [0.0, 0], [0.01, 1], [0.05, 5], [0.1, 10], [0.25, 25], [0.5, 50],
        [0.75, 75], [0.9, 90], [0.95, 95], [0.99, 99], [1.0, 100],
    ]  # fmt: skip
    assert described["histogram"]["counts"] == [2] * 49 + [3]
    assert described["histogram"]["edges"] == list(range(0, 101, 2))


def test_training_data_is_described_by_scores_lengths_and_oov_rate() -> None:
    columns = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32), np.int32([4, 8]), np.int32([1, 0])
    reference = describe_training_data(*columns, np.array([False, False]), ["taste", "price"])
    assert list(reference) == ["texts", "scores", "n_tokens", "oov_rate"]
    assert reference["texts"] == 2
    assert {name: values["mean"] for name, values in reference["scores"].items()} == {"taste": 2.0, "price": 5.0}
    assert reference["n_tokens"]["mean"] == 6.0
    assert reference["oov_rate"]["mean"] == 0.125
    assert json.loads(json.dumps(reference, allow_nan=False)) == reference
    of_unseen = describe_training_data(*columns, np.array([True, False]), ["taste", "price"])
    assert of_unseen["oov_rate"]["mean"] == 0.25
    assert {**of_unseen, "oov_rate": reference["oov_rate"]} == reference
