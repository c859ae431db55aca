"""Labelled text to a bundle: segment, count, word2vec, network, bundle.

Importing this module imports TensorFlow.
"""

import importlib.util
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import keras
import numpy as np

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.writer import refuse_used, write_bundle
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.errors import SaitenError, UsageError, missing_library
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.outputs import refuse_output_names
from saiten.model.text.encoder import Encoder
from saiten.model.text.ragged import FloatArray
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.text.vocabulary import PAD_WORD, Vocabulary
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import (
    EncodedCorpus,
    SegmentedCorpus,
    count_words,
    encode_corpus,
    read_lines,
    segment_corpus,
    segment_texts,
)
from saiten.model.training.embeddings import Sentences, fill_matrix, has_vector, train_word2vec
from saiten.model.training.fit import fit
from saiten.model.training.metrics import evaluate
from saiten.model.training.network import build_network
from saiten.model.training.reference import describe_training_data
from saiten.model.training.watcher import SilentWatcher, TrainingWatcher
from saiten.model.training.word_vectors import read_vectors

# Texts whose scores by Keras are compared with those of the training's own recurrence, and how far they may differ.
_COMPARED_TEXTS = 32
_COMPARED_TOLERANCE = 1e-5

# The segmented unlabelled texts, in the temporary folder.
_FURTHER = "further.txt"


@dataclass(frozen=True)
class _Trained:
    """All that a bundle is written from; see `write_bundle`."""

    model: keras.Model
    encoder: Encoder
    golden_texts: Sequence[str]
    training: dict[str, Any]
    reference: dict[str, Any]


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
    records: Iterable[tuple[str, Sequence[float]]],
    *,
    outputs: Sequence[str],
    bundle_path: pathlib.Path,
    config: TrainingConfig,
    further_texts: Iterable[str] = (),
    data: Mapping[str, Any] | None = None,
    watcher: TrainingWatcher | None = None,
) -> TrainingResult:
    """Trains a network on labelled text and writes it as a bundle.

    The same records, configuration and machine give the same vocabulary and the same scores.

    Args:
        records: Texts with their labels, as many as `outputs`. Read once, one at a time: the text
            goes to a temporary folder, about as large as itself, and is never held in memory.
        outputs: Names of the labels, and of the scores.
        bundle_path: A directory that does not exist, or is empty.
        config: All settings.
        further_texts: Unlabelled texts for word2vec.
        data: JSON-able; what the manifest shall say of where the records come from.
        watcher: Is told of the progress.

    Raises:
        UsageError: The labels, the settings or the vectors file will not do.
        BundleError: The path is in use, or the network reads its padding.
    """
    watcher = watcher or SilentWatcher()
    refuse_used(bundle_path)
    refuse_output_names(outputs)
    _refuse_missing("scipy")
    if config.vectors is None:
        _refuse_missing("gensim", ", or give ready --vectors")
    elif not config.vectors.is_file():
        raise UsageError(f"There are no vectors at {config.vectors}.")
    with tempfile.TemporaryDirectory(prefix="saiten-train-", ignore_cleanup_errors=True) as folder:
        trained = _train(records, further_texts, outputs, config, data or {}, pathlib.Path(folder), watcher)
    watcher.begin("proving and writing the bundle", None)
    bundle = write_bundle(
        bundle_path,
        model=trained.model,
        encoder=trained.encoder,
        outputs=outputs,
        golden_texts=trained.golden_texts,
        training=trained.training,
        reference=trained.reference,
    )
    return TrainingResult(bundle, trained.training)


def _refuse_missing(library: str, instead: str = "") -> None:
    """Refuses to train for hours without a library that the end needs."""
    if importlib.util.find_spec(library) is None:
        raise missing_library(library, "train", instead)


def _train(
    records: Iterable[tuple[str, Sequence[float]]],
    further_texts: Iterable[str],
    outputs: Sequence[str],
    config: TrainingConfig,
    data: Mapping[str, Any],
    folder: pathlib.Path,
    watcher: TrainingWatcher,
) -> _Trained:
    tokenizer = Tokenizer(config.tokenizer)
    corpus, further = _segment(records, further_texts, len(outputs), tokenizer, config, folder, watcher)
    vocabulary, embeddings, words = make_embeddings(corpus, folder / _FURTHER, config, watcher)
    encoder = Encoder(tokenizer, vocabulary, config.max_sequence_length, config.truncating)
    encoded = encode_corpus(corpus, encoder, folder, watcher)
    model, scores, epochs = _train_network(embeddings, encoded, config, watcher)
    training = {
        "data": {**_describe_corpus(corpus, encoded), **further, **data},
        "words": words,
        "settings": config.to_dict(),
        "epochs": epochs,
        "metrics": _held_out_metrics(scores, encoded, outputs),
    }
    reference = describe_training_data(scores, encoded.n_tokens, encoded.n_oov, outputs)
    return _Trained(model, encoder, corpus.samples, training, reference)


def _segment(
    records: Iterable[tuple[str, Sequence[float]]],
    further_texts: Iterable[str],
    n_outputs: int,
    tokenizer: Tokenizer,
    config: TrainingConfig,
    folder: pathlib.Path,
    watcher: TrainingWatcher,
) -> tuple[SegmentedCorpus, dict[str, Any]]:
    """Returns the corpus, and what the manifest says of the further texts."""
    corpus = segment_corpus(
        records,
        tokenizer,
        folder,
        n_outputs=n_outputs,
        validation_fraction=config.validation_fraction,
        seed=config.seed,
        watcher=watcher,
    )
    n_further, skipped = segment_texts(further_texts, tokenizer, folder / _FURTHER, watcher)
    return corpus, {"further_texts": n_further, "further_skipped": dict(skipped)}


def _train_network(
    embeddings: FloatArray, encoded: EncodedCorpus, config: TrainingConfig, watcher: TrainingWatcher
) -> tuple[keras.Model, FloatArray, list[dict[str, Any]]]:
    """Returns the trained network, its scores of all texts, and the epochs."""
    keras.utils.set_random_seed(config.seed)
    model = build_network(config.network, embeddings, config.units, encoded.labels.shape[1])
    refuse_unserved(graph_of(model))
    scores, epochs = fit(model, encoded, config, watcher)
    _refuse_difference(model, encoded, scores)
    return model, scores, epochs


def make_embeddings(
    corpus: SegmentedCorpus, further: pathlib.Path, config: TrainingConfig, watcher: TrainingWatcher
) -> tuple[Vocabulary, FloatArray, dict[str, int]]:
    """Makes the vocabulary and its embedding matrix of the training texts and the further ones.

    Held-out texts have no part in it: their OOV rate is that of texts never seen.

    Returns:
        The vocabulary, float32 [V, D], and counts for the manifest.
    """
    watcher.begin("counting words", None)
    counts = count_words(chain(corpus.training_lines(), read_lines(further)))
    vocabulary = Vocabulary.from_counts(counts, min_count=config.min_count, size=config.vocabulary_size)
    if config.oov == "drop":
        vocabulary = Vocabulary([PAD_WORD, None, *vocabulary.words[2:]], None)
    if config.vectors:
        vectors = read_vectors(config.vectors, vocabulary)
    else:
        sentences = Sentences(lambda: chain(corpus.training_lines(), read_lines(further)))
        vectors = train_word2vec(sentences, vocabulary, counts, config.word2vec, config.seed, watcher)
    words = {
        "tokens": counts.total(),
        "distinct": len(counts),
        "vocabulary": len(vocabulary),
        "with_vector": int(has_vector(vectors).sum()),
    }
    return vocabulary, fill_matrix(vectors), words


def _held_out_metrics(scores: FloatArray, encoded: EncodedCorpus, outputs: Sequence[str]) -> dict[str, Any] | None:
    held_out = encoded.held_out
    return evaluate(scores[held_out], encoded.labels[held_out], outputs) if held_out.any() else None


def _describe_corpus(corpus: SegmentedCorpus, encoded: EncodedCorpus) -> dict[str, Any]:
    return {
        "texts": len(corpus.labels),
        "used": len(encoded.labels),
        "held_out": int(encoded.held_out.sum()),
        "skipped": corpus.skipped,
        "tokens": int(encoded.n_tokens.sum(dtype=np.int64)),
    }


def _refuse_difference(model: keras.Model, encoded: EncodedCorpus, scores: FloatArray) -> None:
    """Stops where Keras does not give the scores that were trained: the model would not be what was evaluated."""
    rows = np.unique(np.linspace(0, len(scores) - 1, _COMPARED_TEXTS).astype(np.int64))
    by_keras = KerasEngine(model).score(*encoded.gather(rows))
    difference = float(np.max(np.abs(by_keras - scores[rows]) / np.maximum(1, np.abs(by_keras))))
    if not difference <= _COMPARED_TOLERANCE:
        raise SaitenError(
            f"Keras' scores of the trained model differ by {difference:.1e} from those of its training, "
            f"above {_COMPARED_TOLERANCE:.0e}; no bundle was written."
        )
