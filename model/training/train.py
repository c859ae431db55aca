"""Labelled text to a bundle: segment, count, word2vec, network, bundle.

Importing this module imports TensorFlow.
"""

import pathlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.writer import refuse_used, write_bundle
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.evaluation.evaluation import LabelledScores
from saiten.model.evaluation.training_distributions import describe_training_data
from saiten.model.outputs import refuse_output_names
from saiten.model.task import Task
from saiten.model.text.encoder import Encoder
from saiten.model.text.ragged import DoubleArray, FloatArray
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.training.config import TrainingConfig, refuse_unready
from saiten.model.training.corpus import (
    EncodedCorpus,
    LabelledText,
    SegmentedCorpus,
    encode_corpus,
    segment_corpus,
    segment_texts,
)
from saiten.model.training.findings import compare_network, describe_corpus, describe_coverage
from saiten.model.training.fit import Fitted, fit
from saiten.model.training.held_out import refuse_untaught, split_corpus, split_line
from saiten.model.training.network import Network
from saiten.model.training.parts_loss import PartsLoss
from saiten.model.training.targets import (
    LabelReader,
    NumberLabels,
    Targets,
    balanced_weights,
    loss_line,
    refuse_class_weight,
    start_of,
)
from saiten.model.training.watcher import SilentWatcher, TrainingWatcher
from saiten.model.training.words.make import Words, make_words

# The segmented unlabelled texts, in the temporary folder.
_FURTHER = "further.txt"

# Texts read from disk and scored at once when nothing is trained.
_SCORE_TEXTS = 8_192


# From what the manifest says of a training, and the held-out texts' scores, where there are any.
PageMaker = Callable[[Mapping[str, Any], LabelledScores | None], bytes]


@dataclass(frozen=True)
class _Trained:
    """All that a bundle is written from; see `write_bundle`."""

    model: keras.Model
    encoder: Encoder
    task: Task
    outputs: Sequence[str]
    golden_texts: Sequence[str]
    training: dict[str, Any]
    reference: dict[str, Any]
    held_out: LabelledScores | None


@dataclass(frozen=True)
class TrainingResult:
    """What came of a training.

    Attributes:
        bundle: The bundle.
        training: What the bundle's manifest says of the training, metrics included.
    """

    bundle: StoredBundle
    training: dict[str, Any]


def train(
    records: Iterable[LabelledText],
    *,
    labels: LabelReader,
    bundle_path: pathlib.Path,
    config: TrainingConfig,
    validation: Iterable[LabelledText] = (),
    further_texts: Iterable[str] = (),
    data: Mapping[str, Any] | None = None,
    with_baseline: bool = False,
    segmenter: str = "auto",
    make_page: PageMaker | None = None,
    watcher: TrainingWatcher | None = None,
) -> TrainingResult:
    """Trains a network on labelled text and writes it as a bundle.

    The same records, configuration and machine give the same vocabulary and the same scores.

    Args:
        records: Texts with their labels. Read once, one at a time: the text goes to a temporary folder, about as
            large as itself, and is never held in memory.
        labels: Knows the labels; its names, or those of the classes, become the outputs'.
        bundle_path: A directory that does not exist, or is empty.
        config: All settings.
        validation: Texts with labels to hold out, instead of a share of the records.
        further_texts: Unlabelled texts for word2vec.
        data: JSON-able; what the manifest shall say of where the records come from.
        with_baseline: Compare the network with a linear model on the held-out texts.
        segmenter: Who finds the words; see `Tokenizer`.
        make_page: Makes the bundle's page of what the training came to.
        watcher: Is told of the progress.

    Raises:
        UsageError: The labels, the settings or the vectors file will not do.
        BundleError: The path is in use, or the network reads its padding.
    """
    watcher = watcher or SilentWatcher()
    refuse_used(bundle_path)
    refuse_unready(config, with_baseline=with_baseline)
    with tempfile.TemporaryDirectory(prefix="saiten-train-", ignore_cleanup_errors=True) as name:
        folder, tokenizer = pathlib.Path(name), Tokenizer(config.tokenizer, segmenter)
        corpus = segment_corpus(records, validation, tokenizer, labels, folder, seed=config.seed, watcher=watcher)
        n_further, skipped = segment_texts(further_texts, tokenizer, folder / _FURTHER, watcher)
        further = {"further_texts": n_further, "further_skipped": dict(skipped)}
        trained = _train(
            corpus, labels, tokenizer, config, folder, {**further, **(data or {})}, watcher, with_baseline=with_baseline
        )
    watcher.begin("proving and writing the bundle", None)
    bundle = write_bundle(
        bundle_path,
        model=trained.model,
        encoder=trained.encoder,
        task=trained.task,
        outputs=trained.outputs,
        golden_texts=trained.golden_texts,
        training=trained.training,
        reference=trained.reference,
        training_page=make_page(trained.training, trained.held_out) if make_page else None,
    )
    return TrainingResult(bundle, trained.training)


def _train(
    corpus: SegmentedCorpus,
    labels: LabelReader,
    tokenizer: Tokenizer,
    config: TrainingConfig,
    folder: pathlib.Path,
    data: Mapping[str, Any],
    watcher: TrainingWatcher,
    *,
    with_baseline: bool,
) -> _Trained:
    targets = labels.targets(corpus.labels, corpus.n_records, config.loss)
    refuse_output_names(targets.outputs)
    watcher.say(loss_line(targets, others=isinstance(labels, NumberLabels)))
    if config.class_weight:
        refuse_class_weight(targets.task)
    split = split_corpus(corpus.keys, corpus.n_records, targets.values, targets.task, config.validation_fraction)
    refuse_untaught(targets, targets.values[split.training])
    watcher.say(split_line(split))
    if not split.is_share:  # texts that are held out on purpose stay unseen
        config = replace(config, refit_epochs=0)
    words = make_words(corpus, split.training, folder / _FURTHER, config, len(targets.outputs), watcher)
    encoder = Encoder(tokenizer, words.vocabulary, config.max_sequence_length, config.truncating)
    encoded = encode_corpus(corpus, targets.values, split, encoder, folder, watcher)
    model, fitted, held_out_scores = _train_network(words, encoded, targets, watcher)
    scores = _score(model, encoded, watcher)
    scores[encoded.held_out] = held_out_scores
    held_out = _held_out_scores(scores, encoded, targets)
    training = {
        "data": {**describe_corpus(corpus, split, encoded), **data},
        "words": words.counts,
        "settings": words.config.to_dict(),
        "labels": {"task": targets.task, "loss": targets.loss},
        "factors": fitted.factors.tolist(),
        "epochs": [asdict(report) for report in fitted.reports],
        "metrics": held_out.figures(np.arange(len(held_out.scores))) if held_out else None,
        "coverage": describe_coverage(corpus, encoded, words.vocabulary, words.config),
    }
    if with_baseline and encoded.held_out.any():
        watcher.begin("linear baseline", None)
        training["baseline"] = compare_network(corpus, encoded, targets, scores, config)
    reference = describe_training_data(scores, encoded.n_tokens, encoded.n_oov, encoded.held_out, targets.outputs)
    return _Trained(model, encoder, targets.task, targets.outputs, corpus.samples, training, reference, held_out)


def _train_network(
    words: Words, encoded: EncodedCorpus, targets: Targets, watcher: TrainingWatcher
) -> tuple[keras.Model, Fitted, DoubleArray]:
    """Returns the trained network as it is saved, and the held-out texts' scores before it learned from them."""
    config, n_outputs = words.config, len(targets.outputs)
    known = encoded.targets[~encoded.held_out]
    refuse_untaught(targets, known)  # anew: texts without a word of the vocabulary are gone
    weights = balanced_weights(targets.task, known, n_outputs) if config.class_weight else None
    mean, deviation = _standards(targets.task, known)
    start = start_of(targets.task, known, n_outputs)
    network = Network(config.network, words.embeddings, n_outputs, words.vocabulary.words, start, seed=config.seed)
    standardised = replace(encoded, targets=np.asarray((encoded.targets - mean) / deviation, np.float32))
    fitted = fit(network, standardised, PartsLoss(targets.task, targets.loss, weights), config, watcher)
    held_out_scores = _scores_of(fitted.held_out, targets.task, mean, deviation)
    return network.saved(targets.task, fitted.factors, mean, deviation), fitted, held_out_scores


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


def _score(model: keras.Model, encoded: EncodedCorpus, watcher: TrainingWatcher) -> FloatArray:
    """Returns the scores of all texts, float32 [n, outputs]."""
    engine, n = KerasEngine(model), len(encoded.targets)
    watcher.begin("scoring the training data", n)
    scores = []
    for start in range(0, n, _SCORE_TEXTS):
        scores.append(engine.score(*encoded.gather(np.arange(start, min(start + _SCORE_TEXTS, n)))))
        watcher.advance(len(scores[-1]))
    return np.concatenate(scores)


def _held_out_scores(scores: FloatArray, encoded: EncodedCorpus, targets: Targets) -> LabelledScores | None:
    chosen = encoded.held_out
    if not chosen.any():
        return None
    columns = (scores[chosen], encoded.targets[chosen], encoded.n_tokens[chosen], encoded.n_oov[chosen])
    return LabelledScores(targets.task, tuple(targets.outputs), *columns)
