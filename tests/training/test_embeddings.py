"""Word vectors: exactly the vocabulary's, the same for the same seed, and what fills the gaps."""

import os
import subprocess
import sys
from collections.abc import Iterable

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.config import Word2VecConfig
from saiten.model.training.corpus import count_words
from saiten.model.training.watcher import SilentWatcher
from saiten.model.training.words.embeddings import (
    Sentences,
    centre,
    fill_matrix,
    has_vector,
    train_word2vec,
)

LINES = ["良い 店 だ", "悪い 店 だ", "良い 味 だ 。"] * 20
CONFIG = Word2VecConfig(dimensions=5, epochs=2)


def _train(lines: Iterable[str] = LINES, seed: int = 7) -> tuple[Vocabulary, FloatArray]:
    kept = list(lines)
    counts = count_words(kept)
    vocabulary = Vocabulary.from_counts(counts, min_count=30)
    return vocabulary, train_word2vec(Sentences(lambda: kept), vocabulary, counts, CONFIG, seed, SilentWatcher())


def test_every_word_of_the_vocabulary_and_nothing_else_gets_a_vector() -> None:
    vocabulary, vectors = _train()
    assert vocabulary.words == ["<pad>", "<oov>", "だ", "店", "良い"]
    assert vectors.shape == (5, 5)
    assert has_vector(vectors).tolist() == [False, False, True, True, True]


def test_trained_vectors_are_centred_and_of_one_scale() -> None:
    """Few texts give vectors that are nearly all the same, of which a network learns nothing."""
    vectors = _train()[1][2:]
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-7)
    assert np.sqrt(np.mean(np.square(vectors))) == pytest.approx(0.2)
    np.testing.assert_array_equal(centre(np.ones((1, 3), np.float32), 0.2), np.zeros((1, 3)))


def test_the_seed_decides_the_vectors() -> None:
    np.testing.assert_array_equal(_train()[1], _train()[1])
    assert np.nanmax(np.abs(_train()[1] - _train(seed=8)[1])) > 0.01


@pytest.mark.thorough
def test_pythons_hash_seed_does_not_change_the_vectors() -> None:
    code = "from tests.training.test_embeddings import _train; print(_train()[1].tobytes().hex())"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] == _train()[1].tobytes().hex() + "\n"


def test_long_texts_reach_gensim_whole() -> None:
    """gensim reads only the first 10,000 words of a text."""
    sentences = Sentences(lambda: ["a " * 25_000 + "b", "c"])
    assert [len(words) for words in sentences] == [10_000, 10_000, 5_001, 1]
    assert [len(words) for words in sentences] == [10_000, 10_000, 5_001, 1]


def test_words_without_a_vector_get_the_mean_and_padding_gets_zero() -> None:
    nan = np.nan
    vectors = np.array([[nan, nan], [nan, nan], [1, 2], [3, 6], [nan, nan]], np.float32)
    matrix = fill_matrix(vectors)
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[0, 0], [2, 4], [1, 2], [3, 6], [2, 4]]


def test_vectors_for_none_of_the_words_are_refused() -> None:
    with pytest.raises(UsageError, match="None of the vocabulary's words has a vector"):
        fill_matrix(np.full((3, 2), np.nan, np.float32))


def test_an_empty_vocabulary_is_refused_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="give a smaller --min_count"):
        _train(["一 度 だけ"])


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="Word2vec's epochs must be 1 or more, not 0"):
        Word2VecConfig(epochs=0)
