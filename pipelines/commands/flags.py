"""What a misspelt flag is answered with."""

import argparse
import difflib
from collections.abc import Sequence


def known_flags(parser: argparse.ArgumentParser) -> list[str]:
    """Returns the names of a parser's flags, such as ``--input``."""
    actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
    return [flag for action in actions for flag in action.option_strings]


def unknown_flag_message(argument: str, flags: Sequence[str]) -> str:
    """Returns one sentence about an argument that nothing knows, with the flag that was probably meant."""
    flag = argument.partition("=")[0]
    if not flag.startswith("-"):
        return f"The argument {flag!r} belongs to no flag; see --help."
    nearest = difflib.get_close_matches(flag, flags, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else "see --help."
    return f"There is no flag {flag}; {hint}"
