"""The `saiten` command. Imports nothing heavy before it knows what is asked. Exit codes: `saiten.model.errors`."""

import argparse
import atexit
import contextlib
import difflib
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.commands.command_line.catalog import COMMANDS
from saiten.pipelines.commands.command_line.guesses import unknown_flag_message
from saiten.pipelines.commands.command_line.interrupted import NOTHING_WRITTEN, left_behind
from saiten.pipelines.commands.command_line.parser import command_module, command_parser, one_of, overview
from saiten.pipelines.commands.flags import known_flags, replaced_values
from saiten.pipelines.quiet import quiet_libraries
from saiten.pipelines.startup import start_light, stays_here
from saiten.pipelines.terminal import drop_output, say

_DIRECTORIES = ("DIR", "RUN_A", "RUN_B")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    A user's mistake, or a run that fails, gives one sentence on standard error and no traceback.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may have an encoding without our marks or the text
            stream.reconfigure(errors="backslashreplace")
    quiet_libraries()
    previous = signal.signal(signal.SIGTERM, _end)
    exit_code = 0
    try:
        exit_code = _run(arguments)
        sys.stdout.flush()
        return exit_code
    except SaitenError as error:
        say(str(error))
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone (`saiten inspect DIR | head`): nothing is left to say, or to say it to.
        drop_output()
        return exit_code
    except OSError as error:
        from saiten.pipelines.storage import what_failed

        say(f"{what_failed(error)}.")
        return SaitenError.exit_code
    except Exception as error:
        from saiten.pipelines.startup import said_of_service

        if not (said := said_of_service(error)):
            raise
        say(said)
        return SaitenError.exit_code
    except KeyboardInterrupt as end:
        say(_last_line("interrupted", end))
        return 128 + signal.SIGINT
    except _TerminatedError as end:
        say(_last_line("terminated", end))
        return 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, previous)


def console() -> NoReturn:
    """The `saiten` program: once all is said and done, no signal changes how it ended, and no thread is waited for.

    Such as one that compiles a network which nobody wants any more. Python itself would wait for it, or end while it is
    in a library's code, which crashes.
    """
    only_scores = sys.argv[1:2] == ["score"]
    start_light(only_scores=only_scores, stays_here=only_scores and stays_here(sys.argv))
    exit_code = main()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    atexit._run_exitfuncs()  # noqa: SLF001 - servers that Beam has started are stopped there
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody is there to read it
            stream.flush()
    os._exit(exit_code)


def _run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "--help"
    if command in ("--help", "-h"):
        print(overview(), end="")
        return 0 if arguments else UsageError.exit_code
    if command == "--version":
        from saiten.model.versions import shown_versions

        print(shown_versions())
        return 0
    if command.startswith("-"):
        raise UsageError(unknown_flag_message(command, ["--help", "--version"]))
    if command not in COMMANDS:
        raise UsageError(_unknown_command_message(command))
    parser = command_parser(command)
    needed = _make_optional(parser)
    parsed, unknown = parser.parse_known_args(arguments[1:])
    given = replaced_values(parser, parsed)
    missing = [flag for dest, flag in needed.items() if getattr(parsed, dest) is None and dest not in given]
    if command == "score":
        parsed.beam_flags = unknown
        if missing and unknown:
            from saiten.pipelines.commands.score_flags import beam_flags

            beam_flags(parsed)
    elif unknown:
        raise UsageError(unknown_flag_message(unknown[0], known_flags(parser)))
    if missing:
        missing += [" or ".join(ways) for ways in one_of(command) if not any(_is_given(parsed, way) for way in ways)]
        raise UsageError(f"saiten {command} needs {', '.join(missing)}; see saiten {command} --help.")
    _refuse_nowhere(parser, parsed)
    try:
        exit_code: int = command_module(command).run(parsed)
    except (KeyboardInterrupt, _TerminatedError) as end:
        end.args = (left_behind(command, parsed),)
        raise
    return exit_code


def _is_given(parsed: argparse.Namespace, way: str) -> bool:
    return all(getattr(parsed, flag.lstrip("-").lower()) for flag in way.split(","))


def _last_line(word: str, end: BaseException) -> str:
    """Says how to go on; an end that comes before a command has begun has left nothing."""
    left = end.args[0] if end.args else NOTHING_WRITTEN
    return f"{word}; {left}." if left else f"{word}."


def _unknown_command_message(command: str) -> str:
    nearest = difflib.get_close_matches(command, [*COMMANDS, "--version", "--help"], n=1, cutoff=0.5)
    hint = f"did you mean saiten {nearest[0]}?" if nearest else "see saiten --help."
    return f"There is no command {command!r}; {hint}"


def _make_optional(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Lets the parser go on without what it needs, so that a misspelt flag is what is talked about; returns that."""
    actions = [action for action in parser._actions if action.required]  # noqa: SLF001 - no public way to list them
    for action in actions:
        action.required = False
    return {action.dest: str((*action.option_strings, action.metavar)[0]) for action in actions}


def _refuse_nowhere(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> None:
    """Refuses directories without a name: a variable of a shell that is not set would mean the folder one stands in."""
    for action in parser._actions:  # noqa: SLF001 - as above
        if action.metavar in _DIRECTORIES and getattr(parsed, action.dest) == "":
            flag = (*action.option_strings, action.metavar)[0]
            raise UsageError(f"{flag} is empty: name a directory, and look whether a variable of the shell is not set.")


class _TerminatedError(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: no library takes it for an error of its own."""


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


if __name__ == "__main__":
    console()
