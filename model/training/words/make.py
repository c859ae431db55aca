"""The vocabulary of a corpus and the vectors of its words."""

import pathlib
from dataclasses import dataclass
from itertools import chain

from saiten.model.text.ragged import BoolArray, FloatArray
from saiten.model.text.vocabulary import PAD_WORD, Vocabulary
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import SegmentedCorpus, count_words, read_lines
from saiten.model.training.recipes import settle
from saiten.model.training.watcher import TrainingWatcher
from saiten.model.training.words.embeddings import Sentences, fill_matrix, has_vector, train_word2vec
from saiten.model.training.words.word_vectors import read_vectors


@dataclass(frozen=True)
class Words:
    """The words of a corpus.

    Attributes:
        vocabulary: With their ids.
        embeddings: float32 [V, D].
        counts: For the manifest: `tokens`, `distinct` words, those in the `vocabulary`, those `with_vector`.
        config: The settings, settled by the amount of text.
    """

    vocabulary: Vocabulary
    embeddings: FloatArray
    counts: dict[str, int]
    config: TrainingConfig


def make_words(
    corpus: SegmentedCorpus,
    training: BoolArray,
    further: pathlib.Path,
    config: TrainingConfig,
    n_outputs: int,
    watcher: TrainingWatcher,
) -> Words:
    """Makes the vocabulary of the training texts and the further ones, and their vectors.

    Held-out texts have no part in it: their OOV rate is that of texts never seen.

    Args:
        corpus: The labelled texts.
        training: bool [n], those that are trained on.
        further: The further texts, segmented.
        config: How.
        n_outputs: Scores of a text.
        watcher: Is told of the progress.
    """
    watcher.begin("counting words", None)
    counts = count_words(chain(corpus.lines(training), read_lines(further)))
    config = settle(config, counts.total(), n_outputs)
    vocabulary = Vocabulary.from_counts(counts, min_count=config.min_count or 1, size=config.vocabulary_size)
    if config.oov == "drop":
        vocabulary = Vocabulary([PAD_WORD, None, *vocabulary.words[2:]], None)
    if config.vectors:
        vectors = read_vectors(config.vectors, vocabulary)
    else:
        sentences = Sentences(lambda: chain(corpus.lines(training), read_lines(further)))
        vectors = train_word2vec(sentences, vocabulary, counts, config.word2vec, config.seed, watcher)
    described = {
        "tokens": counts.total(),
        "distinct": len(counts),
        "vocabulary": len(vocabulary),
        "with_vector": int(has_vector(vectors).sum()),
    }
    return Words(vocabulary, fill_matrix(vectors), described, config)
