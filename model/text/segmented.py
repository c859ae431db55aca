"""Segmented text: tokens with one ASCII space between, in one string, which files and Arrow take as it is.

A token that holds a space, such as unidic's lemma ``パソコン-personal computer``, has a control character in its
place, which no text holds once it was cut into pieces.
"""

from collections.abc import Iterable

INNER_SPACE = "\x1f"


def as_token(word: str) -> str:
    """Returns a word as a token of a segmented text, its spaces included."""
    return word.replace(" ", INNER_SPACE)


def joined(words: Iterable[str], *, whole: bool) -> str:
    """Returns words with spaces between: a token each, or, where not whole, as MeCab's -Owakati has them."""
    return " ".join(map(as_token, words) if whole else words).strip(" ")


def tokens_of(segmented: str) -> list[str]:
    """Returns the tokens of a segmented text.

    >>> tokens_of("良い " + as_token("New York"))
    ['良い', 'New York']
    """
    if not segmented:
        return []
    tokens = segmented.split(" ")
    return [token.replace(INNER_SPACE, " ") for token in tokens] if INNER_SPACE in segmented else tokens
