"""Labelled text goes through disk: read once, one text at a time, held out by its hash."""

import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.errors import UsageError
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.corpus import (
    SegmentedCorpus,
    choose_held_out,
    count_words,
    encode_corpus,
    read_lines,
    segment_corpus,
    segment_texts,
)
from saiten.model.training.watcher import SilentWatcher

Records = Iterable[tuple[str, Sequence[float]]]


def _segment(
    records: Records, tokenizer: Tokenizer, folder: pathlib.Path, fraction: float = 0.0, seed: int = 1
) -> SegmentedCorpus:
    return segment_corpus(
        records,
        tokenizer,
        folder,
        n_outputs=1,
        validation_fraction=fraction,
        seed=seed,
        watcher=SilentWatcher(),
    )


def test_texts_labels_and_what_was_skipped(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    records: Records = [("良い店。", [1]), (" \n\x00", [2]), ("改行\nと空白", [-3.5]), ("\ud800", [4])]
    corpus = _segment(records, tokenizer, tmp_path)
    assert list(corpus.lines()) == ["良い 店 。", "改行 と 空白"]
    assert corpus.labels.tolist() == [[1.0], [-3.5]]
    assert corpus.held_out.tolist() == [False, False]
    assert corpus.skipped == {"EMPTY": 1, "BAD_UNICODE": 1}
    assert corpus.samples == ["良い店。", "改行\nと空白"]


class _CountedText(str):
    """A text that knows how many of its kind are alive."""

    alive = 0
    most_alive = 0

    def __new__(cls, text: str) -> "_CountedText":
        cls.alive += 1
        cls.most_alive = max(cls.most_alive, cls.alive)
        return super().__new__(cls, text)

    def __del__(self) -> None:
        type(self).alive -= 1


def test_texts_are_not_held_in_memory(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    """Labelled text of several GB has to pass: only the samples for golden records stay."""

    def records() -> Iterator[tuple[str, Sequence[float]]]:
        for i in range(1_000):
            yield _CountedText(f"店{i}。"), [float(i)]

    corpus = _segment(records(), tokenizer, tmp_path)
    assert len(corpus.labels) == 1_000
    assert len(corpus.samples) == 256
    assert _CountedText.most_alive <= 256 + 2


@pytest.mark.parametrize("labels", [[float("nan")], [float("inf")], [1.0, 2.0], []])
def test_labels_that_are_not_finite_or_not_as_many_are_refused(
    tokenizer: Tokenizer, tmp_path: pathlib.Path, labels: list[float]
) -> None:
    with pytest.raises(UsageError, match="Record 1 needs 1 finite labels, not"):
        _segment([("店", [1]), ("店", labels)], tokenizer, tmp_path)


def test_no_text_at_all_is_refused(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="No text to train on is left"):
        _segment([("", [1])], tokenizer, tmp_path)


def test_a_texts_side_depends_on_seed_and_text_alone(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    """The same texts are held out in any order; equal texts are never on both sides."""
    texts = [f"{i % 50}番の店" for i in range(100)]

    def held_out(order: Sequence[str], seed: int) -> set[str]:
        corpus = _segment(((text, [0.0]) for text in order), tokenizer, tmp_path, 0.2, seed)
        sides = [
            {line for line, held in zip(corpus.lines(), corpus.held_out, strict=True) if held == side}
            for side in (0, 1)
        ]
        assert not sides[0] & sides[1]
        assert sorted(corpus.training_lines()) == sorted(line for line in corpus.lines() if line in sides[0])
        return sides[1]

    assert len(held_out(texts, 1)) == 10
    assert held_out(texts, 1) == held_out(texts[::-1], 1)
    assert held_out(texts, 1) != held_out(texts, 2)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.floats(0, 0.9))
def test_the_held_out_share_has_its_size_but_for_equal_keys(keys: list[int], fraction: float) -> None:
    array = np.array(keys, np.uint64)
    try:
        held_out = choose_held_out(array, fraction)
    except UsageError:
        assert len(set(keys)) == 1 or sum(key <= max(keys) for key in keys) == len(keys)
        return
    count = round(len(keys) * fraction)
    limit = sorted(keys)[count - 1] if count else -1
    assert held_out.tolist() == [key <= limit for key in keys]


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"fraction of 0\.5 no text is left to train on"):
        choose_held_out(np.array([3, 3], np.uint64), 0.5)
    with pytest.raises(UsageError, match="must be at least 0 and less than 1, not 1"):
        choose_held_out(np.array([3, 4], np.uint64), 1)


def test_encoded_texts_are_those_of_the_encoder(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    texts = ["良い店。", "知らない言葉", "良い良い良い"]
    corpus = _segment([(text, [float(i)]) for i, text in enumerate(texts)], tokenizer, tmp_path)
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", None, "良い", "店", "。"], None), 2, "pre")
    encoded = encode_corpus(corpus, encoder, tmp_path, SilentWatcher())
    assert encoded.token_ids.tolist() == [3, 4, 2, 2]
    assert encoded.offsets.tolist() == [0, 2, 4]
    assert encoded.labels.tolist() == [[0.0], [2.0]]  # the second text has no word of the vocabulary
    assert encoded.n_tokens.tolist() == [3, 3]
    assert encoded.n_oov.tolist() == [0, 0]
    token_ids, offsets = encoded.gather(np.array([1, 0]))
    assert token_ids.tolist() == [2, 2, 3, 4]
    assert offsets.tolist() == [0, 2, 4]


def test_a_vocabulary_that_no_text_uses_is_refused(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    corpus = _segment([("店", [1.0])], tokenizer, tmp_path)
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", None, "海"], None), 10, "pre")
    with pytest.raises(UsageError, match="No training text has a word of the vocabulary"):
        encode_corpus(corpus, encoder, tmp_path, SilentWatcher())


def test_further_texts_are_segmented_and_the_bad_ones_counted(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "further.txt"
    texts = ["良い店", "", "\ud800", "海"]
    assert segment_texts(texts, tokenizer, path, SilentWatcher()) == (2, {"EMPTY": 1, "BAD_UNICODE": 1})
    assert list(read_lines(path)) == ["良い 店", "海"]


def test_words_are_counted() -> None:
    assert count_words(["a b a", "b c"]) == {"a": 2, "b": 2, "c": 1}
