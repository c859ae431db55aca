"""Reads the word index of a Keras `Tokenizer`, for models that exist already.

Keras 3 has no Tokenizer any more (it is left in `tf.keras.preprocessing.text`); what people
have of it is the JSON of `to_json()`, in which the indices are JSON strings within JSON.
"""

import json
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.text.vocabulary import PAD_WORD, Vocabulary

_MAX_BYTES = 1 << 30
_PICKLE = b"\x80"
_PIECE = re.compile(r"(▁|##)\w")
# An index of so many words, of which such a share has one character, is one of characters.
_MANY, _MOSTLY = 100, 0.97
_GIVE = "give what tokenizer.to_json() returns, or {word: id}."
_SAVE = "write tokenizer.to_json() into the file anew."
_AS_WORDS = "Saiten scores words as MeCab cuts them: train the model again on such words, with a Tokenizer of them."
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".sav")


@dataclass(frozen=True)
class WordIndex:
    """What a Tokenizer made of its tokens.

    Attributes:
        ids: Id by word, each 1 or more, no two the same.
        num_words: Only ids below it are used; None uses all.
        oov_token: The word whose id the others get; None drops them.
        lower: Tokens were lower-cased.
        filters: Characters that became spaces.
        is_plain: It was a plain ``{word: id}``, which says nothing of how its words were made.
    """

    ids: Mapping[str, int]
    num_words: int | None = None
    oov_token: str | None = None
    lower: bool = False
    filters: str = ""
    is_plain: bool = False

    def vocabulary(self, input_dim: int) -> Vocabulary:
        """Returns the vocabulary with the model's ids, None where an id has no word.

        Args:
            input_dim: Of the model's Embedding.

        Raises:
            BundleError: An id in use is beyond the Embedding, or the OOV word has no id.
        """
        used = {word: i for word, i in self.ids.items() if self.num_words is None or i < self.num_words}
        oov_id = None if self.oov_token is None else self.ids.get(self.oov_token)
        if self.oov_token is not None and oov_id is None:
            raise BundleError(
                f"The OOV word {self.oov_token!r:.40} is not in the word index; give --oov_token or --oov=drop."
            )
        largest = max([*used.values(), oov_id or 0])
        if largest >= input_dim:
            raise BundleError(
                f"The word index has ids up to {largest}, but the model's Embedding takes ids below {input_dim}: "
                "give the Tokenizer's --num_words, or the word index the model was trained with."
            )
        words: list[str | None] = [None] * (largest + 1)
        words[0] = PAD_WORD
        for word, i in used.items():
            words[i] = word
        if oov_id is not None:
            words[oov_id] = self.oov_token
        return Vocabulary(words, oov_id)


def read_word_index(path: pathlib.Path) -> WordIndex:
    """Reads a Tokenizer's JSON, or a plain ``{word: id}``, in which a padding word may have id 0.

    Raises:
        BundleError: The file is neither, or an id is not a whole number from 1, or two words share one.
    """
    content = _read_json(path)
    if "word_index" not in content and "config" not in content:
        return WordIndex(_check_ids(path, content), is_plain=True)
    config = content.get("config", content)
    if not isinstance(config, Mapping) or "word_index" not in config:
        raise BundleError(f"{path.name:.60} is no Tokenizer's JSON, for its config has no word_index; {_GIVE}")
    if config.get("char_level"):
        raise BundleError(f"{path.name:.60} is of a Tokenizer with char_level=True, of characters; {_AS_WORDS}")
    filters, split = config.get("filters") or "", config.get("split", " ")
    if split != " ":
        raise BundleError(
            f"{path.name:.60} is of a Tokenizer that splits at {split!r:.40}, and Saiten at a space: if it stood "
            'between words of MeCab, which comes to the same, write "split": " " into the file; compare by --expected.'
        )
    num_words = config.get("num_words")
    if num_words is not None and (type(num_words) is not int or num_words < 1):
        raise BundleError(f"{path.name:.60}: num_words must be a whole number from 1, not {num_words!r:.40}; {_SAVE}")
    oov_token = config.get("oov_token")
    if not isinstance(filters, str) or not (oov_token is None or isinstance(oov_token, str)):
        raise BundleError(f"{path.name:.60}: filters and oov_token must be strings; {_SAVE}")
    ids = _check_ids(path, _parse(path, config["word_index"]))
    if "lower" not in config and "filters" not in config:  # a dict of one's own, which says nothing of either
        return WordIndex(ids, num_words, oov_token, is_plain=True)
    return WordIndex(ids, num_words, oov_token, bool(config.get("lower", True)), filters)


def looks_like(word: str, *names: str) -> bool:
    """Tells whether a word stands for something, as ``<PAD>``, ``[pad]`` and ``__pad__`` do for padding.

    >>> looks_like("<UNK>", "oov", "unk"), looks_like("[OOV]", "oov", "unk"), looks_like("junk", "oov", "unk")
    (True, True, False)
    """
    return re.sub(r"[\W_]+", "", word.lower()) in names


def _read_json(path: pathlib.Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise BundleError(f"There is no word index at {path}; {_GIVE}")
    if path.stat().st_size > _MAX_BYTES:
        raise BundleError(f"{path.name:.60} is larger than {_MAX_BYTES:,} bytes, as no word index is; {_GIVE}")
    with path.open("rb") as file:
        if file.read(1) == _PICKLE or path.suffix.lower() in _PICKLES:
            raise BundleError(
                f"{path.name:.60} is a pickle, which may run code and is not read; where it was made, write "
                "tokenizer.to_json() into a file."
            )
    try:
        content = _parse(path, path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BundleError(f"{path.name:.60} is not UTF-8; save the word index as UTF-8 JSON.") from error
    # json.dump(tokenizer.to_json(), file) makes a string of JSON: people do it all the time.
    return content if isinstance(content, Mapping) else _mapping(path, _parse(path, content))


def _parse(path: pathlib.Path, content: Any) -> Any:
    """Parses JSON; what is an object already (a plain dump of `get_config()`) stays as it is."""
    if not isinstance(content, str):
        return content
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path.name:.60} is not JSON; {_GIVE}") from error


def _mapping(path: pathlib.Path, content: Any) -> dict[str, Any]:
    if isinstance(content, list):
        raise BundleError(
            f"{path.name:.60} is a list; give {{word: id}}: of words in the order of their ids, as get_vocabulary() "
            "gives them, {word: i for i, word in enumerate(words)}; of pairs, dict(pairs)."
        )
    if not isinstance(content, dict):
        raise BundleError(f"{path.name:.60} is no JSON object; {_GIVE}")
    return content


def _check_ids(path: pathlib.Path, content: Any) -> dict[str, int]:
    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping) and "added_tokens" in content:
        is_of_words = content["model"].get("type") == "WordLevel"
        cure = "give its model's vocab alone, {word: id}." if is_of_words else f"it cuts words into pieces. {_AS_WORDS}"
        raise BundleError(f"{path.name:.60} is of a tokenizer of Hugging Face; {cure}")
    if (
        isinstance(content, Mapping)
        and content
        and all(map(str.isdecimal, content))
        and isinstance(content.get("1"), str)
    ):
        raise BundleError(
            f"{path.name:.60} gives a word for each id, as index_word does; give word_index, {{word: id}}."
        )
    # Padding is not in a text, whatever it is called, "" by TextVectorization; a word of its id would never be read.
    ids = {
        word: i
        for word, i in _mapping(path, content).items()
        if not (i == 0 and (word == "" or looks_like(word, "pad", "padding")))
    }
    if not ids:
        raise BundleError(f"{path.name:.60} names no words, as before fit_on_texts; {_GIVE}")
    for word_id in ids.values():
        if type(word_id) is not int:
            raise BundleError(
                f"{path.name:.60}: a word's id must be a whole number from 1, not {word_id!r:.40}; "
                f"{_cure_of_ids(content)}."
            )
        if word_id < 1:
            raise BundleError(
                f"{path.name:.60}: a word's id must be a whole number from 1, not {word_id!r:.40}; 0 is the padding: "
                "write the ids that the model read, such as {word: id + 1} where they began at 0."
            )
    words: dict[int, str] = {}
    for word, word_id in ids.items():
        if words.setdefault(word_id, word) != word:
            raise BundleError(
                f"{path.name:.60} gives id {word_id} to two words, {words[word_id]!r:.40} and {word!r:.40}; leave out "
                "the one that no text has, or give the word index that the model was trained with."
            )
    _refuse_pieces(path, ids)
    return ids


def _cure_of_ids(content: Mapping[str, Any]) -> str:
    """Returns what to do about ids that are no numbers: often the words stand within, beside other things."""
    within = (name for name, value in content.items() if isinstance(value, Mapping) and len(value) > len(content))
    name = next(within, None)
    return (
        "write {word: id}, each id as a number"
        if name is None
        else f"if its words stand under {name!r:.40}, give that object alone"
    )


def _refuse_pieces(path: pathlib.Path, ids: Mapping[str, int]) -> None:
    """Refuses an index of what is no word."""
    piece = next(filter(_PIECE.match, ids), None)
    if piece is not None:
        raise BundleError(
            f"{path.name:.60} holds {piece!r:.40}, a piece of a word as SentencePiece or WordPiece cut it; {_AS_WORDS}"
        )
    if len(ids) >= _MANY and sum(len(word) == 1 for word in ids) >= _MOSTLY * len(ids):
        raise BundleError(
            f"{path.name:.60} has words of one character alone, so its texts were cut into characters; {_AS_WORDS}"
        )
