"""People's word indices, as they lie about on their disks."""

import json
import pathlib
import re
from typing import Any

import pytest

from saiten.model.errors import BundleError, UsageError
from saiten.model.keras_models.keras_tokenizer import WordIndex, read_word_index
from saiten.model.keras_models.tokenizer_settings import KERAS_FILTERS, TokenizerFlags, settle_tokenizer

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


def read(tmp_path: pathlib.Path, content: str) -> WordIndex:
    path = tmp_path / "index.json"
    path.write_text(content, encoding="utf-8")
    return read_word_index(path)


def test_a_tokenizers_json_keeps_all_that_decides_an_id(tmp_path: pathlib.Path) -> None:
    content = tokenizer_json(num_words=4, oov_token="<unk>")
    assert read(tmp_path, content) == WordIndex(IDS, 4, "<unk>", lower=True, filters='!"#')


@pytest.mark.parametrize("wrap", [json.dumps, lambda content: "\ufeff" + content])
def test_json_within_json_and_a_mark_are_read_through(wrap: Any, tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, wrap(json.dumps(IDS))).ids == IDS


def test_a_plain_index_is_taken_as_it_is(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, json.dumps(IDS)) == WordIndex(IDS, is_plain=True)


@pytest.mark.parametrize("word", ["<PAD>", "<pad>", "[PAD]", "_PAD_", "pad", "<padding>", ""])
def test_a_padding_word_may_have_id_0(word: str, tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, json.dumps({word: 0, **IDS})).ids == IDS


def test_a_mark_at_id_0_is_no_padding_word(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="from 1, not 0"):
        read(tmp_path, json.dumps({"。": 0, "良い": 1}))


def test_an_index_in_an_object_of_its_own_is_found(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, json.dumps({"config": {"word_index": IDS, "lower": False}})).ids == IDS
    assert read(tmp_path, json.dumps({"word_index": IDS})) == WordIndex(IDS, is_plain=True)


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


OF_CHARACTERS = json.dumps({chr(0x4E00 + i): i + 1 for i in range(100)}).encode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("words.pkl", b"\x80\x04\x95", "is a pickle, which may run code"),
        ("words.pickle", b"x\x9c compressed", "is a pickle, which may run code"),
        ("words.joblib", b"ZF compressed", "is a pickle, which may run code"),
        ("words.json", b"", "is not JSON; give what tokenizer.to_json"),
        ("words.txt", "良い\n悪い\n".encode(), "is not JSON; give what tokenizer.to_json"),
        ("words.csv", "word,id\n良い,1\n".encode(), "is not JSON; give what tokenizer.to_json"),
        (
            "words.json",
            '["良い", "悪い"]'.encode(),
            "is a list; give .*words in the order of their ids, as get_vocabulary",
        ),
        ("words.json", '{"1": "良い", "2": "悪い"}'.encode(), "gives a word for each id, as index_word does"),
        ("words.json", '{"良い": 1.0}'.encode(), "must be a whole number from 1, not 1.0; write {word: id}, each"),
        ("words.json", '{"良い": "1"}'.encode(), "must be a whole number from 1, not '1'"),
        ("words.json", '{"良い": [1, 2]}'.encode(), r"must be a whole number from 1, not \[1, 2\]; write \{word: id\}"),
        (
            "words.json",
            '{"word2id": {"良い": 1, "。": 2, "悪い": 3}}'.encode(),
            r"not \{.*; if its words stand under 'word2id', give that object alone\.$",
        ),
        (
            "words.json",
            '{"良い": 0, "。": 1}'.encode(),
            r"not 0; 0 is the padding: .* as \{word: id \+ 1\} where they began at",
        ),
        ("words.json", '{"▁の": 1, "良い": 2}'.encode(), "holds '▁の', a piece of a word as SentencePiece"),
        ("words.json", '{"良い": 2, "##い": 3}'.encode(), "holds '##い', a piece of a word"),
        ("words.json", OF_CHARACTERS, "words of one character alone, so its texts were cut into characters"),
        ("words.json", b"{}", "names no words"),
        ("words.json", b'{"<PAD>": 0}', "names no words"),
        ("words.json", b"null", "is no JSON object"),
        (
            "tokenizer.json",
            b'{"version": "1.0", "added_tokens": [], "model": {"vocab": {}}}',
            "is of a tokenizer of Hugging Face; it cuts words into pieces. .*: train the model again on such words",
        ),
        (
            "tokenizer.json",
            b'{"added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 1}}}',
            "is of a tokenizer of Hugging Face; give its model's vocab alone",
        ),
        ("spiece.model", b"\x0a\x0e\x0a\x05<unk>\x15\xff\xfe", "is not UTF-8; save the word index as UTF-8 JSON"),
        ("words.npy", b"\x93NUMPY\x01\x00", "is not UTF-8; save the word index as UTF-8 JSON"),
        ("words.json", '{"良い": 1}'.encode("cp932"), "is not UTF-8; save the word index as UTF-8 JSON"),
    ],
)
def test_another_file_is_refused_in_one_sentence(
    name: str, content: bytes, message: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        read_word_index(tmp_path / name)
    assert str(caught.value).startswith(name)
    assert len(str(caught.value)) <= 300


def test_marks_are_no_pieces_of_words(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, '{"▁▂▃": 1, "##": 2, "▁": 3}').ids == {"▁▂▃": 1, "##": 2, "▁": 3}


JAPANESE = {"<OOV>": 1, "良い": 2, "。": 3, "Ａ": 4}
LOWERED = {"良い": 1, "abc": 2, "(": 3}
FILTERED = {"良い": 1, "ABC": 2}
PLAIN = {"良い": 1, "ABC": 2, "(": 3}


def settle(ids: dict[str, int], *, plain: bool = True, index: dict[str, Any] | None = None, **flags: Any) -> WordIndex:
    return settle_tokenizer(WordIndex(ids, is_plain=plain, **(index or {})), TokenizerFlags(**flags))[0]


def test_a_plain_index_that_leaves_nothing_open_needs_no_flag() -> None:
    settled, origins = settle_tokenizer(WordIndex(PLAIN, is_plain=True), TokenizerFlags())
    assert (settled.lower, settled.filters, settled.oov_token) == (False, "", None)
    assert (origins.lower, origins.filters, origins.oov) == ("default", "default", "default")


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (LOWERED, "its words look lower-cased.*--lower or --no-lower, or --tokenizer=keras-default"),
        (FILTERED, "its texts look filtered.*--filters=keras or --filters=none, or --tokenizer=keras-default"),
        # A mark of one's own is no word of a text, so it does not show that texts keep such characters.
        ({**FILTERED, "<s>": 3, "[num]": 4}, "its texts look filtered.*--filters=keras or --filters=none"),
        ({**PLAIN, "<OOV>": 1, "良い": 4}, "Id 1 is '<OOV>'.*--oov=token or --oov=drop, or --tokenizer=keras-default"),
        ({"[UNK]": 1, "(": 2}, r"Id 1 is '\[UNK\]'"),
        ({**PLAIN, "深い": 4, "<unk>": 5, "海": 6}, "Id 5 is '<unk>'.*--oov=token or --oov=drop"),
        ({**PLAIN, "UNK": 4}, "Id 4 is 'UNK'"),
        ({"良い": 2, "ABC": 3, "(": 4}, 'begins at id 2.*--oov=drop if they were dropped.*"<UNK>": 1.*--oov=token'),
    ],
)
def test_what_a_plain_index_only_looks_like_is_asked_for(ids: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        settle(ids)
    assert len(str(caught.value)) <= 300


def test_a_word_of_texts_is_not_taken_for_the_one_for_all_others() -> None:
    ids = {**PLAIN, "深い": 4, "unknown": 5, "海": 6}
    assert settle(ids).oov_token is None
    assert settle({**ids, "<unk>": 7}, oov="token").oov_token == "<unk>"
    with pytest.raises(UsageError, match=r"Id 7 is '<unk>'.*give --oov=token or --oov=drop\.$"):
        settle({**ids, "<unk>": 7}, tokenizer="keras-default")


def test_flags_decide_each_by_itself_or_in_one_word() -> None:
    assert settle(LOWERED, lower=True).lower
    assert not settle(LOWERED, lower=False).lower
    assert settle(FILTERED, filters="keras").filters == KERAS_FILTERS
    assert settle(FILTERED, filters="none").filters == ""
    assert settle(FILTERED, filters="()").filters == "()"
    assert settle(JAPANESE, filters="none", oov="token").oov_token == "<OOV>"
    assert settle(JAPANESE, filters="none", oov="drop").oov_token is None
    default = settle(JAPANESE, tokenizer="keras-default")
    assert (default.lower, default.filters, default.oov_token) == (True, KERAS_FILTERS, "<OOV>")
    assert settle(JAPANESE, tokenizer="keras-default", oov="drop", num_words=3).num_words == 3


@pytest.mark.parametrize(
    ("index", "flags", "said"),
    [
        ({"lower": False, "filters": KERAS_FILTERS}, {}, r"lower=False: leave the flag out"),
        ({"lower": True, "filters": "。"}, {}, r"filters='。': leave the flag out"),
        ({"lower": False, "filters": ""}, {}, r"lower=False and filters='': leave the flag out"),
        ({"lower": False, "filters": ""}, {"lower": True}, r"filters='': leave the flag out"),
    ],
)
def test_the_defaults_of_keras_are_not_laid_over_what_a_file_says(index: Any, flags: Any, said: str) -> None:
    """They were, without a word."""
    with pytest.raises(BundleError, match=f"^--tokenizer=keras-default is not what the Tokenizer's file says, {said}"):
        settle(IDS, plain=False, index=index, tokenizer="keras-default", **flags)
    as_said = settle(IDS, plain=False, index=index, tokenizer="keras-default", lower=False, filters="none")
    assert (as_said.lower, as_said.filters) == (False, "")
    same = {"lower": True, "filters": KERAS_FILTERS}
    settled, origins = settle_tokenizer(WordIndex(IDS, **same), TokenizerFlags("keras-default"))
    assert (settled.lower, settled.filters, origins.lower) == (True, KERAS_FILTERS, "flag")


def test_a_tokenizers_json_says_it_itself() -> None:
    says = {"lower": True, "filters": '!"#', "oov_token": "<unk>", "num_words": 4}
    settled, origins = settle_tokenizer(WordIndex(IDS, **says), TokenizerFlags())
    assert {name: getattr(settled, name) for name in says} == says
    assert (origins.lower, origins.filters, origins.oov) == ("file", "file", "file")
    assert settle(IDS, plain=False, index=says, tokenizer_input="tokens").filters == ""
    assert settle(IDS, plain=False, index=says, oov="drop").oov_token is None


@pytest.mark.parametrize("word", ["(", "a(b", ")"])
def test_a_tokenizer_that_was_fed_with_lists_of_tokens_is_found_out(word: str) -> None:
    """Of a string its filters take them out, and out of the middle of a word too."""
    ids = {"良い": 1, "<s>": 3, word: 2}
    with pytest.raises(UsageError, match=f"holds '{re.escape(word)}', .*: give --tokenizer_input=tokens"):
        settle(ids, plain=False, index={"filters": "()"})
    assert settle(ids, plain=False, index={"filters": "()"}, tokenizer_input="tokens").filters == ""
    assert settle(ids, plain=False, index={"filters": "()"}, tokenizer_input="text").filters == "()"


@pytest.mark.parametrize(
    ("index", "oov", "token", "expected"),
    [
        (WordIndex(PLAIN, is_plain=True), None, None, None),
        (WordIndex(IDS, oov_token="<unk>"), None, None, "<unk>"),
        (WordIndex(IDS, oov_token="<unk>"), "drop", None, None),
        (WordIndex(PLAIN, is_plain=True), "token", "ABC", "ABC"),
        (WordIndex(PLAIN, is_plain=True), None, "ABC", "ABC"),
    ],
)
def test_oov_words_go_where_they_are_told(index: WordIndex, oov: Any, token: Any, expected: Any) -> None:
    assert settle_tokenizer(index, TokenizerFlags(oov=oov, oov_token=token))[0].oov_token == expected


def test_oov_needs_a_word_that_is_there() -> None:
    with pytest.raises(UsageError, match="--oov=token needs the word"):
        settle(PLAIN, oov="token")
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
    "a list": ('["a"]', "is a list; give"),
    "a number": ("3", "no JSON object"),
    "no words": ("{}", "names no words"),
    "id 0": ('{"a": 0}', "not 0; 0 is the padding"),
    "a negative id": ('{"a": -1}', "not -1"),
    "an id that is a string": ('{"a": "1"}', "not '1'"),
    "an id that is a fraction": ('{"a": 1.5}', "not 1.5"),
    "an id that is a truth": ('{"a": true}', "not True"),
    "one id twice": ('{"a": 1, "c": 2, "b": 1}', "gives id 1 to two words, 'a' and 'b'; leave out the one"),
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
