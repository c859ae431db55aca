"""A corpus's network and what it learns by, made ready while the vectors that its words begin with are made."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

import keras
import numpy as np

from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray
from saiten.model.training.corpus import EncodedCorpus
from saiten.model.training.held_out import refuse_untaught
from saiten.model.training.networks.fit import Trainer
from saiten.model.training.networks.network import Network
from saiten.model.training.networks.parts_loss import PartsLoss
from saiten.model.training.targets import Targets, balanced_weights, start_of
from saiten.model.training.watcher import EpochReport, TrainingWatcher
from saiten.model.training.words.embeddings import fill_matrix, has_vector
from saiten.model.training.words.make import Words


@dataclass(frozen=True)
class Learned:
    """What came of a training.

    Attributes:
        model: As it is saved.
        factors: float64 [parts]; see `choose_factors`.
        reports: The epochs.
        n_with_vector: So many words began with a vector of their own.
        held_out: float64 [held-out texts, outputs], their scores before it learned from them.
    """

    model: keras.Model
    factors: DoubleArray
    reports: list[EpochReport]
    n_with_vector: int
    held_out: DoubleArray


class Learner:
    """A network that is to learn from a corpus.

    Args:
        words: The vocabulary, with the settings.
        encoded: The corpus.
        targets: What its labels are.

    Raises:
        UsageError: Not all that is to be learned occurs.
    """

    def __init__(self, words: Words, encoded: EncodedCorpus, targets: Targets) -> None:
        config, n_outputs = words.config, len(targets.outputs)
        known = encoded.targets[~encoded.held_out]
        refuse_untaught(targets, known)  # anew: texts without a word of the vocabulary are gone
        weights = balanced_weights(targets.task, known, n_outputs) if config.class_weight else None
        self._task = targets.task
        self._mean, self._deviation = _standards(targets.task, known)
        start = start_of(targets.task, known, n_outputs)
        unknown_yet = np.zeros((len(words.vocabulary), words.dimensions), np.float32)
        self._network = Network(config.network, unknown_yet, n_outputs, words.vocabulary.words, start, seed=config.seed)
        standardised = replace(
            encoded, targets=np.asarray((encoded.targets - self._mean) / self._deviation, np.float32)
        )
        loss = PartsLoss(targets.task, targets.loss, weights)
        self._trainer = Trainer(self._network, standardised, loss, config)

    def compile(self) -> None:
        """See `Trainer.compile`."""
        self._trainer.compile()

    def learn(self, vectors: FloatArray, watcher: TrainingWatcher) -> Learned:
        """Trains the network; can be called once.

        Args:
            vectors: float32 [V, D], what the words begin with, NaN where a word has none.
            watcher: Is told of the progress.

        Raises:
            UsageError: No word has a vector, or a loss is no longer finite.
        """
        self._network.use_vectors(fill_matrix(vectors))
        fitted = self._trainer.fit(watcher)
        scores = _scores_of(fitted.held_out, self._task, self._mean, self._deviation)
        model = self._network.saved(self._task, fitted.factors, self._mean, self._deviation)
        return Learned(model, fitted.factors, fitted.reports, int(has_vector(vectors).sum()), scores)


def learn_with(
    make_vectors: Callable[[], FloatArray],
    words: Words,
    encoded: EncodedCorpus,
    targets: Targets,
    watcher: TrainingWatcher,
) -> Learned:
    """Trains a network, which is built and compiled while its words' vectors are made.

    Raises:
        UsageError: Not all that is to be learned occurs, or a loss is no longer finite.
    """
    learner: Future[Learner] = Future()

    def prepare() -> None:
        try:
            prepared = Learner(words, encoded, targets)
            prepared.compile()
            learner.set_result(prepared)
        except BaseException as error:  # noqa: BLE001 - the other thread raises it
            learner.set_exception(error)

    # Not a pool's thread: where the vectors fail, or Ctrl-C comes, nobody is to wait for it.
    threading.Thread(target=prepare, daemon=True).start()
    vectors = make_vectors()
    watcher.begin("compiling the network", None)  # as far as it is not yet
    return learner.result().learn(vectors, watcher)


def _scores_of(logits: DoubleArray, task: Task, mean: FloatArray, deviation: FloatArray) -> DoubleArray:
    """Returns the scores that a network with such logits, float64 [n, outputs], gives; see `Network.saved`."""
    from scipy import special

    if task == "numbers":
        return logits * deviation + mean
    return np.asarray(special.softmax(logits, axis=1) if task == "classes" else special.expit(logits), np.float64)


def _standards(task: Task, labels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns what is subtracted from each label and what it is then divided by, float32: numbers' mean, deviation."""
    if task != "numbers":
        return np.zeros(1, np.float32), np.ones(1, np.float32)
    mean = np.asarray(np.nanmean(labels, axis=0, dtype=np.float64), np.float32)
    deviation = np.asarray(np.nanstd(labels, axis=0, dtype=np.float64), np.float32)
    return mean, np.where(deviation > 0, deviation, np.float32(1))  # a constant stays as it is
