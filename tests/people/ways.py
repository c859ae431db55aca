"""Ways in which people make padded matrices of Japanese texts, and Saiten's flags for each.

A `Way` learns its words from `TEXTS` and returns the file that a person keeps of them, and the ids of any texts.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tests.people.cutting import (
    TEXTS,
    Ids,
    Learn,
    keras_tokenizer,
    lemmas_of,
    owakati,
    own_index,
    with_the_last,
    without_origin,
    words,
)

UNSEEN = (
    *TEXTS,
    "とても親切な旅館で、abc のＡＢＣ　スープが美味しい！ また行きます",
    "高い値段でしたが、料理は美味しい。" * 3,
    "　部屋は普通です　",
    "良い",
    "私はパソコンを持って行きました。ピンチでした",
)


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


STOP_WORDS = ("は", "が", "の", "も", "です", "。", "、", "　")
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
        'own {word: id}, lemmas up to their "-"',
        own_index(without_origin, special=SPECIAL, unknown=1),
        ("--oov=token", "--token_form=short-lemma"),
    ),
    Way(
        "own {word: id}, base forms",
        own_index(lemmas_of(place=10), special=SPECIAL, unknown=1),
        ("--oov=token", "--token_form=base"),
    ),
    Way("Tokenizer(), strings of lemmas", keras_tokenizer(cut=lemmas_of()), ("--token_form=lemma",)),
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
    Way(
        "own {word: id}, lemmas that were joined and split",
        own_index(lambda text: " ".join(lemmas_of()(text)).split(), special=SPECIAL, unknown=1),
        ("--oov=token", "--token_form=lemma", "--split=whitespace"),
    ),
    Way(
        "Tokenizer(), lists of lemmas",
        keras_tokenizer(cut=lemmas_of(), lists=True, oov_token="<unk>"),
        ("--tokenizer_input=tokens", "--token_form=lemma"),
    ),
    Way(
        'Tokenizer(filters=""), strings of lemmas',
        keras_tokenizer(cut=lemmas_of(), filters="", lower=False, oov_token="<unk>"),
        ("--token_form=lemma",),
    ),
    Way(
        "tokenizer.word_index, strings of lemmas",
        keras_tokenizer(cut=lemmas_of(), keep=lambda tokenizer: tokenizer.word_index),
        ("--token_form=lemma", "--tokenizer=keras-default"),
    ),
    Way(
        "tokenizer.word_index, strings of lemmas and no filters",
        keras_tokenizer(cut=lemmas_of(), keep=lambda tokenizer: tokenizer.word_index, filters=""),
        ("--token_form=lemma", "--tokenizer_input=text", "--lower", "--filters=none"),
    ),
    Way(
        "own {word: id}, lemmas with <s> before, stop words left out",
        own_index(
            lambda text: ["<s>", *(word for word in lemmas_of()(text) if word not in STOP_WORDS)],
            special=SPECIAL,
            unknown=1,
        ),
        ("--oov=token", "--token_form=lemma", "--prefix_token=<s>", "--stop_words=stop_words.txt"),
    ),
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
