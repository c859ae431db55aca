"""What a MeCab dictionary says of a word: its part of speech and its dictionary form."""

import csv
from collections.abc import Collection

# Where the dictionary form stands: unidic has 26 or 29 features and a lemma, ipadic 9 and a base form.
_UNIDIC_FEATURES, _LEMMA, _BASE_FORM = 17, 7, 6
_N_POS = 4


def lemma_of(surface: str, features: str) -> str:
    """Returns a word's dictionary form; its surface where the dictionary has none, as for words that it does not know.

    >>> lemma_of("高かっ", "形容詞,自立,*,*,形容詞・アウオ段,連用タ接続,高い,タカカッ,タカカッ")
    '高い'
    """
    values = _values(features)
    place = _LEMMA if len(values) >= _UNIDIC_FEATURES else _BASE_FORM
    lemma = values[place] if place < len(values) else ""
    return surface if lemma in ("", "*") or " " in lemma else lemma


def is_kept(features: str, kept: Collection[str]) -> bool:
    """Tells whether a word is of one of the parts of speech, such as ``名詞``, or more closely ``名詞-固有名詞``.

    >>> is_kept("名詞,固有名詞,地域,一般,*,*,東京", ["動詞", "名詞-固有名詞"])
    True
    """
    parts = _values(features)[:_N_POS]
    return any("-".join(parts[:n]) in kept for n in range(1, len(parts) + 1))


def _values(features: str) -> list[str]:
    return next(csv.reader([features])) if '"' in features else features.split(",")
