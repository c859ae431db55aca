"""NFKC by runs is NFKC, whatever stands beside what; and pieces are the same, a text or a block at a time."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.text.pieces import _UNSETTLED, MAX_PIECE_CHARS, nfkc, pieces_of, short_pieces, to_utf8

_CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1)]
# Marks that compose, kana that do, half-width ones, jamo of each kind, composites, ligatures, and what stays.
_MIXED = (
    "aeQ=1 。「かはゝカハヽ漢々\u3000\u0301\u0308\u0323\u0338\u3099\u309aﾊﾞﾟﾊカ"
    "゛゜ｗＡ９①㍿ﬁ\ufdfaé\u1e9b가\u1100\u1161\u11a8한\U0001d15e\U00016d63"
)


def test_every_character_beside_those_that_stay() -> None:
    """In one text, each between letters that marks compose with."""
    text = "".join(f"か{character}eか" for character in _CHARACTERS)
    assert nfkc(text) == unicodedata.normalize("NFKC", text)


def test_what_is_left_alone_stays_and_composes_with_nothing_before_it() -> None:
    settled = {character for character in _CHARACTERS if not _UNSETTLED.match(character)}
    assert len(settled) == 1 + 95 + 27 + 86 + 94 + 6592 + 20_992
    assert [one for one in settled if unicodedata.normalize("NFKC", one) != one or unicodedata.combining(one)] == []
    decomposed = (unicodedata.decomposition(character).split() for character in _CHARACTERS)
    seconds = {chr(int(parts[1], 16)) for parts in decomposed if len(parts) == 2 and not parts[0].startswith("<")}
    assert settled & seconds == set()


@given(st.text(st.one_of(st.sampled_from(_MIXED), st.characters())))
def test_any_text(text: str) -> None:
    assert nfkc(text) == unicodedata.normalize("NFKC", text)


@given(st.lists(st.text(st.one_of(st.sampled_from(_MIXED + "\r\x1f\x85"), st.characters(codec="utf-8"))), min_size=1))
def test_pieces_of_a_block_are_those_of_its_texts(texts: list[str]) -> None:
    """Of one whose texts are of one line, as most are; others go a text at a time."""
    for normalization in ("nfkc", "none"):
        each = [[to_utf8(piece) for piece in pieces_of(text, normalization)] for text in texts]
        at_once = short_pieces(texts, normalization)
        assert (at_once is None) == any("\n" in text for text in texts)
        assert at_once is None or [[piece] for piece in at_once] == each


@pytest.mark.parametrize(
    "odd", ["a\nb", "a\ud800", "あ" * (MAX_PIECE_CHARS // 3 + 1), "a" * (MAX_PIECE_CHARS + 1), "\ufdfa" * 900]
)
def test_a_text_that_may_be_more_than_a_piece_or_none_is_left(odd: str) -> None:
    """The last one is short, but not in NFKC."""
    assert short_pieces(["良い", odd], "nfkc") is None
    assert short_pieces(["良い", "悪い"], "nfkc") == ["良い".encode(), "悪い".encode()]
