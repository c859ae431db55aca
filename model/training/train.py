"""Labelled text to a bundle: segment, count, word2vec, network, bundle.

Importing this module imports TensorFlow.
"""

import pathlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
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
from saiten.model.text.ragged import FloatArray
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.training.config import TrainingConfig, refuse_unready
from saiten.model.training.corpus import (
    EncodedCorpus,
    LabelledText,
    SegmentedCorpus,
    encode_corpus,
    read_lines,
    segment_corpus,
    segment_texts,
)
from saiten.model.training.findings import compare_network, describe_corpus, describe_coverage
from saiten.model.training.held_out import refuse_untaught, split_corpus, split_line
from saiten.model.training.networks.learner import learn_with
from saiten.model.training.targets import (
    LabelReader,
    NumberLabels,
    Targets,
    loss_line,
    refuse_class_weight,
)
from saiten.model.training.watcher import SilentWatcher, TrainingWatcher
from saiten.model.training.words.make import find_vectors, find_words

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

    def lines() -> Iterable[str]:
        return chain(corpus.lines(split.training), read_lines(folder / _FURTHER))

    words = find_words(lines(), config, len(targets.outputs), watcher)
    encoder = Encoder(tokenizer, words.vocabulary, config.max_sequence_length, config.truncating)
    encoded = encode_corpus(corpus, targets.values, split, encoder, folder, watcher)
    learned = learn_with(lambda: find_vectors(words, lines, watcher), words, encoded, targets, watcher)
    scores = _score(learned.model, encoded, watcher)
    scores[encoded.held_out] = learned.held_out
    held_out = _held_out_scores(scores, encoded, targets)
    training = {
        "data": {**describe_corpus(corpus, split, encoded), **data},
        "words": words.described(learned.n_with_vector),
        "settings": words.config.to_dict(),
        "labels": {"task": targets.task, "loss": targets.loss},
        "factors": learned.factors.tolist(),
        "epochs": [asdict(report) for report in learned.reports],
        "metrics": held_out.figures(np.arange(len(held_out.scores))) if held_out else None,
        "coverage": describe_coverage(corpus, encoded, words.vocabulary, words.config),
    }
    if with_baseline and encoded.held_out.any():
        watcher.begin("linear baseline", None)
        training["baseline"] = compare_network(corpus, encoded, targets, scores, config)
    reference = describe_training_data(scores, encoded.n_tokens, encoded.n_oov, encoded.held_out, targets.outputs)
    return _Trained(
        learned.model, encoder, targets.task, targets.outputs, corpus.samples, training, reference, held_out
    )


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
