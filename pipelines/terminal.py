"""What Saiten says on a terminal, with what comes from records, files and bundles made safe for it."""

import os
import sys
import unicodedata
from contextlib import suppress
from typing import NoReturn

_CLEAR_LINE, _SHOW_CURSOR = "\r\033[K", "\033[?25h"


def say(line: str) -> None:
    """Writes a line of Saiten's own on standard error."""
    print(_signed(line), file=sys.stderr)


def end_process(exit_code: int, line: str) -> NoReturn:
    """Says a last line and ends the process at once, for where no other thread can be waited for.

    A progress bar that is up cannot give the terminal back any more, and has taken the place of `sys.stderr`.
    """
    stream = sys.__stderr__
    with suppress(OSError, ValueError):  # nobody is there to read it
        if stream is not None:
            stream.write(f"{_CLEAR_LINE}{_SHOW_CURSOR}" if stream.isatty() else "")
            stream.write(f"{_signed(line)}\n")
            stream.flush()
    os._exit(exit_code)


def _signed(line: str) -> str:
    return f"saiten: {escape_controls(line)}"


def escape(text: str) -> str:
    r"""Returns the text with control, format and surrogate characters shown as escapes, and rich's markup switched off.

    >>> escape("a\x1b[31mb")
    'a\\x1b\\[31mb'
    """
    from rich.markup import escape as escape_markup

    return escape_markup(escape_controls(text))


def escape_controls(text: str) -> str:
    r"""Returns the text with control, format and surrogate characters shown as escapes, for plain lines.

    >>> escape_controls("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character)[0] == "C" else character
        for character in text
    )
