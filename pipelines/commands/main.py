"""The `saiten` command. Imports nothing heavy before it knows what is asked: `saiten --help` is quick."""

import argparse
import importlib
import io
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.commands.flags import known_flags, unknown_flag_message
from saiten.pipelines.quiet import quiet_libraries
from saiten.pipelines.terminal import drop_output, say

COMMANDS = {
    "train": "train a model on labelled text and bundle it",
    "score": "score any amount of text with a bundle",
    "bundle": "make a bundle of a Keras model that exists already",
    "validate": "prove a bundle: hashes, dictionary, golden records, padding",
    "inspect": "show a bundle or a run as a short page",
    "explain": "show how one text is normalised, tokenized and scored",
    "compare": "show how far the scores of two runs are apart",
}


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
        say(f"{error}.")
        return SaitenError.exit_code
    except KeyboardInterrupt:
        say("interrupted.")
        return 128 + signal.SIGINT
    except _TerminatedError:
        say("terminated.")
        return 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, previous)


def console() -> NoReturn:
    """The `saiten` program: once all is said and done, no signal changes how it ended."""
    exit_code = main()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(exit_code)


def _run(arguments: list[str]) -> int:
    parser = _Parser(prog="saiten", description="Scores Japanese text in bulk (採点).", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if arguments[:1] == [name]:
            importlib.import_module(f"saiten.pipelines.commands.{name}").add_arguments(command)
    needed = _make_optional(commands.choices[arguments[0]]) if arguments[:1] and arguments[0] in COMMANDS else {}
    parsed, unknown = parser.parse_known_args(arguments)
    if parsed.version:
        from importlib.metadata import version

        print(f"saiten {version('saiten')}")
        return 0
    if parsed.command is None and not unknown:
        parser.print_help()
        return 2
    missing = [flag for dest, flag in needed.items() if getattr(parsed, dest) is None]
    if parsed.command == "score":
        parsed.beam_flags = unknown
        if missing and unknown:
            importlib.import_module("saiten.pipelines.commands.options").beam_flags(parsed)
    elif unknown:
        flags = known_flags(commands.choices[parsed.command] if parsed.command else parser)
        raise UsageError(unknown_flag_message(unknown[0], flags))
    if missing:
        raise UsageError(f"saiten {parsed.command} needs {', '.join(missing)}; see saiten {parsed.command} --help.")
    exit_code: int = importlib.import_module(f"saiten.pipelines.commands.{parsed.command}").run(parsed)
    return exit_code


def _make_optional(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Lets the parser go on without what it needs, so that a misspelt flag is what is talked about; returns that."""
    actions = [action for action in parser._actions if action.required]  # noqa: SLF001 - no public way to list them
    for action in actions:
        action.required = False
    return {action.dest: str((*action.option_strings, action.metavar)[0]) for action in actions}


class _TerminatedError(BaseException):
    """SIGTERM, as KeyboardInterrupt is SIGINT: no library takes it for an error of its own."""


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence without the usage block."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


if __name__ == "__main__":
    console()
