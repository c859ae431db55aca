"""Trains a network with Keras, and keeps the epoch that is best on the held-out texts.

Importing this module imports TensorFlow.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from saiten.model.engines.keras_engine import compile_model
from saiten.model.errors import UsageError
from saiten.model.text.encoder import cut_batches, pad
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array
from saiten.model.training.batches import LengthBatches
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.network import Network
from saiten.model.training.parts_loss import PartsLoss, choose_factors
from saiten.model.training.watcher import EpochReport, TrainingWatcher

# A recurrent gradient now and then is a hundred times the usual one, and would undo an epoch.
_CLIPNORM = 1.0
# The wide part's weights start at 0 and have one layer to go through: its steps are so many times as large.
_WIDE, _WIDE_STEP = "wide", 10.0
# Share of the first steps that the last epochs take.
_REFIT_STEP = 0.1

# Without a limit of the user's, and so many where nothing is held out that could end the training.
_MOST_EPOCHS, _EPOCHS_WITHOUT_HELD_OUT = 100, 10
_USUAL_EPOCHS = 10

# Cells of a batch that is scored, and its rows.
_MAX_CELLS, _MAX_ROWS = 65_536, 256


@dataclass(frozen=True)
class Fitted:
    """What came of a training, beside the weights.

    Attributes:
        factors: float64 [parts]; see `choose_factors`.
        reports: The epochs.
        held_out: float64 [held-out texts, outputs], the logits of their sum, of the network that had not learned from
            these texts.
    """

    factors: DoubleArray
    reports: list[EpochReport]
    held_out: DoubleArray


def fit(
    network: Network, corpus: EncodedCorpus, loss: PartsLoss, config: TrainingConfig, watcher: TrainingWatcher
) -> Fitted:
    """Trains a network in place, to its best epoch, and then by `refit_epochs` from the held-out texts too.

    Every epoch takes the texts in a new order. After it the parts' factors are chosen on the held-out
    texts; the loss with them says which epoch is the best. After one without gain the steps become
    smaller; after `patience` of them training ends.

    Raises:
        UsageError: The loss is no longer finite.
    """
    training, held_out = np.flatnonzero(~corpus.held_out), np.flatnonzero(corpus.held_out)
    batches = _batches(corpus, training, config, config.seed)
    optimizer = _optimizer(network, config)
    optimizer.build(network.trained.trainable_variables)  # else the first step makes its variables, and is traced twice
    network.trained.compile(optimizer=optimizer, loss=loss, jit_compile=bool(len(batches.widths)))
    score = compile_model(network.trained)

    def judge() -> tuple[DoubleArray, float]:
        parts = score_parts(score, corpus, held_out)
        return choose_factors(parts, corpus.targets[held_out], loss.task, loss.weights, loss.name)

    epochs = _Epochs(judge if len(held_out) else None, len(training), config, watcher)
    n_epochs = config.epochs or (_MOST_EPOCHS if len(held_out) else _EPOCHS_WITHOUT_HELD_OUT)
    callbacks = [epochs, *_judged_callbacks(config, has_held_out=bool(len(held_out)))]
    network.trained.fit(_dataset(batches, corpus), epochs=n_epochs, verbose=0, shuffle=False, callbacks=callbacks)
    n_parts, n_outputs = network.trained.output_shape[1:]
    if not len(held_out):
        return Fitted(np.full(n_parts, 1 / n_parts), epochs.reports, np.empty((0, n_outputs)))
    factors = judge()[0]
    logits = np.tensordot(score_parts(score, corpus, held_out).astype(np.float64), factors, ((1,), (0,)))
    if config.refit_epochs:
        _refit(network, corpus, config, watcher)
    return Fitted(factors, epochs.reports, logits)


def _judged_callbacks(config: TrainingConfig, *, has_held_out: bool) -> list[keras.callbacks.Callback]:
    stop = keras.callbacks.EarlyStopping("judged", patience=config.patience, mode="min", restore_best_weights=True)
    if config.learning_rate_factor == 1 or not has_held_out:
        return [stop]
    factor = config.learning_rate_factor
    return [stop, keras.callbacks.ReduceLROnPlateau("judged", factor=factor, patience=1, mode="min", min_delta=0.0)]


def _refit(network: Network, corpus: EncodedCorpus, config: TrainingConfig, watcher: TrainingWatcher) -> None:
    """Learns from all texts, the held-out ones included: by small steps, for none is left to say what is too much."""
    rows = np.arange(len(corpus.targets))
    batches = _batches(corpus, rows, config, config.seed + 1)
    optimizer = network.trained.optimizer
    for each in getattr(optimizer, "optimizers", [optimizer]):
        each.learning_rate = _first_step(config, is_wide=each.name == _WIDE) * _REFIT_STEP
    watcher.begin("held-out texts too", len(rows) * config.refit_epochs)
    progress = _Progress(len(rows), config, watcher)
    network.trained.fit(
        _dataset(batches, corpus), epochs=config.refit_epochs, verbose=0, shuffle=False, callbacks=[progress]
    )


def _batches(corpus: EncodedCorpus, rows: Int64Array, config: TrainingConfig, seed: int) -> LengthBatches:
    first_tokens, passes = config.network.first_tokens, config.epochs or _USUAL_EPOCHS
    return LengthBatches(corpus, rows, config.batch_size, first_tokens=first_tokens, passes=passes, seed=seed)


def score_parts(score: Callable[[Any], FloatArray], corpus: EncodedCorpus, rows: Int64Array) -> FloatArray:
    """Returns the parts' logits of some texts, float32 [n, parts, outputs]."""
    scored: list[tuple[Int64Array, FloatArray]] = []
    lengths = np.diff(corpus.offsets)[rows]
    for batch in cut_batches(lengths, _MAX_CELLS, _MAX_ROWS):
        token_ids, offsets = corpus.gather(rows[batch])
        scored.append((batch, score(pad(token_ids, offsets, np.arange(len(batch)), int(lengths[batch[-1]])))))
    parts = np.empty((len(rows), *scored[0][1].shape[1:]), np.float32)
    for batch, values in scored:
        parts[batch] = values
    return parts


class _Progress(keras.callbacks.Callback):
    """Tells the watcher of every step."""

    def __init__(self, n_texts: int, config: TrainingConfig, watcher: TrainingWatcher) -> None:
        super().__init__()
        self._n_texts, self._config, self._watcher = n_texts, config, watcher

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._watcher.advance(min(self._config.batch_size, self._n_texts - batch * self._config.batch_size))


class _Epochs(_Progress):
    """Judges every epoch, and tells the watcher.

    Args:
        judge: Chooses the factors, and returns them with the held-out loss; None: the training's loss counts.
    """

    def __init__(
        self,
        judge: Callable[[], tuple[DoubleArray, float]] | None,
        n_texts: int,
        config: TrainingConfig,
        watcher: TrainingWatcher,
    ) -> None:
        super().__init__(n_texts, config, watcher)
        self._judge = judge
        self._started = 0.0
        self.reports: list[EpochReport] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.monotonic()
        self._watcher.begin(f"epoch {epoch + 1}", self._n_texts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        held_out_loss = self._judge()[1] if self._judge else None
        judged = loss if held_out_loss is None else held_out_loss
        if not math.isfinite(loss) or not math.isfinite(judged):
            raise UsageError(
                f"The loss is {loss} in epoch {epoch + 1}; give a smaller --learning_rate than "
                f"{self._config.learning_rate}."
            )
        logs["judged"] = judged if self._judge else -epoch  # without held-out texts the last epoch is kept
        is_best = all(held_out_loss is None or judged < (report.held_out_loss or 0) for report in self.reports)
        self.reports.append(EpochReport(epoch + 1, loss, held_out_loss, is_best, time.monotonic() - self._started))
        self._watcher.end_epoch(self.reports[-1])


def _dataset(batches: LengthBatches, corpus: EncodedCorpus) -> tf.data.Dataset:
    signature = (
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None, corpus.targets.shape[1]), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(1)


def _optimizer(network: Network, config: TrainingConfig) -> keras.optimizers.Optimizer:
    def make(name: str) -> keras.optimizers.Optimizer:
        step = _first_step(config, is_wide=name == _WIDE)
        settings = {"learning_rate": step, "clipnorm": _CLIPNORM, "name": name}
        return keras.optimizers.get({"class_name": config.optimizer, "config": settings})

    if not network.wide_variables:
        return make("deep")
    deep, wide = make("deep"), make(_WIDE)
    of_wide = {variable.path for variable in network.wide_variables}
    return keras.optimizers.MultiOptimizer(lambda variable: wide if variable.path in of_wide else deep)


def _first_step(config: TrainingConfig, *, is_wide: bool) -> float:
    return config.learning_rate * (_WIDE_STEP if is_wide else 1.0)
