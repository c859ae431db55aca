"""One rule from text to tokens, the same for every text, however odd."""

import pathlib
import pickle
import re
import shlex
from typing import Any

import MeCab
import pytest
import unidic_lite
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.errors import RecordError, UsageError
from saiten.model.text.encoder import Encoder
from saiten.model.text.pieces import MAX_PIECE_CHARS, cut_text
from saiten.model.text.random_texts import random_texts
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary
from tests.conftest import SENTENCES
from tests.helpers.user_dictionary import write_user_dictionary

NFKC = Tokenizer(TokenizerConfig())
PLAIN = Tokenizer(TokenizerConfig(normalization="none"))
KERAS = Tokenizer(TokenizerConfig(normalization="none", lower=True, filters='!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'))

# 私's lemma of unidic has its kind behind it, パソコン's and ピンチ's their origin, the last with a space at its end.
FORMS = "私はパソコンでピンチだった。-zqx"


def in_form(token_form: str, split: str = "none", **said: Any) -> Tokenizer:
    return Tokenizer(TokenizerConfig(normalization="none", token_form=token_form, split=split, **said))


STRIP = Tokenizer(TokenizerConfig(normalization="none", split="strip", filters="!"))

TABLE = [
    ("prose", NFKC, "とても美味しい。", ["とても", "美味しい", "。"]),
    ("nothing", NFKC, "", []),
    ("only spaces", NFKC, " \u3000\u00a0\t ", []),
    ("full-width becomes ASCII", NFKC, "ＡＢＣ１２３", ["ABC", "123"]),
    ("full-width stays without NFKC", PLAIN, "ＡＢＣ", ["ＡＢＣ"]),
    ("half-width kana become words", NFKC, "ﾃﾚﾋﾞを見る", ["テレビ", "を", "見る"]),
    ("NUL does not end the text", NFKC, "前\x00後", ["前", "後"]),
    ("controls are spaces", NFKC, "一\r\n二\x1b\x85三", ["一", "二", "三"]),
    ("U+3000 is a token without NFKC", PLAIN, "一\u3000二", ["一", "\u3000", "二"]),
    ("U+3000 at the ends goes with strip()", STRIP, "\u3000一\u3000二\u3000", ["一", "\u3000", "二"]),
    ("strip() comes before the filters", STRIP, "一\u3000!", ["一", "\u3000"]),
    ("nothing but U+3000 with strip()", STRIP, "\u3000", []),
    ("U+2028 is a token", PLAIN, "一\u2028二", ["一", "\u2028", "二"]),
    ("emoji with joiners", NFKC, "👍", ["👍"]),
    ("beyond the BMP", NFKC, "𠮷野家", ["𠮷", "野家"]),
    ("lower-case and filters of Keras' Tokenizer", KERAS, "Good! (ABC)です", ["good", "abc", "です"]),
    ("every token filtered", KERAS, "!?...", []),
    (
        "lemmas, whole",
        in_form("lemma"),
        FORMS,
        ["私-代名詞", "は", "パソコン-personal computer", "で", "ピンチ-pinch ", "だ", "た", "。", "-", "zqx"],
    ),
    (
        "lemmas that were joined",
        in_form("lemma", "space"),
        FORMS,
        ["私-代名詞", "は", "パソコン-personal", "computer", "で", "ピンチ-pinch", "だ", "た", "。", "-", "zqx"],
    ),
    (
        "lemmas as version 1 had them",
        in_form("lemma", "space", version=1),
        FORMS,
        ["私-代名詞", "は", "パソコン", "で", "ピンチ", "だ", "た", "。", "-", "zqx"],
    ),
    (
        "lemmas up to their first -",
        in_form("short-lemma"),
        FORMS,
        ["私", "は", "パソコン", "で", "ピンチ", "だ", "た", "。", "-", "zqx"],
    ),
    ("lemmas are spelt otherwise", in_form("lemma"), "居ましたが、", ["居る", "ます", "た", "が", "、"]),
    ("base forms are not", in_form("base"), "いましたが、", ["いる", "ます", "た", "が", "、"]),
    (
        "lemmas of a Tokenizer of strings",
        in_form("lemma", "space", lower=True, filters="-"),
        "パソコン",
        ["パソコン", "personal", "computer"],
    ),
    (
        "what is done to tokens is done to whole lemmas",
        in_form(
            "lemma",
            lower=True,
            stop_words=("グラボ-graphics board", "た"),
            prefix_token="<a b>",
            keep_pos=("名詞", "助動詞"),
        ),
        "グラボと東京とパソコンだった",
        ["<a b>", "トウキョウ", "パソコン-personal computer", "だ"],
    ),
]


@pytest.mark.parametrize(("tokenizer", "text", "tokens"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_text_gives_these_tokens(tokenizer: Tokenizer, text: str, tokens: list[str]) -> None:
    assert tokenizer.tokenize(text) == tokens


@given(st.text())
def test_the_tokens_put_together_give_the_normal_form_without_spaces(text: str) -> None:
    assert "".join(NFKC.tokenize(text)) == NFKC.normalize(text).replace(" ", "")


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_no_token_is_empty_or_holds_a_space_or_a_control(text: str) -> None:
    assert all(token and not re.search("[\x00-\x20\x7f-\x9f]", token) for token in NFKC.tokenize(text))


@pytest.mark.parametrize("form", ["lemma", "short-lemma", "base"])
def test_a_word_is_what_mecab_says_of_it(form: str) -> None:
    """By MeCab's own fields, as fugashi and people's code read them, of every word of many texts."""
    lines = ["-O", "", rf"-F%m\t%f[{10 if form == 'base' else 7}]\n", r"-U%m\t\n", r"-E\n"]
    tagger = MeCab.Tagger(shlex.join(["-r", "/dev/null", "-d", unidic_lite.DICDIR, *lines]))
    for text in [FORMS, *SENTENCES, *random_texts(300, 3, SENTENCES)]:
        said = [line.split("\t") for line in tagger.parse(PLAIN.normalize(text)).split("\n") if line]
        cut = (lambda found: found.split("-")[0] or found) if form == "short-lemma" else str
        wanted = [surface if found in ("", "*") else cut(found) for surface, found in said]
        assert in_form(form).tokenize(text) == wanted


@pytest.mark.parametrize("segmenter", ["mecab", "compiled"])
def test_words_that_hold_a_space_stay_whole_or_are_cut(segmenter: str, tmp_path: pathlib.Path) -> None:
    """A dictionary of one's own may hold such words; MeCab's -Owakati joins them by spaces with the others."""
    system = pathlib.Path(unidic_lite.DICDIR)
    path = write_user_dictionary(tmp_path / "user.dic", system, [("New York", 7, 7, -9000)])
    for split, place in (("none", ["New York"]), ("space", ["New", "York"])):
        tokenizer = Tokenizer(TokenizerConfig(user_dictionary=str(path), split=split), segmenter)
        assert tokenizer.tokenize("私はNew Yorkが好き") == ["私", "は", *place, "が", "好き"]
        encoder = Encoder(tokenizer, Vocabulary(["<pad>", "<oov>", *place, "好き"], 1), 9, "pre")
        encoded = encoder.encode(["New Yorkが好き", "好きNew York New"])
        ids = list(range(2, 2 + len(place)))
        assert encoded.token_ids.tolist() == [*ids, 1, ids[-1] + 1, ids[-1] + 1, *ids, 1 if split == "none" else 2]
        assert encoded.oov_tokens is not None
        assert encoded.oov_tokens.to_pylist() == (["が", "New"] if split == "none" else ["が"])


@pytest.mark.parametrize(
    "text", ["9" * 100_000, "x1 " * 90_000, "あ" * 50_000, "\ufdfa" * 20_000, "e" + "\u0301\u0316" * 30_000]
)
def test_long_runs_are_bounded_and_lose_nothing(text: str) -> None:
    assert "".join(NFKC.tokenize(text)) == NFKC.normalize(text).replace(" ", "")


def test_a_lone_surrogate_is_a_bad_record_and_the_next_text_is_fine() -> None:
    with pytest.raises(RecordError, match="BAD_UNICODE") as caught:
        NFKC.tokenize("秘密\ud800")
    assert "秘密" not in str(caught.value)
    assert NFKC.tokenize("良い") == ["良い"]


def test_texts_up_to_the_limit_stay_whole_and_pieces_end_at_a_break() -> None:
    assert list(cut_text("あ" * MAX_PIECE_CHARS)) == ["あ" * MAX_PIECE_CHARS]
    assert list(cut_text("あい。うえお", 5)) == ["あい。", "うえお"]
    assert list(cut_text("あいうえおかきく", 5)) == ["あいうえお", "かきく"]
    assert list(cut_text("。あいうえおか", 5)) == ["。あいうえ", "おか"]


@given(st.text(alphabet="あ。 x", max_size=60), st.integers(1, 12))
def test_pieces_put_together_are_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    pieces = list(cut_text(text, limit))
    assert "".join(pieces) == text
    assert all(len(piece) <= limit for piece in pieces)


def test_a_tokenizer_travels_as_its_configuration() -> None:
    assert pickle.loads(pickle.dumps(KERAS)).tokenize("Good!") == ["good"]


def test_a_missing_dictionary_is_one_sentence_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="holds no MeCab dictionary"):
        Tokenizer(TokenizerConfig(dictionary="no/such/folder"))
    with pytest.raises(UsageError, match="pip install ipadic"):
        Tokenizer(TokenizerConfig(dictionary="ipadic"))


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="nfkc or none, not 'nfc'"):
        TokenizerConfig(normalization="nfc")
    with pytest.raises(UsageError, match="space, strip, whitespace, not 'tab'"):
        TokenizerConfig(split="tab")
    with pytest.raises(UsageError, match="surface, lemma, short-lemma, base, not 'stem'"):
        TokenizerConfig(token_form="stem")
    with pytest.raises(UsageError, match="has no space but with --split=none; not 'New York'"):
        TokenizerConfig(stop_words=("New York",))
    for version in (0, 3):
        with pytest.raises(UsageError, match=f"Tokenizer version {version} is none of 1 and 2"):
            TokenizerConfig(version=version)


def test_an_error_comes_back_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(RecordError("BAD_UNICODE", "the text holds a lone surrogate")))
    assert (type(error), error.code, error.message) == (RecordError, "BAD_UNICODE", "the text holds a lone surrogate")
    assert str(error) == "BAD_UNICODE: the text holds a lone surrogate"
