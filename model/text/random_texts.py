"""Texts that nobody wrote, to compare segmenters on: all of Unicode, all scripts mixed, and given texts mutated."""

import random
from collections.abc import Iterator, Sequence

# Runs of a kind up to beyond what MeCab groups (24 more characters than the first), and once in a while far beyond.
_RUN_LENGTHS = (1, 1, 1, 2, 2, 3, 4, 6, 9, 15, 16, 17, 23, 24, 25, 26, 27, 40)
_LONG_RUN, _LONG_SHARE = 2_000, 0.002
_SCRIPTS = (
    range(0x3041, 0x3097), range(0x3041, 0x3097), range(0x30A1, 0x30FF), range(0x4E00, 0x4F00), range(0x4E00, 0xA000),
    range(0x30, 0x3A), range(0x21, 0x7F), range(0x61, 0x7B), range(0xFF10, 0xFF5F), range(0xFF61, 0xFFA0),
    range(0x3000, 0x3020), range(0xA0, 0x250), range(0x370, 0x400), range(0x400, 0x460), range(0x300, 0x340),
    range(0x2000, 0x2070), range(0x2150, 0x2190), range(0x1F300, 0x1F650), range(0x20000, 0x20100),
    range(0xE000, 0xE010), range(0xFFF0, 0x10010), range(0x10FFF0, 0x110000),
)  # fmt: skip
_COMMON = "のにはをがとでもたしいなるてんだすまか、。・ー々〇一二三十百千万０1年月日人大国本東京 "
_FIRST_SURROGATE, _LAST_SURROGATE, _LAST = 0xD800, 0xDFFF, 0x10FFFF


def random_texts(n: int, seed: int, samples: Sequence[str] = ()) -> Iterator[str]:
    """Yields texts, the same ones for the same arguments.

    Args:
        n: How many.
        seed: Another one gives other texts.
        samples: Real texts; a half of what is made are pieces of those, changed.
    """
    source = random.Random(seed)
    for _ in range(n):
        if samples and source.random() < 0.5:
            yield _mutated(source.choice(samples), source)
        else:
            yield "".join(_run(source) for _ in range(source.randrange(1, 12)))


def _run(source: random.Random) -> str:
    kind = source.random()
    length = _LONG_RUN if source.random() < _LONG_SHARE else source.choice(_RUN_LENGTHS)
    if kind < 0.3:
        return "".join(source.choices(_COMMON, k=length))
    if kind < 0.4:
        return source.choice(" \u3000\u00a0\t\n") * length
    if kind < 0.5:
        return "".join(_any_character(source) for _ in range(min(length, 9)))
    script = source.choice(_SCRIPTS)
    if kind < 0.6:
        return chr(source.choice(script)) * length
    return "".join(map(chr, source.choices(script, k=length)))


def _any_character(source: random.Random) -> str:
    code = source.randrange(1, _LAST + 1 if source.random() < 0.3 else 0x10000)
    return " " if _FIRST_SURROGATE <= code <= _LAST_SURROGATE else chr(code)


def _mutated(text: str, source: random.Random) -> str:
    start = source.randrange(len(text) + 1)
    piece = list(text[start : start + source.choice((5, 20, 60, 200))])
    for _ in range(source.randrange(4)):
        place = source.randrange(len(piece) + 1)
        change = source.randrange(4)
        if change == 0:
            piece[place : place + 1] = []
        elif change == 1:
            piece[place:place] = _run(source)
        elif change == 2:
            piece[place : place + 1] = _any_character(source)
        else:
            other = source.randrange(len(piece) + 1)
            piece[place:place] = piece[other : other + 8]
    return "".join(piece)
