"""How texts of an existing model were made into words: what its files say or only look like, and what flags say.

A plain ``{word: id}`` does not say whether its words were lower-cased or filtered, nor which of them stands for
words outside it; where it looks as if, a person has to decide, because a wrong guess scores wrongly.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from saiten.model.errors import BundleError
from saiten.model.keras_models.keras_tokenizer import WordIndex, looks_like
from saiten.model.text.looks import COMMONEST, hints_of_words, is_marked
from saiten.model.text.tokenizer import TokenizerConfig

# Of `keras.preprocessing.text.Tokenizer`, which lower-cases too.
KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_OOV_NAMES = ("oov", "unk", "unknown", "unkown", "outofvocabulary", "oovtoken", "unktoken", "未知語")
_BEGINS = ("s", "bos", "sos", "cls", "start", "begin")
_ENDS = ("s", "eos", "sep", "end")
_FEW_WORDS = 30


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
        BundleError: A setting is open and it matters; the sentence says what the file looks like, and the flags.
    """
    if flags.num_words is not None and flags.num_words < 1:
        raise BundleError(f"--num_words must be 1 or more, not {flags.num_words}.")
    is_default = flags.tokenizer == "keras-default"
    if is_default and not index.is_plain:
        _refuse_contradiction(index, flags)
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


def _refuse_contradiction(index: WordIndex, flags: TokenizerFlags) -> None:
    """Refuses ``keras-default`` for a file that says otherwise, where no other flag decides."""
    said = [
        f"{name}={own!r:.40}"
        for name, flag, own, default in (
            ("lower", flags.lower, index.lower, True),
            ("filters", flags.filters, index.filters, KERAS_FILTERS),
        )
        if flag is None and own != default
    ]
    if said:
        raise BundleError(
            f"--tokenizer=keras-default is not what the Tokenizer's file says, {' and '.join(said)}: leave the flag "
            "out, or give --lower and --filters as the texts were prepared."
        )


def was_fed_with_strings(index: WordIndex, flags: TokenizerFlags) -> bool:
    """Tells whether words were joined by spaces, as for a Keras Tokenizer of strings: one that holds a space is two.

    Args:
        index: As it was settled.
        flags: What a person says.
    """
    if flags.tokenizer_input is not None:
        return flags.tokenizer_input == "text"
    return bool(index.filters) or not index.is_plain


def _lower(index: WordIndex, flags: TokenizerFlags, is_default: bool) -> tuple[bool, str]:
    if flags.lower is not None or is_default:
        return (True if flags.lower is None else flags.lower), "flag"
    if index.is_plain and _is_lower(index):
        raise BundleError(
            "The word index has small letters and no capital: its words look lower-cased, and it does not say so; "
            "give --lower or --no-lower, or --tokenizer=keras-default."
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
        if not any(character in KERAS_FILTERS for word in _from_texts(index) for character in word):
            raise BundleError(
                "No word of the word index holds a character that Keras' Tokenizer filters, such as ( or -: its texts "
                "look filtered, and it does not say so; give --filters=keras or --filters=none, or "
                "--tokenizer=keras-default."
            )
        return "", ""
    filtered = next((word for word in _from_texts(index) if any(c in index.filters for c in word)), None)
    if filtered is not None and flags.tokenizer_input is None:
        raise BundleError(
            f"The Tokenizer's index holds {filtered!r:.40}, which its own filters leave in no string, so it was fed "
            "with lists of tokens, as it seems: give --tokenizer_input=tokens, or --tokenizer_input=text if not."
        )
    return index.filters, ""


def _words(index: WordIndex) -> list[str]:
    """Returns the words but the one that stands for the others."""
    return [word for word in index.ids if word != index.oov_token and not looks_like(word, *_OOV_NAMES)]


def _from_texts(index: WordIndex) -> list[str]:
    """Returns those of them that came from texts: no mark such as ``<s>``, which filters never saw."""
    return [word for word in _words(index) if not is_marked(word)]


def _oov_token(index: WordIndex, flags: TokenizerFlags, is_default: bool) -> tuple[str | None, str]:
    named = flags.oov_token or index.oov_token
    candidate = _oov_candidate(index)
    if flags.oov == "drop":
        return None, "flag"
    if flags.oov == "token" and (named or candidate) is None:
        raise BundleError("--oov=token needs the word that stands for OOV words: give --oov_token, or --oov=drop.")
    if flags.oov == "token" or flags.oov_token:
        return named or candidate, "flag"
    if not index.is_plain:
        return index.oov_token, ""
    if candidate is None:
        _refuse_nameless_ids(index)
        return index.oov_token, ""
    if is_default and index.ids[candidate] == 1:  # where Keras puts it
        return candidate, "flag"
    default = "" if is_default or index.ids[candidate] > 1 else ", or --tokenizer=keras-default"
    raise BundleError(
        f"Id {index.ids[candidate]} is {candidate!r:.40}, which looks like the word for all others, and the word index "
        f"does not say so: give --oov=token or --oov=drop{default}."
    )


def _oov_candidate(index: WordIndex) -> str | None:
    """Returns the word that looks like the one for all others: in brackets anywhere, bare at the ends of the index."""
    ends = {1, 2, 3, max(index.ids.values(), default=0)}
    found = [word for word in index.ids if looks_like(word, *_OOV_NAMES)]
    candidates = [word for word in found if is_marked(word) or index.ids[word] in ends]
    return min(candidates, key=lambda word: index.ids[word], default=None)


def _refuse_nameless_ids(index: WordIndex) -> None:
    smallest = min(index.ids.values(), default=1)
    if smallest > 1:
        raise BundleError(
            f"The word index begins at id {smallest}, so an id below it may be that of all other words: give "
            '--oov=drop if they were dropped; if not, name it in the file, as "<UNK>": 1 does, and give --oov=token.'
        )


def hints(index: WordIndex, config: TokenizerConfig, n_ids: int = 0) -> Iterator[str]:
    """Yields what a word index looks like that no flag says: a guess each, of what would make scores wrong.

    Args:
        index: As it was settled.
        config: How texts will become tokens.
        n_ids: How many ids the model takes; 0 where that is not known.
    """
    words = _words(index)
    yield from _hints_of_lost(index, n_ids)
    marks = [word for word in words if is_marked(word) and looks_like(word, *_BEGINS, *_ENDS)]
    if marks and not (config.prefix_token or config.suffix_token):
        yield f"the word index holds {', '.join(marks):.60}: if put around texts, give --prefix_token, --suffix_token"
    if len(words) < _FEW_WORDS:
        return
    yield from hints_of_words(words, config)
    if index.oov_token is not None and config.split in ("none", "space") and not any(map(str.isspace, words)):
        yield "no word is a full-width space, so one is read as an OOV word: after split(), give --split=whitespace"
    yield from _hint_of_first(index)


def _hints_of_lost(index: WordIndex, n_ids: int) -> Iterator[str]:
    """Looks for ids that no token of Saiten's can have."""
    if "" in index.ids:
        yield (
            "the word index holds an empty word, as split(' ') makes of two spaces: Saiten makes none, so texts that "
            "had one score otherwise"
        )
    last = max(index.ids.values(), default=0)
    if index.is_plain and index.oov_token is None and index.num_words is None and n_ids == last + 2:
        yield (
            f"the words end at id {last}, and the model takes {last + 1} too: if that stood for all others, name it in "
            f'the file, as "<UNK>": {last + 1} does, and give --oov=token'
        )


def _hint_of_first(index: WordIndex) -> Iterator[str]:
    """Looks for a word for all others that is not called so: it stands before the commonest words."""
    first = next((word for word, i in index.ids.items() if i == 1), None)
    is_by_frequency = any(index.ids.get(word, _FEW_WORDS) <= len(COMMONEST) for word in COMMONEST)
    is_word = first is not None and first not in COMMONEST and any(map(str.isalnum, first))
    if index.is_plain and index.oov_token is None and is_by_frequency and is_word:
        yield f"id 1 is {first!r:.40}, before the commonest words: if it stands for all others, give --oov_token"
