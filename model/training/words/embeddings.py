"""Word vectors and the embedding matrix. The only module that imports gensim."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray
from saiten.model.text.segmented import tokens_of
from saiten.model.text.vocabulary import PAD_ID, Vocabulary
from saiten.model.training.config import Word2VecConfig
from saiten.model.training.watcher import TrainingWatcher

# gensim reads only the first 10,000 words of a text and says nothing (MAX_WORDS_IN_BATCH).
_MAX_SENTENCE_WORDS = 10_000


class Sentences:
    """Segmented texts as gensim wants them: lists of words, as often as asked for, none too long.

    Args:
        open_lines: Gives the texts anew, one space between tokens; called once a pass.
    """

    def __init__(self, open_lines: Callable[[], Iterable[str]]) -> None:
        self._open_lines = open_lines

    def __iter__(self) -> Iterator[list[str]]:
        for line in self._open_lines():
            words = tokens_of(line)
            for start in range(0, len(words), _MAX_SENTENCE_WORDS):
                yield words[start : start + _MAX_SENTENCE_WORDS]


def train_word2vec(
    sentences: Iterable[list[str]],
    vocabulary: Vocabulary,
    counts: Mapping[str, int],
    config: Word2VecConfig,
    seed: int,
    watcher: TrainingWatcher,
) -> FloatArray:
    """Trains vectors for exactly the vocabulary's words, float32 [V, D]; rows 0 and OOV are NaN.

    One worker: with more, their order decides the vectors. `PYTHONHASHSEED` plays no part since
    gensim 4, which draws the first vectors from NumPy's generator; words come in our order.

    Args:
        sentences: Can be iterated again and again.
        counts: How often each word occurs in them.
        config: Settled: it says how many epochs.
        seed: Of the first vectors and of the sampling; at least 0, below 2**32.
        watcher: Is told of every epoch.
    """
    from gensim.models import Word2Vec

    if not vocabulary.ids:
        raise UsageError("No word is frequent enough for the vocabulary; give a smaller --min_count.")
    epochs = config.epochs or 1
    watcher.begin("word2vec", epochs)
    model = Word2Vec(
        vector_size=config.dimensions,
        window=config.context_window,
        sg=int(config.skip_gram),
        seed=seed,
        min_count=1,
        workers=1,
    )
    ordered = sorted(vocabulary.ids, key=vocabulary.ids.__getitem__)
    model.build_vocab_from_freq({word: counts[word] for word in ordered})
    callbacks = [_epoch_callback(watcher)]
    model.train(sentences, total_words=sum(counts.values()), epochs=epochs, callbacks=callbacks)
    vectors = np.full((len(vocabulary), config.dimensions), np.nan, np.float32)
    vectors[[vocabulary.ids[word] for word in ordered]] = centre(model.wv[ordered], config.size)
    return vectors


def _epoch_callback(watcher: TrainingWatcher) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class _TellEpoch(CallbackAny2Vec):
        def on_epoch_end(self, model: Any) -> None:
            watcher.advance(1)

    return _TellEpoch()


def centre(vectors: FloatArray, root_mean_square: float) -> FloatArray:
    """Moves vectors, float32 [n, D], so that their mean is zero, and scales them all to one size.

    What all words have in common tells none from another, and on small corpora it is nearly all
    there is: without this a few hundred texts taught the network nothing. (Mu and Viswanath, 2018,
    "All-but-the-Top", find the same for large corpora.) A few hundred texts alone give vectors of a
    hundredth of the size that millions of words give.
    """
    moved = vectors - vectors.mean(axis=0, dtype=np.float64)
    size = float(np.sqrt(np.mean(np.square(moved))))
    return np.asarray(moved * (root_mean_square / size if size else 1.0), np.float32)


def has_vector(vectors: FloatArray) -> npt.NDArray[np.bool_]:
    """Returns which words have a vector, bool [V]: the others' rows are NaN."""
    return np.asarray(~np.isnan(vectors).any(axis=1), np.bool_)


def fill_matrix(vectors: FloatArray) -> FloatArray:
    """Makes the embedding matrix of vectors with NaN rows, float32 [V, D].

    Row 0, the padding, is zero: it is masked and never read. The OOV word, and words without a
    vector, get the mean of all vectors: what is known of a word of which nothing is known. Zero would
    be a direction of its own where the vectors of a file are not centred.

    Raises:
        UsageError: No word has a vector.
    """
    known = has_vector(vectors)
    if not known.any():
        raise UsageError("None of the vocabulary's words has a vector: do vectors and text fit together?")
    matrix = np.where(known[:, None], vectors, vectors[known].mean(axis=0, dtype=np.float64)).astype(np.float32)
    matrix[PAD_ID] = 0
    return matrix
