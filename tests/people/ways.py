"""Ways in which people make padded matrices of Japanese texts, written as their posts are, and Saiten's flags for each.

A `Way` learns its words from `TEXTS` and returns the file that a person keeps of them, and the ids of any texts.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import MeCab
import tensorflow as tf
import unidic_lite

TEXTS = (
    "とても美味しいラーメンでした。店員さんも親切です！",
    "ABC (株) のスープは, まあまあ普通でした。",
    "駅から遠くて、値段も高い。もう行きません",
    "部屋がきれいで　景色も良かったです。Wi-Fi も OK",
)
UNSEEN = (
    *TEXTS,
    "とても親切な旅館で、abc のＡＢＣ　スープが美味しい！ また行きます",
    "高い値段でしたが、料理は美味しい。" * 3,
    "　部屋は普通です　",
    "良い",
)

Ids = list[list[int]]
Learn = Callable[[], tuple[Any, Callable[[Sequence[str]], Ids]]]


@dataclass(frozen=True)
class Way:
    """How texts became ids.

    Attributes:
        title: For the table.
        learn: Returns the JSON that is kept, and the function from texts to ids.
        flags: What `saiten bundle` has to be told.
    """

    title: str
    learn: Learn
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Padding:
    """As `pad_sequences` takes it."""

    padding: str
    truncating: str
    maxlen: int

    def matrix(self, ids: Ids) -> Any:
        return tf.keras.preprocessing.sequence.pad_sequences(
            ids, maxlen=self.maxlen, padding=self.padding, truncating=self.truncating
        )

    def __str__(self) -> str:
        return f"{self.padding}, {self.truncating}, {self.maxlen}"


PADDINGS = [Padding(*by, length) for length in (12, 40) for by in (("pre", "pre"), ("post", "post"), ("post", "pre"))]


def owakati(texts: Sequence[str]) -> list[str]:
    tagger = MeCab.Tagger(f'-r /dev/null -d "{unidic_lite.DICDIR}" -Owakati')
    return [tagger.parse(text).strip(" \n") for text in texts]


def keras_tokenizer(*, lists: bool = False, keep: Callable[[Any], Any] | None = None, **options: Any) -> Learn:
    """`tf.keras.preprocessing.text.Tokenizer`, fed with strings or with lists; `keep` is what is saved of it."""

    def learn() -> tuple[Any, Callable[[Sequence[str]], Ids]]:
        def prepared(texts: Sequence[str]) -> list[Any]:
            return [text.split(" ") for text in owakati(texts)] if lists else owakati(texts)

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


def lemmas_of(*kept: str) -> Callable[[str], list[str]]:
    def tokenize(text: str) -> list[str]:
        return [
            feature[7] if len(feature) > 7 and feature[7] not in ("*", "") else surface
            for surface, feature in features(text)
            if not kept or feature[0] in kept
        ]

    return tokenize


STOP_WORDS = ("は", "が", "の", "も", "です", "。", "、")
OPEN = ("--no-lower", "--filters=none")
SPECIAL = ("<PAD>", "<UNK>")

WAYS = (
    Way("Tokenizer(), `-Owakati` strings", keras_tokenizer()),
    Way('Tokenizer(oov_token="<OOV>")', keras_tokenizer(oov_token="<OOV>")),
    Way("Tokenizer(num_words=15)", keras_tokenizer(num_words=15)),
    Way('Tokenizer(num_words=15, oov_token="UNK")', keras_tokenizer(num_words=15, oov_token="UNK")),
    Way("Tokenizer(), lists of tokens", keras_tokenizer(lists=True), ("--tokenizer_input=tokens",)),
    Way(
        "Tokenizer(oov_token), lists of tokens",
        keras_tokenizer(lists=True, oov_token="<unk>"),
        ("--tokenizer_input=tokens",),
    ),
    Way('Tokenizer(filters="", lower=False)', keras_tokenizer(filters="", lower=False)),
    Way('Tokenizer(filters="。、!")', keras_tokenizer(filters="。、!")),
    Way("json.dump(tokenizer.to_json())", keras_tokenizer(keep=lambda tokenizer: tokenizer.to_json())),
    Way("json.dump(tokenizer.get_config())", keras_tokenizer(keep=lambda tokenizer: tokenizer.get_config())),
    Way(
        "tokenizer.word_index alone",
        keras_tokenizer(keep=lambda tokenizer: tokenizer.word_index),
        ("--tokenizer=keras-default",),
    ),
    Way(
        "tokenizer.word_index alone, with <OOV> and num_words",
        keras_tokenizer(keep=lambda tokenizer: tokenizer.word_index, oov_token="<OOV>", num_words=15),
        ("--tokenizer=keras-default", "--num_words=15"),
    ),
    Way(
        'own {word: id}, split(" "), <PAD> 0 and <UNK> 1',
        own_index(words, special=SPECIAL, unknown=1),
        ("--oov=token",),
    ),
    Way(
        "own {word: id}, split(), <PAD> 0 and <UNK> 1",
        own_index(lambda text: owakati([text])[0].split(), special=SPECIAL, unknown=1),
        ("--oov=token", "--split=whitespace"),
    ),
    Way("own {word: id} from 1, others dropped", own_index(words, first=1)),
    Way(
        "own {word: id}, lemmas of nouns, verbs and adjectives",
        own_index(lemmas_of("名詞", "動詞", "形容詞"), special=SPECIAL, unknown=1),
        ("--oov=token", "--token_form=lemma", "--keep_pos=名詞,動詞,形容詞", "--filters=none"),
    ),
    Way(
        "own {word: id}, lemmas",
        own_index(lemmas_of(), special=SPECIAL, unknown=1),
        ("--oov=token", "--token_form=lemma"),
    ),
    Way(
        "own {word: id}, stop words left out",
        own_index(lambda text: [word for word in words(text) if word not in STOP_WORDS], first=1),
        ("--stop_words=stop_words.txt",),
    ),
    Way(
        "own {word: id}, <s> before and </s> behind",
        own_index(lambda text: ["<s>", *words(text), "</s>"], first=1),
        ("--prefix_token=<s>", "--suffix_token=</s>"),
    ),
    Way(
        "own {word: id}, NFKC before MeCab",
        own_index(lambda text: words(unicodedata.normalize("NFKC", text)), special=SPECIAL, unknown=1),
        ("--oov=token", "--normalization=nfkc"),
    ),
)
# Further set-ups, tried with one network each and in no table.
MORE_WAYS = (
    Way("own {word: id} from 2, others dropped", own_index(words, first=2), ("--oov=drop",)),
    Way("own {word: id} from 1, <UNK> last", with_the_last(own_index(words, first=1), "<UNK>"), ("--oov=token",)),
    Way(
        'own {word: id}, strip() and split(" "), [UNK] 1',
        own_index(lambda text: owakati([text])[0].strip().split(" "), special=("[PAD]", "[UNK]"), unknown=1),
        ("--oov=token", "--split=strip"),
    ),
    Way(
        "own {word: id}, lower-cased behind MeCab",
        own_index(lambda text: [word.lower() for word in words(text)], special=SPECIAL, unknown=1),
        ("--oov=token", "--lower"),
    ),
    Way(
        "tokenizer.word_index, an OOV word of one's own",
        keras_tokenizer(keep=lambda tokenizer: tokenizer.word_index, oov_token="その他"),
        ("--tokenizer=keras-default", "--oov_token=その他"),
    ),
    Way(
        "tokenizer.word_index, lower=False and no filters",
        keras_tokenizer(keep=lambda tokenizer: tokenizer.word_index, lower=False, filters=""),
        ("--no-lower", "--filters=none"),
    ),
    Way(
        "tokenizer.word_index of lists of tokens",
        keras_tokenizer(lists=True, keep=lambda tokenizer: tokenizer.word_index),
        ("--tokenizer_input=tokens", "--lower"),
    ),
    Way(
        "own {word: id} with more words of its own",
        own_index(words, special=("<PAD>", "<UNK>", "<num>", "<url>"), unknown=1),
        ("--oov=token",),
    ),
)
