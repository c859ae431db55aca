"""The commonest words that a model does not know, in memory that does not grow with the texts."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from saiten.model.text.ragged import IntArray

_MAX_WORDS = 4_096
# What is longer is no word: an address, a run of one character.
_MAX_CHARACTERS = 40


def count_oov_words(oov_tokens: pa.Array, n_oov: IntArray) -> dict[str, int]:
    """Returns in how many of some texts each OOV word stands.

    Args:
        oov_tokens: The texts' OOV tokens end to end, strings.
        n_oov: int32 [n], how many of them each text has.
    """
    if not len(oov_tokens):
        return {}
    encoded = oov_tokens.dictionary_encode()
    n_words = len(encoded.dictionary)
    texts = np.repeat(np.arange(len(n_oov), dtype=np.int64), n_oov)
    words_of_texts = np.unique(texts * n_words + np.asarray(encoded.indices, np.int64))
    n_texts = np.bincount(words_of_texts % n_words, minlength=n_words).tolist()
    counted = zip(encoded.dictionary.to_pylist(), n_texts, strict=True)
    return {word: n for word, n in counted if len(word) <= _MAX_CHARACTERS}


def add_words(counts: Counter[str], more: Mapping[str, int]) -> Counter[str]:
    """Returns the words of both with their counts added up.

    Where there are too many the rarest are dropped. So a count is the least that there can be; a word that is
    common everywhere is never among those.
    """
    counts.update(more)
    return Counter(commonest_words(counts, _MAX_WORDS)) if len(counts) > 2 * _MAX_WORDS else counts


def commonest_words(counts: Mapping[str, int], most: int, least_texts: int = 1) -> dict[str, int]:
    """Returns the `most` commonest words, of those as common the first by code point.

    Args:
        least_texts: Words of fewer texts are left out.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {word: n for word, n in ranked[:most] if n >= least_texts}
