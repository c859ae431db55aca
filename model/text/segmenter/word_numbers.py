"""The dictionary's number of a word to the vocabulary's id, by one access to an array."""

from collections.abc import Sequence

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.text.ragged import NOT_FOUND, Int64Array, IntArray, offsets_of
from saiten.model.text.segmenter.lookup import find_word
from saiten.model.text.segmenter.segmenter import Segmented
from saiten.model.text.segmenter.tables import ByteArray, Tables, Uint64Array


class WordNumbers:
    """The ids of the words of a dictionary.

    Args:
        tables: The dictionary.
        words: Word by id; None where an id has no word.
    """

    def __init__(self, tables: Tables, words: Sequence[str | None]) -> None:
        encoded = [(word or "").encode() for word in words]
        text, offsets = np.frombuffer(b"".join(encoded), np.uint8), offsets_of([len(word) for word in encoded])
        self._unknown_start = tables.unknown_start
        self._ids = np.full(len(tables.words), NOT_FOUND, np.int32)
        _number_words(tables.system, text, offsets, self._ids)
        if len(tables.user):
            _number_words(tables.user, text, offsets, self._ids[tables.user_start :])

    def ids_of(self, found: Segmented) -> tuple[IntArray, Int64Array]:
        """Returns an id for each token, `NOT_FOUND` where the vocabulary has none, and which are in no dictionary."""
        numbers = found.tokens[:, 2]
        return self._ids[numbers], np.flatnonzero(numbers >= self._unknown_start)


@compiled(fast=False)
def _number_words(units: Uint64Array, text: ByteArray, offsets: Int64Array, ids: IntArray) -> None:
    for i in range(offsets.shape[0] - 1):
        entry = find_word(units, text[offsets[i] : offsets[i + 1]])
        if entry >= 0:
            ids[entry] = i
