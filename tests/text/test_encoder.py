"""Ids as the model was trained on them, and batches that hold every text once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.errors import BundleError, UsageError
from saiten.model.text.encoder import Encoder, cut_batches, pad
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary

TOKENIZER = Tokenizer(TokenizerConfig())
WORDS = ["<pad>", "<oov>", "美味しい", "とても", "。"]


def encoder(*, oov: bool = True, length: int = 100, truncating: str = "pre") -> Encoder:
    words = WORDS if oov else ["<pad>", None, *WORDS[2:]]
    return Encoder(TOKENIZER, Vocabulary(words, 1 if oov else None), length, truncating)


def rows(encoded_by: Encoder, texts: list[str]) -> list[tuple[list[int], int, int, bool]]:
    encoded = encoded_by.encode(texts)
    ids = np.split(encoded.token_ids, encoded.offsets[1:-1]) if texts else []
    counts = zip(encoded.n_tokens.tolist(), encoded.n_oov.tolist(), encoded.truncated.tolist(), strict=True)
    return [(row.tolist(), *count) for row, count in zip(ids, counts, strict=True)]


def test_words_get_their_ids_and_others_the_oov_id() -> None:
    assert rows(encoder(), ["とても美味しい。", "", "不思議。"]) == [
        ([3, 2, 4], 3, 0, False),
        ([], 0, 0, False),
        ([1, 4], 2, 1, False),
    ]


def test_dropped_oov_words_are_counted_and_may_leave_nothing() -> None:
    assert rows(encoder(oov=False), ["不思議。", "不思議", "とても"]) == [
        ([4], 2, 1, False),
        ([], 1, 1, False),
        ([3], 1, 0, False),
    ]


@pytest.mark.parametrize(("truncating", "kept"), [("pre", [2, 4]), ("post", [3, 2])])
def test_a_long_text_loses_its_beginning_or_its_end(truncating: str, kept: list[int]) -> None:
    assert rows(encoder(length=2, truncating=truncating), ["。。", "とても美味しい。", "。"]) == [
        ([4, 4], 2, 0, False),
        (kept, 3, 0, True),
        ([4], 1, 0, False),
    ]


def test_dropped_words_do_not_count_towards_truncation() -> None:
    assert rows(encoder(oov=False, length=1), ["不思議。"]) == [([4], 2, 1, False)]


@pytest.mark.parametrize("text", ["<pad>", "<oov>"])
def test_a_text_cannot_spell_its_way_to_padding_or_oov(text: str) -> None:
    keras_style = Encoder(TOKENIZER, Vocabulary([text, "<oov>", "。"], 1), 10, "pre")
    assert keras_style.encode_segmented([text]).token_ids.tolist() == [1]


@given(st.lists(st.text(alphabet="とても美味しい。不思議 x\u3000"), max_size=8), st.booleans(), st.integers(1, 4))
def test_a_block_is_encoded_as_its_texts_one_by_one(texts: list[str], oov: bool, length: int) -> None:
    one = encoder(oov=oov, length=length)
    ids = {word: i for i, word in enumerate(WORDS)}
    expected = []
    for text in texts:
        tokens = TOKENIZER.tokenize(text)
        known = [ids.get(token, 1) for token in tokens if oov or token in ids]
        n_oov = sum(token not in ids for token in tokens)
        expected.append((known[-length:], len(tokens), n_oov, len(known) > length))
    assert rows(one, texts) == expected


def test_padding_goes_behind_or_before() -> None:
    ids, offsets = np.array([7, 12, 7], np.int32), np.array([0, 1, 3])
    assert pad(ids, offsets, np.array([0, 1]), 3).tolist() == [[7, 0, 0], [12, 7, 0]]
    assert pad(ids, offsets, np.array([1, 0]), 3, "pre").tolist() == [[0, 12, 7], [0, 0, 7]]


@given(st.lists(st.integers(0, 50)), st.integers(1, 200), st.integers(1, 9))
def test_batches_hold_every_text_with_tokens_once_within_bounds(lengths: list[int], cells: int, max_rows: int) -> None:
    batches = list(cut_batches(np.array(lengths, np.int64), cells, max_rows))
    batched = sorted(int(i) for batch in batches for i in batch)
    assert batched == [i for i, length in enumerate(lengths) if length]
    for batch in batches:
        assert len(batch) <= max_rows
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= cells


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="pre or post, not 'middle'"):
        encoder(truncating="middle")
    with pytest.raises(UsageError, match="1 or more, not 0"):
        encoder(length=0)


def test_the_vocabulary_is_by_count_then_code_point_and_can_be_cut() -> None:
    counts = {"い": 2, "あ": 2, "う": 5, "え": 1}
    assert Vocabulary.from_counts(counts).words == ["<pad>", "<oov>", "う", "あ", "い", "え"]
    assert Vocabulary.from_counts(counts, min_count=2).words == ["<pad>", "<oov>", "う", "あ", "い"]
    assert Vocabulary.from_counts(counts, size=3).words == ["<pad>", "<oov>", "う"]


@pytest.mark.parametrize(
    ("words", "oov_id", "message"),
    [([], None, "at least id 0"), (["<pad>", "a", "a"], None, "twice"), (["<pad>", "a"], 2, "OOV id 2")],
)
def test_a_vocabulary_that_cannot_be_is_refused(words: list[str], oov_id: int | None, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Vocabulary(words, oov_id)
