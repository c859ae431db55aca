"""Gives the ids that texts ask for most the first numbers, so that the costs between them lie close together.

The matrix has 71 MB in unidic-lite, each row of it three pages; nine in ten questions are about 256 of 5,981 ids.
"""

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.text.ragged import Int64Array
from saiten.model.text.segmenter.lookup import decode, find_words
from saiten.model.text.segmenter.tables import LAST_SHIFT, MASK, N_HOT, RIGHT_SHIFT, ByteArray, Tables, Work


@compiled(fast=False)
def count_ids(tables: Tables, work: Work, text: ByteArray, left_uses: Int64Array, right_uses: Int64Array) -> None:
    """Counts the ids of all words that begin somewhere in a text."""
    # The text may end within a character, of which nothing behind the last byte is read.
    place, end = 0, text.shape[0] - 3
    while place < end:
        code, length = decode(text, place)
        n = min(find_words(tables, text, place, end, code, length, work), work.found.shape[0])
        for i in range(n):
            entry = work.found[np.uint64(i), 0] >> np.uint64(32)
            while True:
                word = tables.words[entry]
                left_uses[word & np.uint64(MASK)] += 1
                right_uses[word >> np.uint64(RIGHT_SHIFT) & np.uint64(MASK)] += 1
                if word >> np.uint64(LAST_SHIFT) & np.uint64(1):
                    break
                entry += np.uint64(1)
        place += length


def no_uses(tables: Tables) -> tuple[Int64Array, Int64Array]:
    """Returns zeros, int64 [left ids] and int64 [right ids], to count in."""
    return np.zeros(len(tables.left_ids), np.int64), np.zeros(len(tables.right_ids), np.int64)


def renumber(tables: Tables, work: Work, text: ByteArray) -> Tables:
    """Returns tables by other numbers, from the same words, which are changed in place; the tokens are the same.

    Args:
        text: uint8, texts like those to come, end to end; they need not be whole.
    """
    n_left, n_right = len(tables.left_ids), len(tables.right_ids)
    left_uses, right_uses = no_uses(tables)
    count_ids(tables, work, text, left_uses, right_uses)
    left_uses[0] = right_uses[0] = len(text) * MASK  # stands before and behind each text, and stays number 0
    left_ids, right_ids = (np.argsort(-uses, kind="stable") for uses in (left_uses, right_uses))
    numbers = [np.argsort(ids).astype(np.uint64) for ids in (left_ids, right_ids)]
    words = tables.words
    rest = words & ~np.uint64(0xFFFFFFFF)
    words[:] = (
        rest
        | numbers[0][words & np.uint64(MASK)]
        | numbers[1][words >> np.uint64(RIGHT_SHIFT) & np.uint64(MASK)] << np.uint64(RIGHT_SHIFT)
    )
    hot = np.zeros((N_HOT, N_HOT), np.int16)
    part = tables.costs.reshape(n_left, n_right)[np.ix_(left_ids[:N_HOT], right_ids[:N_HOT])]
    hot[: part.shape[0], : part.shape[1]] = part
    return tables._replace(hot=hot.ravel(), left_ids=left_ids.astype(np.uint16), right_ids=right_ids.astype(np.uint16))
