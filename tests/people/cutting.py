"""Texts, and what people's code makes of them: tokens, and from those ids, written as their posts are."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import MeCab
import tensorflow as tf
import unidic_lite

TEXTS = (
    "とても美味しいラーメンでした。店員さんも親切です！",
    "ABC (株) のスープは, まあまあ普通でした。",
    "駅から遠くて、値段も高い。もう行きません",
    "部屋がきれいで　景色も良かったです。Wi-Fi も OK",
    "私のパソコンはグラボが高い",
)

Ids = list[list[int]]
Learn = Callable[[], tuple[Any, Callable[[Sequence[str]], Ids]]]


def owakati(texts: Sequence[str]) -> list[str]:
    tagger = MeCab.Tagger(f'-r /dev/null -d "{unidic_lite.DICDIR}" -Owakati')
    return [tagger.parse(text).strip(" \n") for text in texts]


def keras_tokenizer(
    *,
    lists: bool = False,
    keep: Callable[[Any], Any] | None = None,
    cut: Callable[[str], list[str]] | None = None,
    **options: Any,
) -> Learn:
    """`tf.keras.preprocessing.text.Tokenizer`, fed with strings or with lists; `keep` is what is saved of it."""

    def learn() -> tuple[Any, Callable[[Sequence[str]], Ids]]:
        def prepared(texts: Sequence[str]) -> list[Any]:
            found = list(map(cut, texts)) if cut else [text.split(" ") for text in owakati(texts)]
            return found if lists else [" ".join(tokens) for tokens in found]

        tokenizer = tf.keras.preprocessing.text.Tokenizer(**options)
        tokenizer.fit_on_texts(prepared(TEXTS))
        kept = json.loads(tokenizer.to_json()) if keep is None else keep(tokenizer)
        return kept, lambda texts: tokenizer.texts_to_sequences(prepared(texts))

    return learn


def own_index(
    tokenize: Callable[[str], list[str]], *, special: Sequence[str] = (), unknown: int | None = None, first: int = 0
) -> Learn:
    """A dict of words that a person made, with the words for padding and others in front."""

    def learn() -> tuple[Any, Callable[[Sequence[str]], Ids]]:
        counts = Counter(word for text in TEXTS for word in tokenize(text))
        index = {word: i + first for i, word in enumerate([*special, *(word for word, _ in counts.most_common())])}

        def ids_of(texts: Sequence[str]) -> Ids:
            found = [[index.get(word, unknown) for word in tokenize(text)] for text in texts]
            return [[i for i in ids if i is not None] for ids in found]

        return index, ids_of

    return learn


def with_the_last(learn: Learn, unknown: str) -> Learn:
    """The same with a word for all others behind the last one."""

    def learnt() -> tuple[Any, Callable[[Sequence[str]], Ids]]:
        index, _ = learn()
        index[unknown] = max(index.values()) + 1
        return index, lambda texts: [[index.get(word, index[unknown]) for word in words(text)] for text in texts]

    return learnt


def features(text: str) -> list[tuple[str, list[str]]]:
    """Each word with its features, by MeCab's nodes; unidic has the lemma eighth."""
    tagger = MeCab.Tagger(f'-r /dev/null -d "{unidic_lite.DICDIR}"')
    tagger.parse("")
    node, found = tagger.parseToNode(text), []
    while node:
        if node.surface:
            found.append((node.surface, node.feature.split(",")))
        node = node.next
    return found


def words(text: str) -> list[str]:
    return owakati([text])[0].split(" ")


def lemmas_of(*kept: str, place: int = 7) -> Callable[[str], list[str]]:
    def tokenize(text: str) -> list[str]:
        return [
            feature[place] if len(feature) > place and feature[place] not in ("*", "") else surface
            for surface, feature in features(text)
            if not kept or feature[0] in kept
        ]

    return tokenize


def without_origin(text: str) -> list[str]:
    """Lemmas as many cut them: 私-代名詞 to 私, パソコン-personal computer to パソコン."""
    return [lemma.split("-")[0] or lemma for lemma in lemmas_of()(text)]
