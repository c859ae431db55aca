"""People's word indices, as they lie about on their disks."""

import json
import pathlib
from typing import Any

import pytest

from saiten.model.errors import UsageError
from saiten.model.keras_models.keras_tokenizer import WordIndex, read_word_index, with_oov

IDS = {"<unk>": 1, "とても": 2, "良い": 3, "。": 5}


def tokenizer_json(**changes: Any) -> str:
    """What `Tokenizer.to_json()` of Keras 2 gives: JSON with JSON in it."""
    config = {
        "num_words": None,
        "filters": '!"#',
        "lower": True,
        "split": " ",
        "char_level": False,
        "oov_token": None,
        "document_count": 2,
        "word_counts": json.dumps({"とても": 2}),
        "word_index": json.dumps(IDS),
        **changes,
    }
    return json.dumps({"class_name": "Tokenizer", "config": config})


def read(tmp_path: pathlib.Path, content: str, **options: Any) -> WordIndex:
    path = tmp_path / "index.json"
    path.write_text(content, encoding="utf-8")
    return read_word_index(path, **options)


def test_a_tokenizers_json_keeps_all_that_decides_an_id(tmp_path: pathlib.Path) -> None:
    content = tokenizer_json(num_words=4, oov_token="<unk>")
    assert read(tmp_path, content) == WordIndex(IDS, 4, "<unk>", lower=True, filters='!"#')
    assert read(tmp_path, content, tokenizer_input="tokens") == WordIndex(IDS, 4, "<unk>", lower=True, filters="")


@pytest.mark.parametrize("wrap", [json.dumps, lambda content: "\ufeff" + content])
def test_json_within_json_and_a_mark_are_read_through(wrap: Any, tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, wrap(json.dumps(IDS))).ids == IDS


def test_a_plain_index_is_taken_as_it_is(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, json.dumps(IDS)) == WordIndex(IDS)


def test_an_index_in_an_object_of_its_own_is_found(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, json.dumps({"config": {"word_index": IDS, "lower": False}})).ids == IDS


def test_ids_stay_and_gaps_have_no_word() -> None:
    vocabulary = WordIndex(IDS).vocabulary(6)
    assert vocabulary.words == ["<pad>", "<unk>", "とても", "良い", None, "。"]
    assert vocabulary.oov_id is None
    assert vocabulary.ids == {"<unk>": 1, "とても": 2, "良い": 3, "。": 5}


def test_num_words_cuts_as_keras_does() -> None:
    """Keras uses ids below num_words, although word_index lists all."""
    assert WordIndex(IDS, num_words=3).vocabulary(3).words == ["<pad>", "<unk>", "とても"]


def test_the_oov_word_is_no_word_of_a_text() -> None:
    vocabulary = WordIndex(IDS, oov_token="<unk>").vocabulary(6)
    assert vocabulary.oov_id == 1
    assert "<unk>" not in vocabulary.ids


@pytest.mark.parametrize(
    ("index", "oov", "token", "expected"),
    [
        (WordIndex(IDS), None, None, None),
        (WordIndex(IDS, oov_token="<unk>"), None, None, "<unk>"),
        (WordIndex(IDS, oov_token="<unk>"), "drop", None, None),
        (WordIndex(IDS), "token", "<unk>", "<unk>"),
        (WordIndex(IDS), None, "<unk>", "<unk>"),
    ],
)
def test_oov_words_go_where_they_are_told(index: WordIndex, oov: Any, token: Any, expected: Any) -> None:
    assert with_oov(index, oov, token).oov_token == expected


def test_oov_needs_a_word_that_is_there() -> None:
    with pytest.raises(UsageError, match="--oov=token needs the word"):
        with_oov(WordIndex(IDS), "token", None)
    with pytest.raises(UsageError, match="'<nix>' is not in the word index"):
        WordIndex(IDS, oov_token="<nix>").vocabulary(6)


def test_ids_beyond_the_embedding_are_refused() -> None:
    with pytest.raises(UsageError, match="ids up to 5, but the model's Embedding takes ids below 5"):
        WordIndex(IDS).vocabulary(5)
    with pytest.raises(UsageError, match="ids up to 1000000000000"):
        WordIndex({"a": 10**12}).vocabulary(5)


REFUSED = {
    "no json": ("{", "is not JSON"),
    "nested deep": ("[" * 100_000, "is not JSON"),
    "a list": ('["a"]', "no JSON object|is not JSON"),
    "a number": ("3", "no JSON object"),
    "no words": ("{}", "names no words"),
    "id 0": ('{"a": 0}', "not 0; 0 is the padding"),
    "a negative id": ('{"a": -1}', "not -1"),
    "an id that is a string": ('{"a": "1"}', "not '1'"),
    "an id that is a fraction": ('{"a": 1.5}', "not 1.5"),
    "an id that is a truth": ('{"a": true}', "not True"),
    "one id twice": ('{"a": 1, "b": 1}', "one id to two words"),
    "characters": (tokenizer_json(char_level=True), "char_level"),
    "another split": (tokenizer_json(split="/"), "splits at '/'"),
    "num_words of words": (tokenizer_json(num_words="many"), "num_words must be"),
    "num_words of nothing": (tokenizer_json(num_words=0), "num_words must be"),
    "filters that are a list": (tokenizer_json(filters=["!"]), "must be strings"),
    "no index": (json.dumps({"config": {}}), "no word_index"),
    "an index that is no json": (tokenizer_json(word_index="{"), "is not JSON"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_one_sentence(content: str, message: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, content)


def test_a_missing_file_and_bytes_are_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="no word index at"):
        read_word_index(tmp_path / "nowhere.json")
    (tmp_path / "sjis.json").write_bytes('{"良": 1}'.encode("cp932"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_word_index(tmp_path / "sjis.json")
