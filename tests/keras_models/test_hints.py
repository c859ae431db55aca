"""What a word index looks like that no flag says: a guess in one line each, and none where it fits the flags."""

import dataclasses
from typing import Any

import pytest

from saiten.model.keras_models.keras_tokenizer import WordIndex
from saiten.model.keras_models.tokenizer_settings import hints
from saiten.model.text.tokenizer import TokenizerConfig

MANY = {
    word: i
    for i, word in enumerate(
        ["の", "ＡＢＣ", "Abc", "7", *"山川海空花木火水土金石竹虫貝犬猫馬牛鳥魚夏冬秋春朝昼夜東西"], 1
    )
}
# As IPADIC cuts them, and unidic-lite does not.
OTHER_WORDS = ("という", "として", "について", "により")
LOANS = ("パソコン", "テレビ", "ラジオ", "カメラ", "ホテル")
HINTS = {
    "prefix": ({**MANY, "<s>": 98, "</s>": 99}, "the word index holds <s>, </s>: if put around texts"),
    "nfkc": ({**MANY, "ＡＢＣ": None}, "no word holds a full-width letter or mark"),
    "digits": ({**MANY, "7": None, "0": 99}, "no word holds a digit but 0"),
    "capitals": ({**MANY, "Abc": None, "ABC": 99}, "no word holds a small letter"),
    "stop words": ({**MANY, "の": None}, "the word index has none of 、 。 が で に の は を"),
    "lemmas": (
        {**MANY, "為る": 99},
        "the word index holds 為る, as dictionary forms are: if its words are lemmas, give --token_form=lemma",
    ),
    "another word for all": ({"その他": 1, **{word: i + 1 for word, i in MANY.items()}}, "id 1 is 'その他', before"),
    "a space": (
        {**MANY, "New York": 99},
        "the word index holds 'New York', and tokens end at a space: if none was cut, give --split=none",
    ),
    "lemmas with their origin": (
        {**MANY, "グラボ-graphics board": 99},
        "the word index holds グラボ-graphics board, as dictionary forms are: if its words are lemmas, give --token_",
    ),
    "lemmas without it": (
        {**MANY, "為る": 99, **{word: 60 + i for i, word in enumerate(LOANS)}},
        "the word index holds 為る, as dictionary forms are: if its words are lemmas, give --token_form=short-lemma",
    ),
    "base forms": (
        {**MANY, "する": 99},
        "the word index holds する or いる and no form such as まし: if its words are base forms",
    ),
    "another dictionary": (
        {**MANY, **{word: 90 + i for i, word in enumerate(OTHER_WORDS)}},
        "11% of the index's words are several tokens to MeCab with unidic-lite: if another dictionary cut them, give",
    ),
}


# feature[6] of unidic, and the characters of one kind that stand side by side.
READINGS = (
    "ワタクシ ハ ラーメン ヲ タベル ガ オイシイ ダ デス マス タ テ ニ デ モ ノ ト コノ ミセ イク クル "
    "キレイ ヘヤ タカイ ヤスイ エキ トオイ"
)
RUNS = (
    "とても 美味 しいです 私 はこのお 店 が 好 きでした 駅 からも 遠 くありません 値段 も 高 いけれど "
    "部屋 がきれいで 景色 も 良 かったです 店員 さんが 親切 でまた 行 きたいと 思 いました もう 一度 "
    "食 べましょうか 次 に 来 るときは 予約 していこう"
)
OF_NO_FLAG = {
    "readings": (READINGS, "nearly all words are in katakana, as readings are, such as feature[6] of unidic: no flag"),
    "runs of one kind of characters": (
        RUNS,
        r"41% of the index's words are several tokens to MeCab with unidic-lite: if",
    ),
}


@pytest.mark.parametrize(("words", "begins"), OF_NO_FLAG.values(), ids=OF_NO_FLAG)
def test_no_flag_is_named_for_words_that_none_makes(words: str, begins: str) -> None:
    """Words of which none is の looked as if some had been left out, and --keep_pos was named, which does not help."""
    more = {f"{word}・": 100 + i for i, word in enumerate("〇△□☆")}
    hint, *others = hints_of({**{word: i for i, word in enumerate(dict.fromkeys(words.split()), 1)}, **more})
    assert not [other for other in others if not other.startswith("id 1 is")]
    assert hint.startswith(begins)
    assert "train the model again" in hint
    assert len(hint) <= 300


def hints_of(ids: Any, oov_token: str | None = None, **said: Any) -> list[str]:
    index = WordIndex({word: i for word, i in ids.items() if i}, oov_token=oov_token, is_plain=True)
    return list(hints(index, TokenizerConfig(**{"normalization": "none", **said})))


@pytest.mark.parametrize(("ids", "begins"), HINTS.values(), ids=HINTS)
def test_what_a_word_index_looks_like_is_hinted_at(ids: Any, begins: str) -> None:
    (hint,) = hints_of(ids)
    assert hint.startswith(begins)


def test_what_flags_say_needs_no_hint() -> None:
    assert hints_of(MANY) == hints_of({"良い": 1}) == []
    of_all = {**MANY, "ＡＢＣ": None, "の": None, "為る": 98, "<s>": 99}
    assert hints_of(of_all, normalization="nfkc", keep_pos=("名詞",), token_form="lemma", prefix_token="<s>") == []
    of_lemmas = {**MANY, **{word: 90 + i for i, word in enumerate(OTHER_WORDS)}}
    assert hints_of(of_lemmas, token_form="lemma") == []
    assert hints_of({**MANY, "其": 1, "の": 40}) == []  # whose first word says nothing: it is sorted otherwise


def test_full_width_spaces_are_hinted_at_where_they_would_be_oov_words() -> None:
    index = {**MANY, "<UNK>": 99}
    (hint,) = hints_of(index, "<UNK>")
    assert hint.startswith("no word is a full-width space, so one is read as an OOV word: after split(), give --split")
    assert hints_of(index, "<UNK>", split="whitespace") == hints_of({**index, "\u3000": 98}, "<UNK>") == []


FORMS = {
    "base forms for lemmas": (
        "lemma",
        {"する": 99},
        "the word index holds する and no lemma such as 為る: if its words are",
    ),
    "base forms for short lemmas": ("short-lemma", {"する": 99}, "the word index holds する and no lemma such as 為る"),
    "short lemmas for lemmas": (
        "lemma",
        {word: 60 + i for i, word in enumerate(LOANS)},
        "the word index holds no lemma with its origin, such as パソコン-personal computer: if that was cut off, give",
    ),
    "lemmas that were cut at their spaces": (
        "lemma",
        {"為る": 98, "パソコン-personal": 99},
        "the word index holds パソコン-personal, a lemma up to its space: if lemmas were joined and cut, give",
    ),
    "lemmas for short lemmas": (
        "short-lemma",
        {"グラボ-graphics board": 99},
        "the word index holds グラボ-graphics board, a lemma with its origin: if none was cut off, give",
    ),
    "lemmas for base forms": ("base", {"為る": 99}, "the word index holds 為る, as dictionary forms are: if its words"),
    "words as written for base forms": (
        "base",
        {"まし": 98, "でし": 99},
        "the word index holds でし まし, which are no",
    ),
    "words as written for lemmas": ("lemma", {"だっ": 99}, "the word index holds だっ, which are no dictionary forms"),
}


@pytest.mark.parametrize(("token_form", "words", "begins"), FORMS.values(), ids=FORMS)
def test_words_in_another_form_are_hinted_at(token_form: str, words: dict[str, int], begins: str) -> None:
    (hint,) = hints_of({**MANY, **words}, token_form=token_form, split="none")
    assert hint.startswith(begins)
    assert len(hint) <= 300


def test_words_in_the_form_that_is_asked_for_need_no_hint() -> None:
    lemmas = {**MANY, "する": 99, "為る": 98, **{f"{word}-a b": 60 + i for i, word in enumerate(LOANS)}}
    assert hints_of(lemmas, token_form="lemma", split="none") == []
    short = {**MANY, "為る": 98, **{word: 60 + i for i, word in enumerate(LOANS)}}
    assert hints_of(short, token_form="short-lemma", split="none") == []
    assert hints_of(short, token_form="lemma", filters="-") == []
    assert hints_of({**MANY, "する": 99}, token_form="base", split="none") == []
    assert hints_of({**MANY, "する": 99, "まし": 98}) == []


def test_an_id_that_no_token_can_have_is_hinted_at() -> None:
    """With the id behind the last word for all others 151 of 165 texts scored otherwise, without a word."""

    def with_ids(n_ids: int, **changed: Any) -> list[str]:
        index = WordIndex({"良い": 1, "悪い": 2}, is_plain=True)
        return list(hints(dataclasses.replace(index, **changed), TokenizerConfig(), n_ids))

    (hint,) = with_ids(4)
    assert hint == (
        "the words end at id 2, and the model takes 3 too: if that stood for all others, name it in the file, as "
        '"<UNK>": 3 does, and give --oov=token'
    )
    assert with_ids(3) == with_ids(5) == with_ids(4, oov_token="悪い") == with_ids(4, num_words=2) == []
    (hint,) = with_ids(3, ids={"": 1, "良い": 2})
    assert hint.startswith("the word index holds an empty word, as split(' ') makes of two spaces: Saiten makes none")
