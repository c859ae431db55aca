"""The wide part, against sets of words and pairs in plain Python."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saiten.model.text.ragged import FloatArray
from saiten.model.training.networks.wide import WideTable, character_runs, pair_multiplier, wide_sums

N_WORDS, N_PAIRS, N_OUTPUTS = 9, 1_000, 3
GENERATOR = np.random.default_rng(0)
WORD_ROWS = GENERATOR.normal(0, 1, (N_WORDS, N_OUTPUTS)).astype(np.float32)
PAIR_ROWS = GENERATOR.normal(0, 1, (N_PAIRS + 1, N_OUTPUTS)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    token_ids = keras.Input((None,), dtype="int32")
    tables = [keras.layers.Embedding(*rows.shape, weights=[rows]) for rows in (WORD_ROWS, PAIR_ROWS)]
    return keras.Model(token_ids, wide_sums(token_ids, *tables, N_WORDS, N_PAIRS))


def by_sets(text: list[int]) -> FloatArray:
    words = set(text)
    pairs = {(left, right) for left, right in pairwise(text) if min(left, right) > 1}
    rows = {(left * pair_multiplier(N_WORDS) + right) % N_PAIRS + 1 for left, right in pairs}
    total = sum(WORD_ROWS[word] for word in words) + sum((PAIR_ROWS[row] for row in rows), np.zeros(N_OUTPUTS))
    return np.float32(total / np.sqrt(len(words) + len(rows)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(1, N_WORDS - 1), min_size=1, max_size=12), min_size=1, max_size=4), st.booleans())
def test_distinct_words_and_pairs_are_summed_whatever_the_padding(
    model: keras.Model, texts: list[list[int]], in_front: bool
) -> None:
    width = max(map(len, texts)) + 2
    padded = [[0] * (width - len(t)) + t if in_front else t + [0] * (width - len(t)) for t in texts]
    np.testing.assert_allclose(model(np.array(padded, np.int32)), [by_sets(text) for text in texts], atol=1e-5)


def test_a_text_of_one_word_at_its_own_width(model: keras.Model) -> None:
    np.testing.assert_allclose(model(np.array([[4]], np.int32)), WORD_ROWS[4:5], atol=1e-6)


@pytest.mark.parametrize("vocabulary_size", [3, 60_000, 5_000_000, 2**30])
def test_no_pairs_hash_overflows(vocabulary_size: int) -> None:
    largest = vocabulary_size - 1
    assert 0 < largest * pair_multiplier(vocabulary_size) + largest < 2**31


def test_runs_of_one_to_three_characters_that_several_words_have() -> None:
    runs = character_runs([None, None, "高い", "安い", "高さ", "ABCD", "BCDE", "店"])
    assert runs.dtype == np.int32
    high, ending, b, c, d, bc, cd, bcd = 1, 2, 3, 4, 5, 6, 7, 8
    assert runs.tolist() == [
        [0] * 6,
        [0] * 6,
        [high, ending, 0, 0, 0, 0],
        [ending, 0, 0, 0, 0, 0],
        [high, 0, 0, 0, 0, 0],
        [b, c, d, bc, cd, bcd],
        [b, c, d, bc, cd, bcd],
        [0] * 6,
    ]


def test_a_words_row_is_its_own_and_its_runs() -> None:
    runs = character_runs([None, None, "高い", "安い", "高さ"])
    table = WideTable(5, 2, runs)
    own, shared = np.float32(np.arange(10).reshape(5, 2)), np.float32([[100, 0], [0, 1000]])
    table._own.assign(own)
    table._runs.assign(shared)
    expected = own + np.float32([[0, 0], [0, 0], [100, 1000], [0, 1000], [100, 0]])
    np.testing.assert_array_equal(table.rows(), expected)
    np.testing.assert_array_equal(table(np.int32([[4, 2]])), expected[[4, 2]][None])
    assert [variable.path.split("/")[-1] for variable in table.trainable_variables] == ["own", "runs"]
