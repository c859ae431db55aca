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
_WIDE_STEP = 10.0

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
    """

    factors: DoubleArray
    reports: list[EpochReport]


def fit(
    network: Network, corpus: EncodedCorpus, loss: PartsLoss, config: TrainingConfig, watcher: TrainingWatcher
) -> Fitted:
    """Trains a network in place, to its best epoch.

    Every epoch takes the texts in a new order. After it the parts' factors are chosen on the held-out
    texts; the loss with them says which epoch is the best. After one without gain the steps become
    smaller; after `patience` of them training ends.

    Raises:
        UsageError: The loss is no longer finite.
    """
    training, held_out = np.flatnonzero(~corpus.held_out), np.flatnonzero(corpus.held_out)
    batches = LengthBatches(
        corpus,
        training,
        config.batch_size,
        first_tokens=config.network.first_tokens,
        passes=config.epochs or _USUAL_EPOCHS,
        seed=config.seed,
    )
    compiles = bool(len(batches.widths))
    network.trained.compile(optimizer=_optimizer(network, config), loss=loss, jit_compile=compiles)
    score = compile_model(network.trained)

    def judge() -> tuple[DoubleArray, float]:
        return choose_factors(score_parts(score, corpus, held_out), corpus.targets[held_out], loss.task, loss.weights)

    callbacks: list[keras.callbacks.Callback] = [
        _Epochs(judge if len(held_out) else None, len(training), config, watcher),
        keras.callbacks.EarlyStopping("judged", patience=config.patience, mode="min", restore_best_weights=True),
    ]
    if config.learning_rate_factor < 1 and len(held_out):
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                "judged", factor=config.learning_rate_factor, patience=1, mode="min", min_delta=0.0
            )
        )
    epochs = config.epochs or (_MOST_EPOCHS if len(held_out) else _EPOCHS_WITHOUT_HELD_OUT)
    network.trained.fit(_dataset(batches, corpus), epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks)
    n_parts = network.trained.output_shape[1]
    factors = judge()[0] if len(held_out) else np.full(n_parts, 1 / n_parts)
    return Fitted(factors, callbacks[0].reports)


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


class _Epochs(keras.callbacks.Callback):
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
        super().__init__()
        self._judge, self._n_texts, self._config, self._watcher = judge, n_texts, config, watcher
        self._started = 0.0
        self.reports: list[EpochReport] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.monotonic()
        self._watcher.begin(f"epoch {epoch + 1}", self._n_texts)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._watcher.advance(min(self._config.batch_size, self._n_texts - batch * self._config.batch_size))

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
    def make(learning_rate: float) -> keras.optimizers.Optimizer:
        settings = {"learning_rate": learning_rate, "clipnorm": _CLIPNORM}
        return keras.optimizers.get({"class_name": config.optimizer, "config": settings})

    deep = make(config.learning_rate)
    if not network.wide_variables:
        return deep
    wide = make(config.learning_rate * _WIDE_STEP)
    of_wide = {variable.path for variable in network.wide_variables}
    return keras.optimizers.MultiOptimizer(lambda variable: wide if variable.path in of_wide else deep)
