"""What the search reads, as arrays that lie as the kernels want them."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Uint64Array = npt.NDArray[np.uint64]
Uint32Array = npt.NDArray[np.uint32]
Int16Array = npt.NDArray[np.int16]
ByteArray = npt.NDArray[np.uint8]

# What a kernel makes of an integer. Only an unsigned index is taken as it is, a signed one may count from the end.
signed: Any = np.int64
unsigned: Any = np.uint64

# A word's ids and its cost in one number, as a dictionary's own entry begins, with a mark where a surface's last is.
#   bits 0-15 left id, 16-31 right id, 32 last of its surface, 48-63 cost
RIGHT_SHIFT, LAST_SHIFT, COST_SHIFT = 16, 32, 48
MASK = 0xFFFF
# How many ids have the costs between them close together; see `renumbering`.
N_HOT = 1_024


class Tables(NamedTuple):
    """A dictionary.

    Attributes:
        system: uint64 [units], the double array of the system dictionary: base below, check above.
        user: The same of the user dictionary; of length 0 where there is none.
        words: uint64 [words], entries of the system dictionary, of the user dictionary, of the unknown words.
        user_start: Where the user dictionary's begin.
        unknown_start: Where those of unknown words begin.
        unknown: int32 [categories], the first entry of each category of characters.
        characters: uint32 [65,536], what `char.bin` says of each code point.
        costs: int16 [left ids * right ids], the matrix: the right id of the word before varies fastest.
        n_right: How many right ids there are.
        hot: int16 [N_HOT * N_HOT], or empty: the costs between the ids that are asked for most, together.
        left_ids: uint16 [left ids], the dictionary's own id of each number that `words` hold.
        right_ids: uint16 [right ids], so too.
        space: What `char.bin` says of the space.
    """

    system: Uint64Array
    user: Uint64Array
    words: Uint64Array
    user_start: int
    unknown_start: int
    unknown: npt.NDArray[np.int32]
    characters: Uint32Array
    costs: Int16Array
    n_right: int
    hot: Int16Array
    left_ids: npt.NDArray[np.uint16]
    right_ids: npt.NDArray[np.uint16]
    space: int


class Work(NamedTuple):
    """What the search writes on its way; made once, for one thread at a time.

    Attributes:
        heads: int32, the node that ends at a byte of the text and was put in last, or -1.
        keys: int64, of each node: the cost of the best way up to it above, the node before it below.
        links: int64, of each node: the next that ends where it does above, its right id below.
        spans: int64, of each node: the first entry of its surface, where it begins, where it ends.
        left_nodes: int32, the nodes that end at the position, the one that wins among equals first.
        left_keys: int64, of each of them: cost above, place in that list below; cold ones from the end of the row.
        left_ids: uint32, their right ids.
        stamps: int64 [left ids], when the best way to words with this left id was last computed.
        best: int64 [left ids], that best way, as in `left_keys`.
        found: uint64 [n, 2], the words that begin at the position: first entry above, end below; and that entry.
    """

    heads: npt.NDArray[np.int32]
    keys: npt.NDArray[np.int64]
    links: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    left_keys: npt.NDArray[np.int64]
    left_ids: Uint32Array
    left_nodes: npt.NDArray[np.int32]
    stamps: npt.NDArray[np.int64]
    best: npt.NDArray[np.int64]
    found: Uint64Array
