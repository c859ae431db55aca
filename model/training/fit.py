"""Trains a network on an encoded corpus, epoch by epoch, and keeps the best."""

import math
import time
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray, Int64Array
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.learner import Learner
from saiten.model.training.watcher import EpochReport, TrainingWatcher

# Texts read from disk at once when nothing is trained.
_SCORE_TEXTS = 1_024


def fit(
    model: keras.Model, corpus: EncodedCorpus, config: TrainingConfig, watcher: TrainingWatcher
) -> tuple[FloatArray, list[dict[str, Any]]]:
    """Trains the model in place, to its best epoch.

    The labels are standardised while it learns, so that neither their unit nor their mean matters
    to it, and the last layer then takes mean and deviation into its weights.

    Every epoch takes the texts in a new order. Nothing is padded: see `saiten.model.training.recurrence`.

    Returns:
        The scores of all texts, float32 [n, outputs], and the epochs, JSON-able.

    Raises:
        UsageError: The loss is no longer finite.
    """
    training = np.flatnonzero(~corpus.held_out)
    mean, deviation = _standards(corpus.labels[training])
    targets = (corpus.labels - mean) / deviation
    with Learner(model, config.loss, config.optimizer, config.learning_rate) as learner:
        reports = _train_epochs(learner, corpus, targets, config, watcher)
        _unstandardise(model.get_layer("scores"), mean, deviation)
        watcher.begin("scoring the training data", len(corpus.labels))
        scores = _score_rows(learner, corpus, np.arange(len(corpus.labels)), watcher)
    return scores, [asdict(report) for report in reports]


def _train_epochs(
    learner: Learner, corpus: EncodedCorpus, targets: FloatArray, config: TrainingConfig, watcher: TrainingWatcher
) -> list[EpochReport]:
    training, held_out = np.flatnonzero(~corpus.held_out), np.flatnonzero(corpus.held_out)
    random = np.random.default_rng(config.seed)
    best_loss, best_epoch, best_weights = math.inf, 0, learner.get_weights()
    reports: list[EpochReport] = []
    for epoch in range(1, config.epochs + 1):
        started = time.monotonic()
        watcher.begin(f"epoch {epoch} of {config.epochs}", len(training))
        loss = _train_epoch(learner, corpus, targets, random.permutation(training), config.batch_size, watcher)
        held_out_loss = None
        if len(held_out):
            held_out_loss = learner.loss(_score_rows(learner, corpus, held_out), targets[held_out])
        judged = loss if held_out_loss is None else held_out_loss
        if not math.isfinite(judged):
            raise UsageError(
                f"The loss is {judged} in epoch {epoch}; give a smaller --learning_rate than {config.learning_rate}."
            )
        is_best = held_out_loss is None or held_out_loss < best_loss
        if is_best:
            best_loss, best_epoch, best_weights = judged, epoch, learner.get_weights()
        reports.append(EpochReport(epoch, loss, held_out_loss, is_best, time.monotonic() - started))
        watcher.end_epoch(reports[-1])
        if epoch - best_epoch >= config.patience:
            break
    learner.set_weights(best_weights)
    return reports


def _train_epoch(
    learner: Learner,
    corpus: EncodedCorpus,
    targets: FloatArray,
    order: Int64Array,
    batch_size: int,
    watcher: TrainingWatcher,
) -> float:
    total = 0.0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        total += learner.step(*corpus.gather(rows), targets[rows]) * len(rows)
        watcher.advance(len(rows))
    return total / len(order)


def _score_rows(
    learner: Learner, corpus: EncodedCorpus, rows: Int64Array, watcher: TrainingWatcher | None = None
) -> FloatArray:
    scores = []
    for start in range(0, len(rows), _SCORE_TEXTS):
        scores.append(learner.score(*corpus.gather(rows[start : start + _SCORE_TEXTS])))
        if watcher:
            watcher.advance(len(scores[-1]))
    return np.concatenate(scores)


def _standards(labels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns mean and deviation of each label; a constant label's deviation counts as 1."""
    mean, deviation = labels.mean(axis=0, dtype=np.float64), labels.std(axis=0, dtype=np.float64)
    return mean.astype(np.float32), np.where(deviation > 0, deviation, 1).astype(np.float32)


def _unstandardise(dense: keras.layers.Dense, mean: FloatArray, deviation: FloatArray) -> None:
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel * deviation, bias * deviation + mean])
