"""The linear part in one pass, against sets in plain Python; settings that do not fit are refused before it runs."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saiten.model.engines.packed.distinct import DistinctSum
from saiten.model.engines.packed.operation import CONSTANT, STEP, TEXT, Shape, Values
from saiten.model.text.ragged import FloatArray, offsets_of

N_WORDS, N_PAIRS, WIDTH = 7, 11, 2
GENERATOR = np.random.default_rng(0)
WORDS = GENERATOR.normal(0, 1, (N_WORDS, WIDTH)).astype(np.float32)
PAIRS = GENERATOR.normal(0, 1, (N_PAIRS + 1, WIDTH)).astype(np.float32)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, N_WORDS - 1), min_size=1, max_size=9), min_size=1, max_size=6),
    st.integers(0, 2**31 - 1),
    st.integers(0, N_WORDS),
)
def test_each_word_and_pair_of_a_text_counts_once_whatever_stands_beside_it(
    texts: list[list[int]], factor: int, least: int
) -> None:
    check(texts, factor, least)


def test_a_word_that_was_seen_hundreds_of_texts_before_counts_again() -> None:
    """What was seen is kept as a byte, which has counted all its numbers after 255 texts."""
    rare, often = [1, 2, 3], [4, 5]
    check([rare, *[often] * 254, rare, rare, *[often] * 600, rare], factor=5, least=0)


def check(texts: list[list[int]], factor: int, least: int) -> None:
    expected = []
    for text in texts:
        pairs = {(left * factor + right) % N_PAIRS + 1 for left, right in pairwise(text) if min(left, right) >= least}
        rows = [*(WORDS[word] for word in set(text)), *(PAIRS[row] for row in pairs)]
        expected.append(np.sum(rows, axis=0, dtype=np.float64) / np.sqrt(len(rows)))
    ids = np.concatenate([np.array(text, np.int32) for text in texts])
    offsets = offsets_of(np.array([len(text) for text in texts]))
    found = DistinctSum(PAIRS, factor, least).run(offsets, Values(STEP, WORDS, ids))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("pairs", "factor", "shape"),
    [
        (PAIRS[:1], 3, Shape(STEP, WIDTH)),
        (PAIRS, -1, Shape(STEP, WIDTH)),
        (PAIRS, 2**31, Shape(STEP, WIDTH)),
        (PAIRS, 3, Shape(STEP, WIDTH + 1)),
        (PAIRS[0], 3, Shape(STEP, WIDTH)),
        (PAIRS, 3, Shape(TEXT, WIDTH)),
        (PAIRS, 3, Shape(CONSTANT, WIDTH)),
    ],
)
def test_what_does_not_fit_is_refused(pairs: FloatArray, factor: int, shape: Shape) -> None:
    """Compiled code checks no bounds."""
    with pytest.raises(ValueError, match="does not fit"):
        DistinctSum(pairs, factor, 2).shape(shape)
