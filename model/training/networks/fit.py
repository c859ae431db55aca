"""Trains a network with Keras, and keeps the epoch that is best on the held-out texts.

Importing this module imports TensorFlow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from saiten.model.engines.keras_engine import compile_model
from saiten.model.text.encoder import cut_batches, pad
from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array, IntArray
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.networks.batches import LengthBatches
from saiten.model.training.networks.epochs import EpochJudge, ProgressReport, judged_callbacks
from saiten.model.training.networks.network import Network
from saiten.model.training.networks.parts_loss import PartsLoss, choose_factors
from saiten.model.training.watcher import EpochReport, TrainingWatcher

# A recurrent gradient now and then is a hundred times the usual one, and would undo an epoch.
_CLIPNORM = 1.0
# The wide part's weights start at 0 and have one layer to go through: its steps are so many times as large.
_WIDE, _WIDE_STEP = "wide", 10.0
# Between two looks at Python, which cost a step of short texts a quarter of its time.
_STEPS_AT_ONCE = 16
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


class Trainer:
    """Trains a network on a corpus, in place.

    Args:
        network: What learns.
        corpus: What from.
        loss: By what.
        config: How.
    """

    def __init__(self, network: Network, corpus: EncodedCorpus, loss: PartsLoss, config: TrainingConfig) -> None:
        self._network, self._corpus, self._loss, self._config = network.trained, corpus, loss, config
        training, self._held_out = np.flatnonzero(~corpus.held_out), np.flatnonzero(corpus.held_out)
        self._n_training = len(training)
        self._batches = _batches(corpus, training, config, config.seed)
        optimizer = _optimizer(network, config)
        # Else the first step makes its variables, and is traced twice.
        optimizer.build(self._network.trainable_variables)
        self._network.compile(
            optimizer=optimizer,
            loss=loss,
            jit_compile=bool(len(self._batches.widths)),
            steps_per_execution=_STEPS_AT_ONCE,
        )
        self._score = compile_model(self._network)

    def compile(self) -> None:
        """Compiles what `fit` runs, for every width, and leaves the network as it was.

        That takes some seconds a width, in which another thread may make what the network begins with.
        """
        if not len(self._batches.widths):
            return
        variables = [*self._network.variables, *self._network.optimizer.variables]
        values = [variable.numpy() for variable in variables]
        self._network.fit(_dataset(self._batches.samples(), self._corpus), verbose=0, shuffle=False)
        if len(self._held_out):
            score_parts(self._score, self._corpus, self._held_out[:1])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def fit(self, watcher: TrainingWatcher) -> Fitted:
        """Trains to the best epoch, and then by `refit_epochs` from the held-out texts too.

        Every epoch takes the texts in a new order. After it the parts' factors are chosen on the held-out
        texts; the loss with them says which epoch is the best. After one without gain the steps become
        smaller; after `patience` of them training ends.

        Raises:
            UsageError: The loss is no longer finite.
        """
        config, held_out = self._config, self._held_out
        epochs = EpochJudge(self._judge if len(held_out) else None, self._n_training, config, watcher)
        n_epochs = config.epochs or (_MOST_EPOCHS if len(held_out) else _EPOCHS_WITHOUT_HELD_OUT)
        callbacks = [epochs, *judged_callbacks(config, has_held_out=bool(len(held_out)))]
        dataset = _dataset(self._batches, self._corpus)
        self._network.fit(dataset, epochs=n_epochs, verbose=0, shuffle=False, callbacks=callbacks)
        n_parts, n_outputs = self._network.output_shape[1:]
        if not len(held_out):
            return Fitted(np.full(n_parts, 1 / n_parts), epochs.reports, np.empty((0, n_outputs)))
        parts = score_parts(self._score, self._corpus, held_out)
        factors = self._choose_factors(parts)[0]
        if config.refit_epochs:
            self._refit(watcher)
        return Fitted(factors, epochs.reports, np.tensordot(parts.astype(np.float64), factors, ((1,), (0,))))

    def _judge(self) -> tuple[DoubleArray, float]:
        """Returns the factors that are best on the held-out texts as they are scored now, and their loss."""
        return self._choose_factors(score_parts(self._score, self._corpus, self._held_out))

    def _choose_factors(self, parts: FloatArray) -> tuple[DoubleArray, float]:
        loss = self._loss
        return choose_factors(parts, self._corpus.targets[self._held_out], loss.task, loss.weights, loss.name)

    def _refit(self, watcher: TrainingWatcher) -> None:
        """Learns from all texts, held-out ones included: by small steps, for none is left to say what is too much."""
        config, rows = self._config, np.arange(len(self._corpus.targets))
        optimizer = self._network.optimizer
        for each in getattr(optimizer, "optimizers", [optimizer]):
            each.learning_rate = _first_step(config, is_wide=each.name == _WIDE) * _REFIT_STEP
        watcher.begin("held-out texts too", len(rows) * config.refit_epochs)
        dataset = _dataset(_batches(self._corpus, rows, config, config.seed + 1), self._corpus)
        progress = ProgressReport(len(rows), config, watcher)
        self._network.fit(dataset, epochs=config.refit_epochs, verbose=0, shuffle=False, callbacks=[progress])


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


def _dataset(batches: LengthBatches | Sequence[tuple[IntArray, FloatArray]], corpus: EncodedCorpus) -> tf.data.Dataset:
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
