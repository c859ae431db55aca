"""NFKC by runs is NFKC: whatever stands beside what, as `unicodedata` has it."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from saiten.model.text.pieces import _UNSETTLED, nfkc

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
    assert len(settled) == 95 + 27 + 86 + 94 + 6592 + 20_992
    assert [one for one in settled if unicodedata.normalize("NFKC", one) != one or unicodedata.combining(one)] == []
    decomposed = (unicodedata.decomposition(character).split() for character in _CHARACTERS)
    seconds = {chr(int(parts[1], 16)) for parts in decomposed if len(parts) == 2 and not parts[0].startswith("<")}
    assert settled & seconds == set()


@given(st.text(st.one_of(st.sampled_from(_MIXED), st.characters())))
def test_any_text(text: str) -> None:
    assert nfkc(text) == unicodedata.normalize("NFKC", text)
