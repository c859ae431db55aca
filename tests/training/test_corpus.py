"""Labelled text goes through disk: read once, one text at a time, held out by its hash."""

import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.text import encoder as encoder_module
from saiten.model.text.encoder import Encoder, text_blocks
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.corpus import (
    SegmentedCorpus,
    count_words,
    encode_corpus,
    read_lines,
    segment_corpus,
    segment_texts,
)
from saiten.model.training.held_out import Split
from saiten.model.training.targets import NumberLabels
from saiten.model.training.watcher import SilentWatcher

Records = Iterable[tuple[str, Sequence[float]]]


def _segment(
    records: Records, tokenizer: Tokenizer, folder: pathlib.Path, validation: Records = (), seed: int = 1
) -> SegmentedCorpus:
    labels = NumberLabels(["a"])
    return segment_corpus(records, validation, tokenizer, labels, folder, seed=seed, watcher=SilentWatcher())


def _split(training: Sequence[bool], held_out: Sequence[bool]) -> Split:
    return Split(np.array(training), np.array(held_out), "", {}, is_share=True)


def test_texts_labels_and_what_was_skipped(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    records: Records = [
        ("良い店。", [1]),
        (" \n\x00", [2]),
        ("改行\nと空白", [-3.5]),
        ("\ud800", [4]),
        ("店", [np.nan]),
    ]
    corpus = _segment(records, tokenizer, tmp_path, [("海", [7])])
    assert list(corpus.lines()) == ["良い 店 。", "改行 と 空白", "海"]
    assert list(corpus.lines(np.array([True, False, True]))) == ["良い 店 。", "海"]
    assert corpus.labels.tolist() == [[1.0], [-3.5], [7.0]]
    assert corpus.n_records == 2
    assert corpus.skipped == {"EMPTY": 1, "BAD_UNICODE": 1, "LABEL_MISSING": 1}
    assert corpus.samples == ["良い店。", "改行\nと空白", "海"]


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


def test_no_text_at_all_is_refused(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="No text to train on is left"):
        _segment([("", [1])], tokenizer, tmp_path)


def test_equal_texts_have_equal_keys_which_the_seed_changes(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    records: Records = [("良い店。", [1]), ("海", [1]), (" 良い店。\n", [2])]
    keys = _segment(records, tokenizer, tmp_path).keys
    assert keys[0] == keys[2] != keys[1]
    assert set(_segment(records, tokenizer, tmp_path, seed=2).keys) & set(keys) == set()


def test_encoded_texts_are_those_of_the_encoder(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    texts = ["良い店。", "知らない言葉", "良い良い良い", "良い"]
    corpus = _segment([(text, [float(i)]) for i, text in enumerate(texts)], tokenizer, tmp_path)
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", None, "良い", "店", "。"], None), 2, "pre")
    targets = np.float32([[0], [10], [20], [30]])
    split = _split([True, True, False, False], [False, False, True, False])
    encoded = encode_corpus(corpus, targets, split, encoder, tmp_path, SilentWatcher())
    assert encoded.token_ids.tolist() == [3, 4, 2, 2]
    assert encoded.offsets.tolist() == [0, 2, 4]
    assert encoded.targets.tolist() == [[0.0], [20.0]]  # the second has no word of the vocabulary, the last no use
    assert encoded.held_out.tolist() == [False, True]
    assert encoded.n_tokens.tolist() == [3, 3]
    assert encoded.n_oov.tolist() == [0, 0]
    token_ids, offsets = encoded.gather(np.array([1, 0]))
    assert token_ids.tolist() == [2, 2, 3, 4]
    assert offsets.tolist() == [0, 2, 4]


def test_texts_as_long_as_books_are_encoded_few_at_a_time(
    tokenizer: Tokenizer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of Arrow's holds 2 GiB: a thousand books are more."""
    monkeypatch.setattr(encoder_module, "_BLOCK_CHARS", 10)
    texts = ["良い 本 です", "悪い", "本" * 30, "良い", *["本"] * 3]
    assert [len(block) for block in text_blocks(texts)] == [2, 1, 4]
    monkeypatch.setattr(encoder_module, "_BLOCK_TEXTS", 2)
    assert [len(block) for block in text_blocks(texts)] == [2, 1, 2, 2]
    assert [text for block in text_blocks(texts) for text in block] == texts
    corpus = _segment([(text, [0.0]) for text in texts], tokenizer, tmp_path)
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", "<oov>", "本", "良い"], 1), 10, "pre")
    split = _split([True] * 6 + [False], [False] * 6 + [True])
    encoded = encode_corpus(corpus, np.zeros((7, 1), np.float32), split, encoder, tmp_path, SilentWatcher())
    assert encoded.token_ids.tolist() == encoder.encode(texts).token_ids.tolist()


def test_a_vocabulary_that_no_text_uses_is_refused(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    corpus = _segment([("店", [1.0])], tokenizer, tmp_path)
    encoder = Encoder(tokenizer, Vocabulary(["<pad>", None, "海"], None), 10, "pre")
    with pytest.raises(UsageError, match="No training text has a word of the vocabulary"):
        encode_corpus(corpus, np.ones((1, 1), np.float32), _split([True], [False]), encoder, tmp_path, SilentWatcher())


def test_further_texts_are_segmented_and_the_bad_ones_counted(tokenizer: Tokenizer, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "further.txt"
    texts = ["良い店", "", "\ud800", "海"]
    assert segment_texts(texts, tokenizer, path, SilentWatcher()) == (2, {"EMPTY": 1, "BAD_UNICODE": 1})
    assert list(read_lines(path)) == ["良い 店", "海"]


def test_words_are_counted() -> None:
    assert count_words(["a b a", "b c"]) == {"a": 2, "b": 2, "c": 1}
