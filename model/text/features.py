"""What a MeCab dictionary says of a word: its part of speech and its dictionary form."""

import csv
from collections.abc import Collection, Iterator

# Where a form stands in unidic, which has 17 features and more, and in ipadic, which has 9 and one form.
_UNIDIC_FEATURES = 17
_IN_UNIDIC = {"lemma": 7, "short-lemma": 7, "base": 10}
_IN_IPADIC = 6
_N_POS = 4
_NONE = ("", "*")

TOKEN_FORMS = ("surface", *_IN_UNIDIC)
# What makes MeCab write a line for each word: its surface and its features, as the dictionary has them.
LINES = ("-O", "", r"-F%m\t%H\n", r"-U%m\t%H\n", r"-E\n")


def chosen_words(lines: str, form: str, kept: Collection[str], *, as_version_1: bool) -> Iterator[str]:
    """Yields the words of MeCab's lines.

    Args:
        lines: As `LINES` asks for.
        form: One of `TOKEN_FORMS`.
        kept: Parts of speech; none keeps all.
        as_version_1: A word whose form holds a space is taken as it is written.
    """
    for line in filter(None, lines.split("\n")):
        surface, _, features = line.partition("\t")
        if kept and not is_kept(features, kept):
            continue
        word = form_of(surface, features, form)
        yield surface if as_version_1 and " " in word else word


def form_of(surface: str, features: str, form: str) -> str:
    """Returns a word in one of `TOKEN_FORMS`, whole as the dictionary has it, spaces included.

    A word that the dictionary does not know, or has no such form of, stays as it is written. A lemma of unidic may
    have its origin or its kind behind it, which the short one leaves out.

    >>> form_of("高かっ", "形容詞,自立,*,*,形容詞・アウオ段,連用タ接続,高い,タカカッ,タカカッ", "lemma")
    '高い'
    """
    if form == "surface":
        return surface
    values = _values(features)
    place = _IN_UNIDIC[form] if len(values) >= _UNIDIC_FEATURES else _IN_IPADIC
    found = values[place] if place < len(values) else ""
    if found in _NONE:
        return surface
    return (found.split("-")[0] or found) if form == "short-lemma" else found


def is_kept(features: str, kept: Collection[str]) -> bool:
    """Tells whether a word is of one of the parts of speech, such as ``名詞``, or more closely ``名詞-固有名詞``.

    >>> is_kept("名詞,固有名詞,地域,一般,*,*,東京", ["動詞", "名詞-固有名詞"])
    True
    """
    parts = _values(features)[:_N_POS]
    return any("-".join(parts[:n]) in kept for n in range(1, len(parts) + 1))


def _values(features: str) -> list[str]:
    return next(csv.reader([features])) if '"' in features else features.split(",")
