"""How texts of an existing model were made into words: what its files say or only look like, and what flags say.

A plain ``{word: id}`` does not say whether its words were lower-cased or filtered, nor which of them stands for
words outside it; where it looks as if, a person has to decide, because a wrong guess scores wrongly.
"""

from dataclasses import dataclass, replace

from saiten.model.errors import UsageError
from saiten.model.keras_models.keras_tokenizer import WordIndex, looks_like

# Of `keras.preprocessing.text.Tokenizer`, which lower-cases too.
KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_OOV_NAMES = ("oov", "unk", "unknown", "unkown", "outofvocabulary", "oovtoken", "unktoken", "未知語")


@dataclass(frozen=True)
class TokenizerFlags:
    """What a person says of the Tokenizer; None where nothing was said.

    Attributes:
        tokenizer: ``keras-default``: as Keras' Tokenizer with its defaults.
        tokenizer_input: ``text`` (segmented strings, which it filters and lower-cases) or ``tokens``
            (lists, whose tokens it only lower-cases).
        lower: Words were lower-cased.
        filters: Characters that became spaces; ``keras`` for Keras' default, ``none`` for none.
        oov: ``token`` or ``drop``.
        oov_token: The word whose id other words get.
        num_words: Only ids below it are used.
    """

    tokenizer: str | None = None
    tokenizer_input: str | None = None
    lower: bool | None = None
    filters: str | None = None
    oov: str | None = None
    oov_token: str | None = None
    num_words: int | None = None


@dataclass(frozen=True)
class Origins:
    """Where each setting came from: ``flag``, ``file`` or ``default``."""

    lower: str
    filters: str
    oov: str


def settle_tokenizer(index: WordIndex, flags: TokenizerFlags) -> tuple[WordIndex, Origins]:
    """Returns the word index with its settings as file and flags say, and where they came from.

    Raises:
        UsageError: A setting is open and it matters; the sentence says what the file looks like, and the flags.
    """
    if flags.num_words is not None and flags.num_words < 1:
        raise UsageError(f"--num_words must be 1 or more, not {flags.num_words}.")
    is_default = flags.tokenizer == "keras-default"
    file = "default" if index.is_plain else "file"
    lower, lower_from = _lower(index, flags, is_default)
    filters, filters_from = _filters(index, flags, is_default)
    oov_token, oov_from = _oov_token(index, flags, is_default)
    settled = replace(
        index,
        lower=lower,
        filters=filters,
        oov_token=oov_token,
        num_words=index.num_words if flags.num_words is None else flags.num_words,
    )
    return settled, Origins(lower_from or file, filters_from or file, oov_from or file)


def _lower(index: WordIndex, flags: TokenizerFlags, is_default: bool) -> tuple[bool, str]:
    if flags.lower is not None or is_default:
        return (True if flags.lower is None else flags.lower), "flag"
    if index.is_plain and _is_lower(index):
        raise UsageError(
            "The word index has small letters and no capital: its words look lower-cased, and it does not say so. "
            "Give --lower or --no-lower, or --tokenizer=keras-default."
        )
    return index.lower, ""


def _is_lower(index: WordIndex) -> bool:
    words = [word for word in index.ids if not looks_like(word, *_OOV_NAMES)]
    return all(word == word.lower() for word in words) and any(word != word.upper() for word in words)


def _filters(index: WordIndex, flags: TokenizerFlags, is_default: bool) -> tuple[str, str]:
    if flags.filters is not None:
        return {"keras": KERAS_FILTERS, "none": ""}.get(flags.filters, flags.filters), "flag"
    if flags.tokenizer_input == "tokens":
        return "", "flag"
    if is_default:
        return KERAS_FILTERS, "flag"
    if index.is_plain:
        if not any(character in KERAS_FILTERS for word in _words(index) for character in word):
            raise UsageError(
                "No word of the word index holds a character that Keras' Tokenizer filters, such as ( or -: its texts "
                "look filtered, and it does not say so. Give --filters=keras or --filters=none, or "
                "--tokenizer=keras-default."
            )
        return "", ""
    filtered = next((word for word in _words(index) if word and all(c in index.filters for c in word)), None)
    if filtered is not None and flags.tokenizer_input is None:
        raise UsageError(
            f"The Tokenizer's index holds {filtered!r:.40}, which its own filters take out of strings, so it was fed "
            "with lists of tokens, as it seems: give --tokenizer_input=tokens, or --tokenizer_input=text if not."
        )
    return index.filters, ""


def _words(index: WordIndex) -> list[str]:
    """Returns the words that came from texts: not the one that stands for the others."""
    return [word for word in index.ids if word != index.oov_token and not looks_like(word, *_OOV_NAMES)]


def _oov_token(index: WordIndex, flags: TokenizerFlags, is_default: bool) -> tuple[str | None, str]:
    named = flags.oov_token or index.oov_token
    candidate = next((word for word, i in index.ids.items() if i == 1 and looks_like(word, *_OOV_NAMES)), None)
    if flags.oov == "drop":
        return None, "flag"
    if flags.oov == "token" and (named or candidate) is None:
        raise UsageError("--oov=token needs the word that stands for OOV words: give --oov_token, or --oov=drop.")
    if flags.oov == "token" or flags.oov_token:
        return named or candidate, "flag"
    if not index.is_plain or candidate is None:
        return index.oov_token, ""
    if is_default:
        return candidate, "flag"
    raise UsageError(
        f"Id 1 is {candidate!r:.40}, which looks like the word for all others, and the word index does not say so: "
        "give --oov=token or --oov=drop, or --tokenizer=keras-default."
    )
