"""What the words of an index look like that no setting says: a guess each, of what would make scores wrong."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig

# What any Japanese text holds, dictionary forms that no text holds, and forms that are none and that all texts hold.
COMMONEST = frozenset("のはをにがで、。")
_LEMMAS_ONLY = frozenset(("為る", "居る", "有る", "成る", "其の", "此の"))
_INFLECTED = frozenset(("まし", "でし", "なっ", "あっ", "だっ", "なかっ"))
_WITH_ORIGIN = re.compile(r"[^\x00-\x7f]-[ A-Za-z]")
# What is left of unidic's commonest lemmas with a space, such as パソコン-personal computer, where they are cut at it.
_CUT_LEMMAS = frozenset(("パソコン-personal", "エアコン-air", "パトカー-patrol", "ワープロ-word", "セクハラ-sexual"))
_LOAN = re.compile("[ァ-ヴー]{3,}")
_SOME_LOANS = 5
_MARKED = re.compile(r"[\W_].*[\W_]")
# Cut alone, 2 of 100 of a dictionary's own words are several tokens, 5 to 16 of another's, 9 of 10 whole texts.
_ENOUGH_WORDS, _MOST_CUT, _NO_WORDS = 5_000, 0.04, 0.25
# Readings hold long vowels and nothing but katakana, but for marks and letters, which have none.
_READING, _MOSTLY = re.compile("[ァ-ヴー]+"), 0.8


def is_marked(word: str) -> bool:
    """Tells whether a word stands in marks, as ``<s>`` and ``[CLS]`` do."""
    return _MARKED.fullmatch(word) is not None


def hints_of_words(words: Sequence[str], config: TokenizerConfig) -> Iterator[str]:
    """Yields what words look like, for a person who knows how they were made.

    Args:
        words: Of texts, not those that stand for others.
        config: How texts will become tokens.
    """
    found = set(words)
    if sum(map(bool, map(_READING.fullmatch, words))) >= _MOSTLY * len(words):
        yield (
            "nearly all words are in katakana, as readings are, such as feature[6] of unidic: no flag makes tokens of "
            "those; train the model again on words, lemmas or base forms"
        )
        return
    several = _share_of_several(words, config) if config.token_form == "surface" else 0.0
    of_forms = list(_hints_of_forms(found, config))
    if several > _NO_WORDS and not of_forms:
        yield (
            f"{several:.0%} of the index's words are several tokens to MeCab with {config.dictionary}: if a dictionary "
            "of long words cut them, such as NEologd, give --dictionary; if something else did, such as a regular "
            "expression, no flag helps: train the model again on MeCab's words"
        )
        return
    yield from _hints_of_characters(set("".join(words)), config)
    if not (config.keep_pos or config.stop_words) and not COMMONEST & found:
        yield f"the word index has none of {' '.join(sorted(COMMONEST))}: if left out, give --keep_pos or --stop_words"
    yield from of_forms
    if several > _MOST_CUT:
        yield (
            f"{several:.0%} of the index's words are several tokens to MeCab with {config.dictionary}: if another "
            "dictionary cut them, give --dictionary; words of no MeCab cannot be scored"
        )


def _hints_of_characters(characters: set[str], config: TokenizerConfig) -> Iterator[str]:
    if config.normalization == "none" and not any(unicodedata.normalize("NFKC", each) != each for each in characters):
        yield "no word holds a full-width letter or mark: if texts were normalised, give --normalization=nfkc"
    if "0" in characters and not characters & set("123456789"):
        yield "no word holds a digit but 0: if digits became 0, do the same to the texts that are scored"
    if any(each.isupper() for each in characters) and not any(each.islower() for each in characters):
        yield "no word holds a small letter: if texts were put in capitals, do the same to those that are scored"


def _hints_of_forms(words: set[str], config: TokenizerConfig) -> Iterator[str]:
    form = config.token_form
    with_origin = min(filter(_WITH_ORIGIN.search, words), default="")
    lemma = min(_LEMMAS_ONLY & words, default="")
    has_loans = sum(map(bool, map(_LOAN.fullmatch, words))) >= _SOME_LOANS
    is_short = has_loans and not with_origin
    inflected = " ".join(sorted(_INFLECTED & words)[:3])
    is_of_lemmas, has_bases = form in ("lemma", "short-lemma"), bool({"する", "いる"} & words)
    said = {
        f"holds {with_origin or lemma}, as dictionary forms are: if its words are lemmas, give --token_form="
        + ("short-lemma" if is_short else "lemma"): not is_of_lemmas and bool(with_origin or lemma),
        "holds する or いる and no form such as まし: if its words are base forms, give --token_form=base": (
            form == "surface" and has_bases and not inflected
        ),
        f"holds {with_origin}, a lemma with its origin: if none was cut off, give --token_form=lemma": (
            form == "short-lemma" and bool(with_origin)
        ),
        "holds する and no lemma such as 為る: if its words are base forms, give --token_form=base": (
            is_of_lemmas and "する" in words and not lemma
        ),
        "holds no lemma with its origin, such as パソコン-personal computer: if that was cut off, give "
        "--token_form=short-lemma": form == "lemma" and is_short and "-" not in config.filters,
        f"holds {inflected}, which are no dictionary forms: if its words are as written, leave out --token_form": (
            form != "surface" and bool(inflected)
        ),
    }
    yield from (f"the word index {what}" for what in [what for what, holds in said.items() if holds][:1])
    spaced = min((word for word in words if " " in word and (is_of_lemmas or word != with_origin)), default=None)
    if spaced is not None and config.split != "none":
        yield f"the word index holds {spaced!r:.40}, and tokens end at a space: if none was cut, give --split=none"
    cut = min(_CUT_LEMMAS & words, default=None)
    if cut is not None and config.split == "none":
        yield f"the word index holds {cut}, a lemma up to its space: if lemmas were joined and cut, give --split=space"


def _share_of_several(words: Sequence[str], config: TokenizerConfig) -> float:
    """Cuts words of the index alone: those that the same dictionary made nearly all stay whole."""
    tokenizer = Tokenizer(replace(config, keep_pos=(), stop_words=(), prefix_token=None, suffix_token=None), "mecab")
    some = [word for word in words[:: len(words) // _ENOUGH_WORDS + 1] if not is_marked(word)]
    segmented, _ = tokenizer.segment_all(some)
    return sum(" " in word for word in segmented) / max(1, len(some))
