"""The cheapest way through a text, word by word: Viterbi's search, with MeCab's choice among equals."""

import numpy as np
import numpy.typing as npt

from saiten.model.compiled import compiled
from saiten.model.text.ragged import Int64Array
from saiten.model.text.segmenter.lookup import find_words, skip_spaces
from saiten.model.text.segmenter.tables import (
    COST_SHIFT,
    LAST_SHIFT,
    MASK,
    N_HOT,
    RIGHT_SHIFT,
    ByteArray,
    Tables,
    Work,
    signed,
    unsigned,
)

# A path's cost fits 32 bits in a text of that many bytes, and a place in it 16.
MAX_BYTES = 32_767
GAVE_UP = -1
_NONE = -1
_LEFT_BITS = 16
_NO_WAY = 2**62


@compiled(fast=False, inlined=True)
def _gather_left(tables: Tables, work: Work, place: int) -> tuple[int, int]:
    """Copies the nodes that end at a place into a row; returns how many there are, and how many of them are hot."""
    node = signed(work.heads[unsigned(place)])
    n = n_hot = 0
    most = work.left_keys.shape[0]
    n_hot_ids = N_HOT if tables.hot.shape[0] else 0
    while node != _NONE and n < most:
        link = work.links[unsigned(node)]
        right_id = link & MASK
        if right_id < n_hot_ids:
            k = unsigned(n_hot)
            n_hot += 1
        else:
            k = unsigned(most - 1 - n + n_hot)
        work.left_keys[k] = (work.keys[unsigned(node)] >> 32) << _LEFT_BITS | n
        work.left_ids[k] = right_id
        work.left_nodes[unsigned(n)] = node
        node = link >> 32
        n += 1
    if n + 4 < most:
        for k in range(unsigned(n_hot), unsigned(n_hot + 3)):  # _best_left takes four at once
            work.left_keys[k] = _NO_WAY
            work.left_ids[k] = 0
    return n, n_hot


@compiled(fast=False, inlined=True)
def _best_cold(tables: Tables, work: Work, left_id: int, begin: int, n_left: int, n_hot: int) -> int:
    """Returns the least among nodes from `begin` on, from the whole matrix."""
    best = _NO_WAY
    row = unsigned(tables.left_ids[unsigned(left_id)]) * unsigned(tables.n_right)
    behind = unsigned(work.left_keys.shape[0] - 1 + n_hot)
    for i in range(begin, n_left):
        k = i if i < unsigned(n_hot) else behind - i
        right_id = unsigned(tables.right_ids[unsigned(work.left_ids[k])])
        cost = signed(tables.costs[row + right_id])
        best = min(best, work.left_keys[k] + (cost << _LEFT_BITS))
    return best


@compiled(fast=False, inlined=True)
def _best_left(tables: Tables, work: Work, left_id: int, n_left: int, n_hot: int) -> int:
    """Returns the least of cost and place in the list, in one number."""
    best = _NO_WAY
    begin = unsigned(0)
    if left_id < N_HOT and tables.hot.shape[0]:
        row = unsigned(left_id) * unsigned(N_HOT)
        k = unsigned(0)
        while k < unsigned(n_hot):
            one = work.left_keys[k] + (signed(tables.hot[row + unsigned(work.left_ids[k])]) << _LEFT_BITS)
            k += unsigned(1)
            two = work.left_keys[k] + (signed(tables.hot[row + unsigned(work.left_ids[k])]) << _LEFT_BITS)
            k += unsigned(1)
            three = work.left_keys[k] + (signed(tables.hot[row + unsigned(work.left_ids[k])]) << _LEFT_BITS)
            k += unsigned(1)
            four = work.left_keys[k] + (signed(tables.hot[row + unsigned(work.left_ids[k])]) << _LEFT_BITS)
            k += unsigned(1)
            best = min(best, one, two, three, four)
        begin = unsigned(n_hot)
    if begin < unsigned(n_left):
        best = min(best, _best_cold(tables, work, left_id, begin, unsigned(n_left), n_hot))
    return best


@compiled(fast=False, inlined=True)
def _connect(
    tables: Tables, work: Work, begin: int, n_left: int, n_hot: int, n_found: int, n_nodes: int, stamp: int
) -> int:
    """Adds a node for each entry of the words that were found; returns how many there are now, or `_NONE`.

    The last found is put in first: of those that end at one place MeCab asks the latest begun first, and of those
    the first found.
    """
    for i in range(n_found - 1, -1, -1):
        found = work.found[unsigned(i), 0]
        word = work.found[unsigned(i), 1]
        first = signed(found >> unsigned(32))
        end = found & unsigned(MASK)
        entry = unsigned(first)
        while True:
            if n_nodes == work.keys.shape[0]:
                return _NONE
            left_id = word & unsigned(MASK)
            if work.stamps[left_id] != stamp:
                work.stamps[left_id] = stamp
                work.best[left_id] = _best_left(tables, work, left_id, n_left, n_hot)
            best = work.best[left_id]
            cost = (best >> _LEFT_BITS) + (signed(word) >> COST_SHIFT)
            node = unsigned(n_nodes)
            work.keys[node] = cost << 32 | signed(work.left_nodes[unsigned(best & MASK)])
            right_id = signed(word >> unsigned(RIGHT_SHIFT)) & MASK
            work.links[node] = signed(work.heads[end]) << 32 | right_id
            work.spans[node] = signed(first) << 32 | begin << 16 | signed(end)
            work.heads[end] = n_nodes
            n_nodes += 1
            if word >> unsigned(LAST_SHIFT) & unsigned(1):
                break
            entry += unsigned(1)
            word = tables.words[entry]
    return n_nodes


@compiled(fast=False, inlined=True)
def _walk_back(work: Work, last: int, tokens: npt.NDArray[np.int32]) -> int:
    n = 0
    node = last
    while node != 0:
        n += 1
        node = work.keys[node] & 0xFFFFFFFF
    node = last
    for i in range(n - 1, -1, -1):
        span = work.spans[node]
        tokens[i, 0] = span >> 16 & MASK
        tokens[i, 1] = span & MASK
        tokens[i, 2] = span >> 32
        node = work.keys[node] & 0xFFFFFFFF
    return n


@compiled(fast=False, inlined=True)
def _search(tables: Tables, work: Work, text: ByteArray, stamp: int) -> tuple[int, int]:
    """Returns the last node of the best way, or `_NONE` beyond what is prepared for, and the stamp used last."""
    end = text.shape[0]
    work.heads[: end + 1] = _NONE
    work.heads[0] = 0
    work.keys[0] = 0
    work.links[0] = signed(_NONE) << 32  # right id 0
    n_nodes = 1
    for place in range(end):
        if work.heads[unsigned(place)] == _NONE:
            continue
        n_left, n_hot = _gather_left(tables, work, place)
        begin, code, length = skip_spaces(tables, text, place, end)
        if begin == end:
            continue
        n_found = find_words(tables, text, begin, end, code, length, work)
        if n_left + 4 >= work.left_keys.shape[0] or n_found > work.found.shape[0]:
            return _NONE, stamp
        stamp += 1
        n_nodes = _connect(tables, work, begin, n_left, n_hot, n_found, n_nodes, stamp)
        if n_nodes == _NONE:
            return _NONE, stamp
    place = end
    while work.heads[place] == _NONE:
        place -= 1
    n_left, n_hot = _gather_left(tables, work, place)
    if n_left + 4 >= work.left_keys.shape[0]:
        return _NONE, stamp
    best = _best_left(tables, work, 0, n_left, n_hot)
    return signed(work.left_nodes[best & MASK]), stamp


@compiled(fast=False)
def segment_block(
    tables: Tables,
    work: Work,
    text: ByteArray,
    offsets: Int64Array,
    tokens: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int32],
) -> int:
    """Segments texts that lie end to end.

    Args:
        text: uint8 [total], valid UTF-8.
        offsets: int64 [n + 1].
        tokens: int32 [at least total, 3], what is written: begin and end in its text, first entry of the word.
        counts: int32 [n], what is written: each text's tokens, or `GAVE_UP`.

    Returns:
        How many tokens there are.
    """
    n_tokens = 0
    work.stamps[:] = 0
    stamp = 0
    for i in range(counts.shape[0]):
        begin, end = offsets[i], offsets[i + 1]
        last = _NONE
        if end - begin <= MAX_BYTES:
            last, stamp = _search(tables, work, text[begin:end], stamp)
        if last == _NONE:
            counts[i] = GAVE_UP
        else:
            counts[i] = _walk_back(work, last, tokens[n_tokens:])
            n_tokens += counts[i]
    return n_tokens
