"""Writes `docs/flags.md`, the reference of all flags, from the parsers that the commands use.

.venv/bin/python scripts/pages/flags.py
"""

import argparse
import pathlib
from collections.abc import Iterator

from saiten.pipelines.commands.command_line.catalog import PURPOSES
from saiten.pipelines.commands.command_line.parser import Parser, command_module, command_parser, shown_help, shown_name

_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "flags.md"
_HEAD = """# Flags

Every command and flag, written from the code by `scripts/pages/flags.py`; `saiten COMMAND --help` shows the same.
"""


def flags_page() -> str:
    """Returns the page."""
    lines = [_HEAD]
    for purpose, commands in PURPOSES.items():
        lines.append(f"## {purpose[:1].upper()}{purpose[1:]}\n")
        for command in commands:
            lines += _command_lines(command, command_parser(command))
    return "\n".join(lines)


def _command_lines(command: str, parser: Parser) -> Iterator[str]:
    yield f"### saiten {command}\n"
    yield f"{parser.description}\n"
    yield f"```console\n$ {command_module(command).EXAMPLE}\n```\n"
    yield "| flag | meaning |\n| --- | --- |"
    for group in parser._action_groups:  # noqa: SLF001 - argparse has no public way to list them
        shown = [action for action in group._group_actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001
        if shown and group.title not in ("positional arguments", "options"):
            yield f"| *{group.title}* | |"
        for action in shown:
            needed = "needed: " if action.required and action.option_strings else ""
            name = shown_name(action).replace("|", "\\|")  # a bar would end the cell
            yield f"| `{name}` | {needed}{shown_help(action)} |"
    yield ""


if __name__ == "__main__":
    _PAGE.write_text(flags_page(), encoding="utf-8")
