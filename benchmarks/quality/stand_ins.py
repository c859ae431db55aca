"""Small corpora made of the news' training part, for choosing settings: short and longer texts, few classes.

No article gives texts to both parts of a corpus, and the news' test part is not read.
"""

import json
import pathlib
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_SEED = 5
_TRAINING_ARTICLES, _TRAINING_TITLES = 3_600, 4_400
_SENTENCE_END = re.compile(r"(?<=[。！？])|[ 　]+")
_SHORTEST = 8
_TEXTS_OF_AN_ARTICLE = 3
_GROUPS = {
    "dokujo-tsushin": "x", "peachy": "x", "livedoor-homme": "x", "it-life-hack": "y", "kaden-channel": "y",
    "smax": "y", "movie-enter": "z", "sports-watch": "z", "topic-news": "z",
}  # fmt: skip

Pair = tuple[str, str]


@dataclass(frozen=True)
class StandIn:
    """A corpus that is made.

    Attributes:
        characters: A text has so many at least, and twice as many at most.
        class_of: The class of a category.
        shares: Of each class; texts of other classes are left out.
        n_training, n_test: Texts of the two parts.
    """

    characters: int
    class_of: Callable[[str], str]
    shares: Mapping[str, float]
    n_training: int
    n_test: int


STAND_INS: Mapping[str, StandIn] = {
    "short-uneven": StandIn(30, lambda name: _GROUPS[name], {"z": 0.608, "x": 0.25, "y": 0.142}, 5_000, 2_000),
    "short-two": StandIn(
        30,
        lambda name: "p" if _GROUPS[name] == "x" or name == "topic-news" else "q",
        {"q": 0.629, "p": 0.371},
        5_000,
        2_500,
    ),
    "longer-even": StandIn(
        150, lambda name: name, dict.fromkeys(("kaden-channel", "it-life-hack", "smax"), 1 / 3), 3_000, 1_200
    ),
}
PART_OF_TITLES = "part-of-titles"


def make_stand_ins(news: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes ``<name>-train.jsonl`` and ``<name>-test.jsonl`` for each, with the fields `text` and `category`.

    Args:
        news: The news' ``train.jsonl``.
        folder: Where to.
    """
    folder.mkdir()
    rows = [json.loads(line) for line in news.open(encoding="utf-8")]
    generator = random.Random(_SEED)
    generator.shuffle(rows)
    for name, made in STAND_INS.items():
        sides = (
            ("train", rows[:_TRAINING_ARTICLES], made.n_training),
            ("test", rows[_TRAINING_ARTICLES:], made.n_test),
        )
        for side, articles, count in sides:
            pairs = list(_snippets(articles, made.characters, generator))
            generator.shuffle(pairs)
            named = [(text, made.class_of(category)) for text, category in pairs]
            _write(folder / f"{name}-{side}.jsonl", _with_shares(named, made.shares, count, generator))
    titles = [(row["title"], row["category"]) for row in rows]
    _write(folder / f"{PART_OF_TITLES}-train.jsonl", titles[:_TRAINING_TITLES])
    _write(folder / f"{PART_OF_TITLES}-test.jsonl", titles[_TRAINING_TITLES:])


def _snippets(articles: Sequence[Mapping[str, str]], characters: int, generator: random.Random) -> Iterator[Pair]:
    for article in articles:
        body = article["text"][len(article["title"]) :]
        sentences = [part for part in _SENTENCE_END.split(body) if part and len(part) > _SHORTEST]
        for _ in range(_TEXTS_OF_AN_ARTICLE if sentences else 0):
            place, text = generator.randrange(len(sentences)), ""
            while place < len(sentences) and len(text) < characters:
                text += sentences[place]
                place += 1
            yield text[: 2 * characters], article["category"]


def _with_shares(
    pairs: Sequence[Pair], shares: Mapping[str, float], count: int, generator: random.Random
) -> list[Pair]:
    chosen = []
    for name, share in shares.items():
        of_class = [pair for pair in pairs if pair[1] == name]
        chosen += of_class[: round(count * share)]
    generator.shuffle(chosen)
    return chosen


def _write(path: pathlib.Path, pairs: Sequence[Pair]) -> None:
    lines = (json.dumps({"text": text, "category": category}, ensure_ascii=False) for text, category in pairs)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
