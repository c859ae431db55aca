"""The parsers of the commands, and how their flags are shown: units, defaults, one example, 80 columns."""

import argparse
import importlib
import re
import textwrap
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from saiten.model.errors import UsageError
from saiten.pipelines.commands.command_line.catalog import COMMANDS, PURPOSES

_NAME_WIDTH = 12
# Of a line behind "usage: ".
_WIDTH = 72
# What stands for a value in the help, where a flag does not say.
_METAVARS = {int: "N", float: "NUMBER"}
_OVERVIEW = """usage: saiten COMMAND [flags]

Scores Japanese text in bulk (採点).

{commands}

words that are used:
  bundle      a directory with a trained model, its tokenizer and its proof:
              sample texts and their scores, by which it is checked
  run         a directory with the scores of one input
  dead letter a record that could not be scored, set aside with the reason
  OOV         "out of vocabulary": a word that the model does not know

saiten COMMAND --help   its flags with their defaults, and an example
saiten --version        the versions of Saiten and of what it stands on
"""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence without the usage block."""

    def error(self, message: str) -> NoReturn:
        """Raises a `UsageError` with the sentence."""
        raise UsageError(f"{_said_of_flag(message)}; see {self.prog} --help.")


# What argparse says of a flag's value, and what is said instead.
_VALUES = (
    (r"invalid int value: (.*)", r" is a whole number, not \1"),
    (r"invalid float value: (.*)", r" is a number, not \1"),
    (r"expected one argument", r" needs a value, behind a ="),
    (r"ignored explicit argument (.*)", r" takes no value, so not \1"),
)


def _said_of_flag(message: str) -> str:
    """Returns what argparse says of a command line, with the flag first and what it takes."""
    flag, is_of_flag, said = message.removeprefix("argument ").partition(": ")
    if not message.startswith("argument ") or not is_of_flag:
        return f"{message[:1].upper()}{message[1:]}"
    choice = re.fullmatch(r"invalid choice: (?P<given>.*) \(choose from (?P<known>.*)\)", said)
    if choice:
        *others, last = choice["known"].replace("'", "").split(", ")
        known = f"{', '.join(others)} or {last}" if others else last
        return f"{flag} is {known}, not {choice['given']}"
    for pattern, instead in _VALUES:
        if re.fullmatch(pattern, said):
            return flag + re.sub(pattern, instead, said)
    return f"{flag}: {said}"


def command_module(command: str) -> ModuleType:
    """Returns a command's module: `add_arguments`, `run`, `EXAMPLE`, and `ONE_OF` where flags stand for each other."""
    return importlib.import_module(f"saiten.pipelines.commands.{command}")


def command_parser(command: str) -> Parser:
    """Returns the parser of one command."""
    module = command_module(command)
    parser = Parser(
        prog=f"saiten {command}",
        description=f"{COMMANDS[command][:1].upper()}{COMMANDS[command][1:]}.",
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.usage = _usage(parser, one_of(command))
    return parser


def one_of(command: str) -> Sequence[Sequence[str]]:
    """Returns of which flags a command needs one each; several between commas stand for one."""
    found: Sequence[Sequence[str]] = getattr(command_module(command), "ONE_OF", ())
    return found


def overview() -> str:
    """Returns what `saiten --help` shows."""
    blocks = []
    for purpose, commands in PURPOSES.items():
        rows = [f"  {name:<{_NAME_WIDTH}}{summary}" for name, summary in commands.items()]
        blocks.append("\n".join([f"{purpose}:", *rows]))
    return _OVERVIEW.format(commands="\n\n".join(blocks))


def shown_name(action: argparse.Action) -> str:
    """Returns a flag as it is typed, such as ``--input=FILES``, or a positional argument's name."""
    if not action.option_strings:
        return str(action.metavar or action.dest)
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    return f"{', '.join(action.option_strings)}={_metavar(action)}"


def shown_help(action: argparse.Action) -> str:
    """Returns what a flag means, with its default where it has one and does not say so itself."""
    text = action.help or ""
    default: Any = action.default
    if default in (None, "", False, argparse.SUPPRESS) or default == [] or "(default" in text:
        return text
    return f"{text} (default: {f'{default:g}' if isinstance(default, float) else default})"


def _usage(parser: Parser, one_of: Sequence[Sequence[str]]) -> str:
    """Returns what a command needs; its flags are told below, by what they are for."""
    actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
    names = {flag: shown_name(action) for action in actions for flag in (*action.option_strings, str(action.metavar))}
    needed = [shown_name(action) for action in actions if action.required]
    choices = ([" ".join(names[flag] for flag in way.split(",")) for way in ways] for ways in one_of)
    needed += [f"({' | '.join(ways)})" for ways in choices]
    words = " ".join([parser.prog, *needed, "[flags]"]).replace(" | ", "\0|\0")
    lines = textwrap.wrap(words, _WIDTH, initial_indent="", subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _metavar(action: argparse.Action) -> str:
    if action.metavar is not None:
        return str(action.metavar)
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return next((name for kind, name in _METAVARS.items() if action.type is kind), action.dest.upper())


class _HelpFormatter(argparse.HelpFormatter):
    """Flags as they are typed, their defaults behind them, and an example whose lines stay as they are."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        return shown_name(action)

    def _get_help_string(self, action: argparse.Action) -> str:
        return shown_help(action)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("example:") else super()._fill_text(text, width, indent)
