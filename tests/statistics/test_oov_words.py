"""OOV words are counted by text, and the commonest survive however many others there are."""

from collections import Counter

import numpy as np
import pyarrow as pa

from saiten.pipelines.statistics.oov_words import add_words, commonest_words, count_oov_words


def test_a_word_counts_once_a_text() -> None:
    tokens = pa.array(["鱧", "鱧", "蓴菜", "鱧"], pa.string())
    assert count_oov_words(tokens, np.array([3, 0, 1], np.int32)) == {"鱧": 2, "蓴菜": 1}
    assert count_oov_words(tokens[:0], np.zeros(3, np.int32)) == {}


def test_what_is_too_long_is_no_word() -> None:
    tokens = pa.array(["w" * 41, "w" * 40], pa.string())
    assert count_oov_words(tokens, np.array([2], np.int32)) == {"w" * 40: 1}


def test_common_words_survive_many_rare_ones() -> None:
    words: Counter[str] = Counter()
    for block in range(40):
        words = add_words(words, {f"rare-{block}-{i}": 1 for i in range(1_000)} | {"common": 3, "also": 2})
        assert len(words) <= 2 * 4_096
    assert commonest_words(words, 2) == {"common": 120, "also": 80}


def test_the_commonest_are_ranked_and_may_be_bounded() -> None:
    assert list(commonest_words({"b": 2, "a": 2, "c": 9, "d": 1}, 3)) == ["c", "a", "b"]
    assert commonest_words({"b": 2, "a": 10}, 5, least_texts=10) == {"a": 10}
