"""`saiten doctor`: what Saiten needs on this machine, and what to do where it is missing."""

import argparse
import dataclasses
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

from saiten.pipelines.terminal import make_console, say, show

if TYPE_CHECKING:
    from rich.console import Console

    from saiten.pipelines.local.health import Diagnosis

EXAMPLE = "saiten doctor --output=runs"

_NAME_WIDTH = 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten doctor`."""
    parser.add_argument("--output", metavar="DIR", default=".", help="where runs are to be written")
    parser.add_argument("--json", action="store_true", help="what was found as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Tries everything, a line each; returns 0, or 1 where nothing could be scored here."""
    from saiten.pipelines.local.health import examine

    console = make_console()
    findings = []
    # What is tried takes seconds, and on a busy machine many.
    waiting = console.status("trying what scoring and training need …") if not args.json else nullcontext()
    with waiting:
        for finding in examine(args.output):
            findings.append(finding)
            if not args.json:
                _print(console, finding)
    if args.json:
        show(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    n_bad, n_notes = (sum(finding.level == level for finding in findings) for level in ("bad", "note"))
    if n_bad:
        them = "it is" if n_bad == 1 else "they are"
        say(f"{n_bad} of {len(findings)} checks failed: nothing can be scored here before {them} mended.")
        return 1
    say(f"scoring works here: {len(findings)} checks{f', {n_notes} with a remedy' if n_notes else ''}.")
    return 0


def _print(console: "Console", finding: "Diagnosis") -> None:
    from saiten.pipelines.commands.pages.tables import BAD, GOOD, LOOK, facts

    mark = {"good": GOOD, "note": LOOK, "bad": BAD}[finding.level]
    remedy = [("", "", f"→ {finding.remedy}")] if finding.remedy else []
    console.print(facts([(mark, finding.name, finding.figure), *remedy], _NAME_WIDTH))
