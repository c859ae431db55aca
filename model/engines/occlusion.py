"""Which tokens made a score: each is left out in turn, and the text is scored again without it.

Left out, not put out: the sequence is one id shorter, as if the token had never stood there. A token replaced by
padding inside the sequence would be something else: the model skips it, but Keras' mask and engines without padding
need not agree on a hole, and no text that is ever scored has one.
"""

import numpy as np

from saiten.model.engines.engine import Engine
from saiten.model.text.ragged import DoubleArray, Int64Array, IntArray, offsets_of

# A text is scored again at most so often: in a longer one neighbours are left out together.
_MOST_VARIANTS = 1_000
_IDS_AT_ONCE = 1_000_000


def group_size(n_ids: int) -> int:
    """Returns how many neighbours are left out together in a sequence of so many ids."""
    return max(1, -(-n_ids // _MOST_VARIANTS))


def measure_effects(engine: Engine, token_ids: IntArray) -> DoubleArray | None:
    """Returns by how much each score is higher with an id than without it.

    Args:
        token_ids: int32 [n], one text as the model reads it.

    Returns:
        float64 [n, outputs]; ids that are left out together have the same. None where nothing would be left.
    """
    n_ids, size = len(token_ids), group_size(len(token_ids))
    starts = np.arange(0, n_ids, size, dtype=np.int64)
    if len(starts) < 2:
        return None
    whole = np.asarray(engine.score(token_ids, offsets_of([n_ids])), np.float64)
    at_once = max(1, _IDS_AT_ONCE // n_ids)
    without = [_score_without(engine, token_ids, starts[i : i + at_once], size) for i in range(0, len(starts), at_once)]
    return np.asarray(np.repeat(whole - np.concatenate(without), size, axis=0)[:n_ids])


def _score_without(engine: Engine, token_ids: IntArray, starts: Int64Array, size: int) -> DoubleArray:
    """Scores the text once for each start, without the `size` ids from there on."""
    positions = np.arange(len(token_ids))
    is_left = (positions < starts[:, None]) | (positions >= starts[:, None] + size)
    left = np.broadcast_to(token_ids, is_left.shape)[is_left]
    return np.asarray(engine.score(left, offsets_of(is_left.sum(axis=1))), np.float64)
