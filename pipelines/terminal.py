"""What Saiten says on a terminal, with what comes from records, files and bundles made safe for it."""

import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from rich.console import Console

_CLEAR_LINE, _SHOW_CURSOR = "\r\033[K", "\033[?25h"
_LAST_ACTION_SECS = 5.0
_PIPE_WIDTH = 1_000
_MOST_OF_ID = 80
_last_actions: list[Callable[[], object]] = []


def say(line: str) -> None:
    """Writes a line of Saiten's own on standard error."""
    print(_signed(line), file=sys.stderr)


def show(text: str) -> None:
    """Writes on standard output; a reader that has gone (`saiten score --json | head -1`) changes nothing."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        drop_output()


def make_console() -> "Console":
    """Returns rich's console for standard output; what does not go to a terminal is not cut or broken into lines.

    It leaves a reader that has gone to `saiten.pipelines.commands.main`; rich would end the process with exit 1.
    """
    from rich.console import Console

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 - rich calls this while it handles the error

    return _Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def drop_output() -> None:
    """Lets go of a standard output that has no reader, or Python would fail at its end over what is left to write."""
    _turn_away(sys.stdout.fileno())


@contextmanager
def done_before_end(action: Callable[[], object]) -> Iterator[None]:
    """Lets `end_process` do one thing more, if it ends the process while the block runs."""
    _last_actions.append(action)
    try:
        yield
    finally:
        _last_actions.remove(action)


def end_process(exit_code: int, line: str, *, at_once: bool = False) -> NoReturn:
    """Says a last line and ends the process at once, for where no other thread can be waited for.

    A progress bar that is up cannot give the terminal back any more, and has taken the place of `sys.stderr`.

    Args:
        at_once: Without the actions of `done_before_end`.
    """
    for action in () if at_once else _last_actions:
        # In a thread: what was interrupted here may hold what the action waits for.
        thread = threading.Thread(target=action, daemon=True)
        thread.start()
        thread.join(_LAST_ACTION_SECS)
    with suppress(OSError):  # nobody is there to read it
        stderr = os.dup(2)
        _turn_away(2)  # or the bar's thread would draw it once more, over the line
        clear = f"{_CLEAR_LINE}{_SHOW_CURSOR}" if os.isatty(stderr) else ""
        encoding = sys.__stderr__.encoding if sys.__stderr__ else "utf-8"
        os.write(stderr, f"{clear}{_signed(line)}\n".encode(encoding, "backslashreplace"))
    os._exit(exit_code)


def _turn_away(descriptor: int) -> None:
    """Lets what is still written there go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _signed(line: str) -> str:
    return f"saiten: {escape_controls(line)}"


def escape(text: str) -> str:
    r"""Returns the text with control, format and surrogate characters shown as escapes, and rich's markup switched off.

    >>> escape("a\x1b[red]b")
    'a\\x1b\\[red]b'
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


def short_id(record_id: str) -> str:
    """Returns a record's id where a person reads it: of a very long one its beginning and end, which tell it apart.

    >>> short_id("R-7"), len(short_id("R-7" * 1000))
    ('R-7', 80)
    """
    half = _MOST_OF_ID // 2
    return record_id if len(record_id) <= _MOST_OF_ID else f"{record_id[:half]}…{record_id[1 - half :]}"
