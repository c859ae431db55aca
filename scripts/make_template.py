"""Writes `dataflow/metadata.json`, what the Flex Template says of its parameters, from the flags of `saiten score`.

.venv/bin/python scripts/make_template.py
"""

import argparse
import json
import pathlib
from typing import Any

from saiten.pipelines.commands.command_line.parser import command_parser, shown_help

_PAGE = pathlib.Path(__file__).parents[1] / "dataflow" / "metadata.json"
# For a person at a terminal, or for a run on one machine; and what a template decides itself.
LEFT_OUT = {"help", "workers", "check", "quiet", "json", "no_wait", "runner", "beam_option", "allow_dead_letters"}
_STORE = r"^gs://[^\r\n]+$"
_FIELD = r"^[^\r\n]+$"
_KIND = "(:(string|int64|float64|bool|timestamp))?"
PATTERNS = {
    "input": _STORE,
    "bundle": _STORE,
    "output": _STORE,
    "bundle_watch": _STORE,
    "subscription": r"^projects/[^/\r\n]+/subscriptions/[^/\r\n]+$",
    "input_format": "^(auto|text|jsonl|csv|tsv|parquet)$",
    "encoding": "^[A-Za-z0-9_-]+$",
    "quoting": "^(auto|csv|none)$",
    "text_field": _FIELD,
    "id_field": _FIELD,
    "keep_fields": rf"^[^,\r\n]+?{_KIND}(,[^,\r\n]+?{_KIND})*$",
    "max_dead_letter_rate": r"^(0?[.][0-9]+|0|1|1[.]0*)$",
}
_KINDS = {
    "input": "GCS_READ_FILE",
    "bundle": "GCS_READ_FOLDER",
    "output": "GCS_WRITE_FOLDER",
    "subscription": "PUBSUB_SUBSCRIPTION",
}
_NEEDED = ("bundle", "output")
_HEAD = {
    "name": "Saiten",
    "description": "Scores Japanese text in bulk: MeCab, a Keras LSTM, Parquet out. Files, or without end.",
    "streaming": True,
    "supportsAtLeastOnce": False,
    "supportsExactlyOnce": True,
}


def metadata() -> dict[str, Any]:
    """Returns the template's metadata."""
    actions = command_parser("score")._actions  # noqa: SLF001 - argparse has no public way to list them
    parameters = [_parameter(action) for action in actions if action.dest not in LEFT_OUT]
    return {**_HEAD, "parameters": parameters}


def _parameter(action: argparse.Action) -> dict[str, Any]:
    is_switch = action.nargs == 0
    found: dict[str, Any] = {
        "name": action.dest,
        "label": shown_help(action)[:1].upper() + shown_help(action)[1:],
        "helpText": f"As --{action.dest} of saiten score: {shown_help(action)}.",
        "isOptional": action.dest not in _NEEDED,
        "paramType": "BOOLEAN" if is_switch else _KINDS.get(action.dest, "TEXT"),
        "regexes": ["^(true|false)$" if is_switch else _pattern(action)],
    }
    if is_switch:
        found["defaultValue"] = "false"
    return found


def _pattern(action: argparse.Action) -> str:
    if action.dest in PATTERNS:
        return PATTERNS[action.dest]
    if action.choices is not None:
        return f"^({'|'.join(map(str, action.choices))})$"
    # Whatever else there is, is a number; a new flag of another kind has to be named above.
    return {int: "^[0-9]+$", float: "^[0-9]+([.][0-9]+)?$"}[action.type]  # type: ignore[index]


if __name__ == "__main__":
    _PAGE.write_text(json.dumps(metadata(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
