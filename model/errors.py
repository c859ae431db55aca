"""What can go wrong, by what the person at the terminal should be told.

SaitenError                    exit 1
├── UsageError                 exit 2: flags, input or output refused before any work
│   └── BundleError            exit 2: a bundle is refused, or cannot be made
├── DamagedFileError           exit 1: an input file is truncated or damaged
├── TooManyDeadLettersError    exit 4: nothing committed
├── CountMismatchError         exit 5: nothing committed
├── NotCoveredError            the packed engine does without a model (`saiten.model.engines.packing`); never ends a run
├── LeftToMeCabError           the compiled segmenter does without a dictionary; never ends a run
└── RecordError                one record becomes a dead letter; never ends a run

What is done and committed, but not clean, ends with `FINDINGS_EXIT_CODE`; what a signal ended, with 128 and its number.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

# Dead letters in a run, or a gate such as --max_change that was not passed.
FINDINGS_EXIT_CODE = 3
# Of a refusal, and what is left of a name where it would be longer.
_MOST_CHARACTERS, _SHORT_WORD = 300, 24


class SaitenError(Exception):
    """A run cannot go on. The message is one sentence: what, the value, the remedy."""

    exit_code = 1


class UsageError(SaitenError):
    """The person can mend it: a flag, a path, a field name."""

    exit_code = 2


class BundleError(UsageError):
    """A bundle is refused, named by the field or file that differs, or cannot be made of what a person brings.

    One line of at most 300 characters, whatever the names are that the files hold.
    """

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))


class DamagedFileError(SaitenError):
    """An input file ends early or cannot be decoded; the message names it."""


class TooManyDeadLettersError(SaitenError):
    """More records failed than `--max_dead_letter_rate` allows."""

    exit_code = 4


class CountMismatchError(SaitenError):
    """Records read are not the sum of those scored, empty and dead."""

    exit_code = 5


class LeftToMeCabError(SaitenError):
    """The compiled segmenter does without a dictionary; the message says why."""


class RecordError(SaitenError):
    """One record cannot be scored.

    Args:
        code: One of the dead-letter codes, such as ``TOKENIZER_ERROR``.
        message: What is wrong with it, without any of the record's text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["RecordError"], tuple[str, str]]:
        # An exception pickles as its arguments, and this one's is the sentence made of two.
        return RecordError, (self.code, self.message)


def in_one_line(message: str) -> str:
    r"""Returns a message without control characters and of at most 300 characters.

    Long words, which are names, are shortened first; what is still too long loses its middle, for the cure stands last.

    >>> in_one_line("Layer a\nb (LSTM)"), len(in_one_line("Layer " + "x" * 999 + " loses the mask: leave it out."))
    ('Layer a\\nb (LSTM)', 300)
    """
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in message)
    while len(shown) > _MOST_CHARACTERS:
        word = max(shown.split(" "), key=len)
        n_kept = max(_SHORT_WORD, len(word) - (len(shown) - _MOST_CHARACTERS))
        if n_kept >= len(word):
            half = _MOST_CHARACTERS // 2
            return f"{shown[: half - 1]}…{shown[-half:]}"
        shown = shown.replace(word, f"{word[: n_kept - 1]}…", 1)
    return shown


def error_of_kind(kind: str, message: str) -> SaitenError:
    """Returns the error that a class name and a message stand for: both come from another process."""
    kinds = (UsageError, BundleError, DamagedFileError, TooManyDeadLettersError, CountMismatchError)
    return {each.__name__: each for each in kinds}.get(kind, SaitenError)(message)


@contextmanager
def refusing(message: str) -> Iterator[None]:
    """Turns whatever a library raises over a stranger's file into a `BundleError` with the message.

    No list of exceptions is ever complete for bytes that somebody chose: h5py, zipfile and NumPy raise a dozen kinds.
    """
    try:
        yield
    except (SaitenError, ImportError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        raise BundleError(message) from error


def refuse_missing(module: str, extra: str, instead: str = "") -> None:
    """Refuses to begin, maybe with what takes hours, without a library that the end needs.

    Args:
        module: As it is imported, which it is not here.
        extra, instead: As for `missing_library`.

    Raises:
        UsageError: It is not installed.
    """
    if not is_installed(module):
        raise missing_library({"sklearn": "scikit-learn"}.get(module, module), extra, instead)


def is_installed(module: str) -> bool:
    """Tells whether a module could be imported, without doing so."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def missing_library(library: str, extra: str, instead: str = "") -> UsageError:
    """Returns the error for a library of one of Saiten's extras, by checkout and by wheel: it is on no index.

    Args:
        library: As people call it.
        extra: What of `setup.py` brings it.
        instead: How to go on without it, after a comma.
    """
    return UsageError(
        f"{library} is not installed: run pip install '.[{extra}]' in Saiten's checkout, or "
        f"pip install 'WHEEL[{extra}]' where WHEEL is the file of its wheel{instead}."
    )
