"""Vectors files: word2vec's text and binary formats are read, anything else is refused in one sentence."""

import pathlib
import struct

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.words.word_vectors import read_vectors

VOCABULARY = Vocabulary(["<pad>", "<oov>", "良い", "店", "no vector"], 1)


def _binary(*entries: tuple[bytes, list[float]], header: bytes = b"2 2\n", newline: bytes = b"\n") -> bytes:
    return header + b"".join(word + b" " + struct.pack("<2f", *numbers) + newline for word, numbers in entries)


TEXT = "3 2\n店 0.5 -1\n知らない 9 9\n良い 1e-3 2\n".encode()
BINARY = _binary(("店".encode(), [0.5, -1.0]), ("良い".encode(), [0.001, 2.0]))
EXPECTED = np.array([[np.nan] * 2, [np.nan] * 2, [0.001, 2], [0.5, -1], [np.nan] * 2], np.float32)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT, id="text"),
        pytest.param(TEXT.replace(b"\n", b" \n"), id="text-as-word2vec.c-writes-it"),
        pytest.param(TEXT.replace(b"\n", b"\r\n"), id="text-crlf"),
        pytest.param(BINARY, id="binary-with-newlines"),
        pytest.param(BINARY.replace(b"\n", b"").replace(b"2 2", b"2 2\n"), id="binary-as-gensim-writes-it"),
    ],
)
def test_vectors_come_to_their_words(tmp_path: pathlib.Path, content: bytes) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_vectors(path, VOCABULARY), EXPECTED)


@pytest.mark.parametrize("binary", [False, True])
def test_gensims_own_files_are_read(tmp_path: pathlib.Path, binary: bool) -> None:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(3)
    values = np.random.default_rng(0).normal(0, 1, (40, 3)).astype(np.float32)
    words = [f"語{i}" for i in range(40)]
    vectors.add_vectors(words, values)
    path = tmp_path / "vectors"
    vectors.save_word2vec_format(str(path), binary=binary)
    read = read_vectors(path, Vocabulary(["<pad>", "<oov>", *words], 1))
    np.testing.assert_allclose(read[2:], values, atol=1e-6)


def test_a_word_may_hold_spaces_that_are_not_ascii(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes("1 2\nあ\u3000い 1 2\n".encode())
    vocabulary = Vocabulary(["<pad>", "<oov>", "あ\u3000い"], 1)
    assert read_vectors(path, vocabulary)[2].tolist() == [1.0, 2.0]


HOSTILE = {
    "empty": (b"", "its first line does not say how many words and dimensions it has"),
    "no-header": ("店 0.5 -1\n".encode(), "its first line does not say how many words and dimensions it has"),
    "a-pickle": (b"\x80\x04\x95\x10\x00", "its first line does not say how many words and dimensions it has"),
    "no-words": (b"0 2\n", "its header says 0 words of 2 dimensions"),
    "no-dimensions": (b"2 0\n", "its header says 2 words of 0 dimensions"),
    "huge-dimensions": (b"2 99999999\n", "its header says 2 words of 99,999,999 dimensions"),
    "huge-count": (
        b"999999999999 2\n" + TEXT[4:],
        "its header promises 999,999,999,999 words, more than the file can hold",
    ),
    "text-too-short": (TEXT.replace(b"3 2", b"5 2"), "it ends after 3 of 5 words"),
    "text-too-long": (TEXT.replace(b"3 2", b"2 2"), "something follows the 2 words that its header promises"),
    "text-ragged": (TEXT.replace(b" 9 9", b" 9"), "word 2 has not 2 numbers"),
    "text-not-a-number": (TEXT.replace(b"9 9", b"9 x"), "word 2 has something else among its numbers"),
    "text-nan": (TEXT.replace(b"9 9", b"9 nan"), "word 2 has a NaN or an infinity, or is beyond float32"),
    "text-beyond-float32": (TEXT.replace(b"9 9", b"9 1e99"), "word 2 has a NaN or an infinity, or is beyond float32"),
    "text-repeated": (TEXT.replace("知らない".encode(), "店".encode()), "word 2 has been there before"),
    "text-not-utf8": (TEXT.replace("知らない".encode(), b"\xff"), "word 2 is not UTF-8"),
    "binary-cut": (BINARY[:-4], "it ends within word 2 of 2"),
    "binary-too-long": (BINARY + b"more", "something follows the 2 words that its header promises"),
    "binary-infinite": (_binary((b"a", [1, 2]), (b"b", [float("inf"), 0])), "word 2 has a NaN or an infinity"),
    "binary-repeated": (_binary((b"a", [1, 2]), (b"a", [1, 2])), "word 2 has been there before"),
    "binary-endless-word": (b"2 2\n" + b"x" * 9_000, "it ends after 0 of 2 words, or is no binary file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_refused_in_one_sentence_that_names_it(tmp_path: pathlib.Path, name: str) -> None:
    content, reason = HOSTILE[name]
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_vectors(path, VOCABULARY)
    assert str(caught.value).startswith(f"{path} is not a word2vec text or binary file: {reason}")


def test_a_missing_file_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_vectors(tmp_path / "none", VOCABULARY)
    assert str(caught.value) == f"The vectors {tmp_path / 'none'} cannot be read: No such file or directory."
