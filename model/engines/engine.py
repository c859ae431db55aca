"""What turns token ids into scores, whichever way it computes."""

from typing import Protocol

import numpy as np

from saiten.model.text.ragged import FloatArray, Int64Array, IntArray

# Two scores are the same when they differ by at most this times the size of the score; see `scaled_difference`.
TOLERANCE = 1e-6


def scaled_difference(scores: FloatArray, expected: FloatArray) -> float:
    """Returns the largest difference, divided by the size of the score; NaN and infinities never agree.

    Its size is 1 at least, and at least what half of the texts have in that output: where scores are in the thousands,
    one near 0 is what is left of a difference, and as exact as they are.
    """
    if not scores.size:
        return 0.0
    expected64 = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        sizes = np.maximum(np.abs(expected64), np.maximum(1.0, np.median(np.abs(expected64), axis=0)))
        difference = np.abs(scores.astype(np.float64) - expected64) / sizes
    return float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max())


def check_ids(token_ids: IntArray, vocabulary_size: int) -> None:
    """Refuses ids that no text has: padding, negative ones, and those beyond the model's Embedding.

    TensorFlow fails the batch on such an id, reads 0, or scores it, by id and device; compiled
    code reads memory that is not its own.

    Raises:
        ValueError: The range of the ids.
    """
    if len(token_ids) and not 0 < token_ids.min() <= token_ids.max() < vocabulary_size:
        raise ValueError(f"ids must be 1 to {vocabulary_size - 1}, not {token_ids.min()} to {token_ids.max()}")


class Engine(Protocol):
    """Scores unpadded token ids.

    Attributes:
        name: ``keras`` or ``packed``.
        n_outputs: How many scores a text gets.
    """

    name: str
    n_outputs: int

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Scores every text, in the order given.

        Args:
            token_ids: int32 [total], the texts' ids end to end, without padding.
            offsets: int64 [n + 1]; text `i` is ``token_ids[offsets[i]:offsets[i + 1]]``.

        Returns:
            float32 [n, n_outputs]. A text without ids gets NaN: the network's answer to
            nothing would be a plausible constant.

        Raises:
            ValueError: An id is not one of the model's.
        """
        ...
