"""The vocabulary of a corpus and the vectors of its words."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from saiten.model.text.ragged import FloatArray
from saiten.model.text.vocabulary import PAD_WORD, Vocabulary
from saiten.model.training.config import TrainingConfig
from saiten.model.training.corpus import count_words
from saiten.model.training.recipes import settle
from saiten.model.training.watcher import TrainingWatcher
from saiten.model.training.words.embeddings import Sentences, train_word2vec
from saiten.model.training.words.word_vectors import read_dimensions, read_vectors


@dataclass(frozen=True)
class Words:
    """The words of a corpus.

    Attributes:
        vocabulary: With their ids.
        counts: How often each word occurs, those of the vocabulary and others.
        dimensions: Of their vectors.
        config: The settings, settled by the amount of text.
    """

    vocabulary: Vocabulary
    counts: Counter[str]
    dimensions: int
    config: TrainingConfig

    def described(self, n_with_vector: int) -> dict[str, int]:
        """Returns what the manifest says of them."""
        return {
            "tokens": self.counts.total(),
            "distinct": len(self.counts),
            "vocabulary": len(self.vocabulary),
            "with_vector": n_with_vector,
        }


def find_words(lines: Iterable[str], config: TrainingConfig, n_outputs: int, watcher: TrainingWatcher) -> Words:
    """Makes the vocabulary of segmented texts, those that are trained on and the further ones.

    Held-out texts have no part in it: their OOV rate is that of texts never seen.

    Args:
        lines: One space between tokens.
        config: How.
        n_outputs: Scores of a text.
        watcher: Is told of the progress.
    """
    watcher.begin("counting words", None)
    counts = count_words(lines)
    config = settle(config, counts.total(), n_outputs)
    vocabulary = Vocabulary.from_counts(counts, min_count=config.min_count or 1, size=config.vocabulary_size)
    if config.oov == "drop":
        vocabulary = Vocabulary([PAD_WORD, None, *vocabulary.words[2:]], None)
    dimensions = read_dimensions(config.vectors) if config.vectors else config.word2vec.dimensions
    return Words(vocabulary, counts, dimensions, config)


def find_vectors(words: Words, open_lines: Callable[[], Iterable[str]], watcher: TrainingWatcher) -> FloatArray:
    """Returns the vectors of the vocabulary, float32 [V, D], NaN where a word has none: a file's, or word2vec's.

    Args:
        words: Whose.
        open_lines: Gives the lines that they were found in anew, once a pass.
        watcher: Is told of the progress.
    """
    config = words.config
    if config.vectors:
        return read_vectors(config.vectors, words.vocabulary)
    return train_word2vec(Sentences(open_lines), words.vocabulary, words.counts, config.word2vec, config.seed, watcher)
