"""Small labelled corpora with something to learn in them."""

import random
from collections.abc import Iterator

_GOOD = ("とても美味しい", "最高の味だ", "大満足です", "素晴らしい料理")
_BAD = ("まずい料理だ", "二度と行かない", "ひどい味です", "残念な対応")
_FILLER = ("駅の近くにある店。", "昨日は家族と行った。", "窓から海が見える。", "席は二階にもある。")


def reviews(n: int, seed: int = 0) -> Iterator[tuple[str, list[float]]]:
    """Yields texts of different lengths with two labels: how good it is, from 0 to 1, and how bad."""
    rng = random.Random(seed)
    for _ in range(n):
        is_good = rng.random() < 0.5
        phrase = rng.choice(_GOOD if is_good else _BAD)
        before = "".join(rng.choices(_FILLER, k=rng.randrange(4)))
        after = "".join(rng.choices(_FILLER, k=rng.randrange(3)))
        yield f"{before}{phrase}。{after}", [float(is_good), float(not is_good)]
