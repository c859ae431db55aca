"""Epochs: the best one is kept, training ends when nothing gets better, every epoch has an order of its own."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.fit import _train_epochs
from saiten.model.training.watcher import EpochReport, SilentWatcher

N_TRAINING = 8


class ScriptedLearner:
    """Its held-out loss follows a script; its weights are the number of epochs it has trained."""

    def __init__(self, held_out_losses: Sequence[float] = ()) -> None:
        self.losses = held_out_losses
        self.seen: list[int] = []
        self.weights = 0

    def step(self, token_ids: IntArray, offsets: Int64Array, targets: FloatArray) -> float:
        self.seen.extend(targets[:, 0].astype(int).tolist())
        self.weights = math.ceil(len(self.seen) / N_TRAINING)
        return float(targets.mean())

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        return np.zeros((len(offsets) - 1, 1), np.float32)

    def loss(self, scores: FloatArray, targets: FloatArray) -> float:
        assert targets[:, 0].tolist() == [8, 9]
        return self.losses[self.weights - 1]

    def get_weights(self) -> list[FloatArray]:
        return [np.float32([self.weights])]

    def set_weights(self, weights: list[FloatArray]) -> None:
        self.weights = int(weights[0][0])


def _run(learner: ScriptedLearner, *, held_out: int = 2, **settings: Any) -> list[EpochReport]:
    """Trains on texts 0 to 7; 8 and 9 are held out. A text's target is its number."""
    numbers = np.arange(N_TRAINING + held_out)
    corpus = EncodedCorpus(
        token_ids=np.ones(len(numbers), np.int32),
        offsets=np.arange(len(numbers) + 1),
        labels=numbers[:, None].astype(np.float32),
        held_out=numbers >= N_TRAINING,
        n_tokens=np.ones(len(numbers), np.int32),
        n_oov=np.zeros(len(numbers), np.int32),
    )
    config = TrainingConfig(batch_size=3, **settings)
    return _train_epochs(learner, corpus, corpus.labels, config, SilentWatcher())


def test_the_best_epoch_is_kept_and_training_ends_after_patience() -> None:
    learner = ScriptedLearner([5.0, 3.0, 4.0, 3.0, 2.0])
    reports = _run(learner, epochs=9, patience=2)
    assert [(r.epoch, r.held_out_loss, r.is_best) for r in reports] == [
        (1, 5.0, True),
        (2, 3.0, True),
        (3, 4.0, False),
        (4, 3.0, False),
    ]
    assert learner.weights == 2


def test_a_better_epoch_within_patience_is_waited_for() -> None:
    learner = ScriptedLearner([5.0, 6.0, 4.0, 7.0])
    assert len(_run(learner, epochs=4, patience=2)) == 4
    assert learner.weights == 3


def test_without_held_out_texts_all_epochs_are_trained_and_the_last_is_kept() -> None:
    learner = ScriptedLearner()
    reports = _run(learner, held_out=0, epochs=3, patience=1)
    assert [(r.loss, r.held_out_loss, r.is_best) for r in reports] == [(pytest.approx(3.5), None, True)] * 3
    assert learner.weights == 3


def test_every_epoch_sees_every_training_text_once_in_an_order_of_its_own() -> None:
    learner, again = ScriptedLearner([3.0, 2.0, 1.0]), ScriptedLearner([3.0, 2.0, 1.0])
    _run(learner, epochs=3)
    epochs = [tuple(learner.seen[start : start + N_TRAINING]) for start in range(0, 3 * N_TRAINING, N_TRAINING)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(N_TRAINING))] * 3
    assert len(set(epochs)) == 3
    _run(again, epochs=3)
    assert again.seen == learner.seen


def test_a_loss_that_is_not_finite_ends_training_with_the_remedy() -> None:
    with pytest.raises(UsageError) as caught:
        _run(ScriptedLearner([1.0, float("nan")]), epochs=3, learning_rate=7.0)
    assert str(caught.value) == "The loss is nan in epoch 2; give a smaller --learning_rate than 7.0."


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0."),
        ({"batch_size": -1}, "batch_size must be 1 or more, not -1."),
        ({"oov": "keep"}, "oov is token or drop, not 'keep'."),
        ({"truncating": "middle"}, "truncating is pre or post, not 'middle'."),
        ({"network": "cnn"}, "network is lstm, bilstm or gru, not 'cnn'."),
        ({"loss": "mape"}, "loss is mse, mae or huber, not 'mape'."),
        ({"optimizer": "lion"}, "optimizer is adam, adamw, nadam, rmsprop or sgd, not 'lion'."),
        ({"vocabulary_size": 2}, "vocabulary_size must be 3 or more (padding, OOV, a word), not 2."),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, not nan."),
        ({"validation_fraction": 1.0}, "validation_fraction must be 0 or more and below 1, not 1.0."),
        ({"seed": -1}, "seed must be from 0 to 4294967295, not -1."),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        TrainingConfig(**setting)
    assert str(caught.value) == message
