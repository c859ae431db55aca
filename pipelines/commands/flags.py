"""The flags that say how texts become tokens and scores."""

import argparse
import pathlib
from typing import Any

from saiten.model.errors import UsageError
from saiten.model.text.features import TOKEN_FORMS
from saiten.model.text.tokenizer import SEGMENTERS, SPLITS, TokenizerConfig
from saiten.pipelines.local.settings import ScoreSettings

_MAX_STOP_WORDS_BYTES = 16 << 20


class InPlaceOf(argparse.Action):
    """A flag that stands in for another: where it is given, that one is not needed.

    Args:
        other: The name of the other's value.
    """

    def __init__(self, *arguments: Any, other: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.other = other

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _flag: object = None) -> None:
        setattr(namespace, self.dest, values)


def replaced_values(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> set[str]:
    """Returns the names of values for which another flag stands in."""
    stand_ins = (action for action in parser._actions if isinstance(action, InPlaceOf))  # noqa: SLF001 - as above
    return {action.other for action in stand_ins if getattr(parsed, action.dest) is not None}


def known_flags(parser: argparse.ArgumentParser) -> list[str]:
    """Returns the names of a parser's flags, such as ``--input``."""
    actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
    return [flag for action in actions for flag in action.option_strings]


def add_trust_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that lets through a bundle's strange layers."""
    group.add_argument("--trust_bundle", action="store_true", help="accept layers that Saiten does not build itself")


def add_engine_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that chooses the engine."""
    group.add_argument(
        "--engine",
        choices=["auto", "packed", "keras"],
        default=ScoreSettings.engine,
        help="what computes the scores; packed: the model's weights in a compiled loop, without TensorFlow; keras: "
        "the Keras model itself; auto: packed, where the bundle has it",
    )


def add_segmenter_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that says who finds the words."""
    group.add_argument(
        "--segmenter",
        choices=SEGMENTERS,
        default=SEGMENTERS[0],
        help="what cuts texts into words; compiled: Saiten's own, which finds the same words as MeCab in less time; "
        "auto: compiled, where it covers the dictionary",
    )


def add_text_arguments(group: "argparse._ActionsContainer", normalization: str) -> None:
    """Adds the flags; `normalization` is its default."""
    group.add_argument(
        "--normalization",
        choices=["nfkc", "none"],
        default=normalization,
        help="what is done to a text before it is cut into words",
    )
    group.add_argument(
        "--dictionary", metavar="NAME", default="unidic-lite", help="unidic-lite, unidic, ipadic or a directory"
    )
    group.add_argument("--user_dictionary", metavar="FILE", help="a compiled MeCab user dictionary")
    group.add_argument(
        "--token_form",
        choices=TOKEN_FORMS,
        default="surface",
        help="surface: words as written; lemma: their dictionary form, whole, such as ビル-building of "
        "unidic; short-lemma: that up to its first -; base: the dictionary form in the text's own spelling",
    )
    group.add_argument(
        "--keep_pos",
        metavar="NAMES",
        default="",
        help="only words of these parts of speech, such as 名詞,動詞 (default: all)",
    )
    group.add_argument("--stop_words", metavar="FILE", type=pathlib.Path, help="tokens to leave out, one a line")
    group.add_argument("--prefix_token", metavar="TOKEN", help="a token to put before each text, such as <s>")
    group.add_argument("--suffix_token", metavar="TOKEN", help="a token to put after each text")
    group.add_argument(
        "--split",
        choices=SPLITS,
        help="none: words are tokens as MeCab's nodes give them, spaces within included; space: they were joined and "
        "cut by Python's split(' '), and a full-width space (U+3000) is a token; strip: it is none at the ends of a "
        "text, as after strip(); whitespace: it is none, as after split() (default: space for words as written and "
        "for a Tokenizer of strings, else none)",
    )


def tokenizer_config(
    args: argparse.Namespace, *, lower: bool = False, filters: str = "", of_strings: bool = False
) -> TokenizerConfig:
    """Returns the settings that the flags ask for.

    Args:
        args: The flags.
        lower: See `TokenizerConfig`.
        filters: See there.
        of_strings: Words were joined before they were told apart again, as a Keras Tokenizer does of strings.

    Raises:
        UsageError: A value will not do, or the file of stop words cannot be read.
    """
    return TokenizerConfig(
        normalization=args.normalization,
        dictionary=args.dictionary,
        user_dictionary=args.user_dictionary,
        lower=lower,
        filters=filters,
        split=args.split or ("space" if of_strings or args.token_form == "surface" else "none"),
        token_form=args.token_form,
        keep_pos=tuple(filter(None, (part.strip() for part in args.keep_pos.split(",")))),
        stop_words=_stop_words(args.stop_words),
        prefix_token=args.prefix_token,
        suffix_token=args.suffix_token,
    )


def unreadable(flag: str, error: OSError | UnicodeDecodeError) -> UsageError:
    """Returns what is wrong with a flag's file of texts: it cannot be opened, or it is no UTF-8."""
    reason = f": {error.strerror}" if isinstance(error, OSError) else " as UTF-8 text"
    return UsageError(f"{flag} cannot be read{reason}.")


def _stop_words(path: pathlib.Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        if path.stat().st_size > _MAX_STOP_WORDS_BYTES:
            raise UsageError(f"--stop_words={path} is larger than {_MAX_STOP_WORDS_BYTES} bytes.")
        words = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(f"--stop_words={path}", error) from error
    # A full-width space alone is a token of many; behind a word it is a slip.
    return tuple(dict.fromkeys(filter(None, (word.strip() or word.strip(" \t\r") for word in words))))
