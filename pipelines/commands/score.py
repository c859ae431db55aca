"""`saiten score`: scores files, and says what came of it."""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import threading
from typing import TYPE_CHECKING

from saiten.model.counted import counted
from saiten.model.errors import FINDINGS_EXIT_CODE, SaitenError
from saiten.pipelines.commands.score_flags import add_arguments, read_settings
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from saiten.pipelines.run.run_manifest import RunManifest

__all__ = ["EXAMPLE", "ONE_OF", "add_arguments", "run"]

EXAMPLE = (
    "saiten score --input=reviews.csv --text_field=body --id_field=id \\\n    --bundle=bundles/mine --output=runs/june"
)
ONE_OF = (("--output", "--check"),)


def run(args: argparse.Namespace) -> int:
    """Scores the input; returns the exit code.

    Raises:
        SaitenError: Nothing was committed, unless it says so; its exit code says why.
    """
    settings = read_settings(args)
    if args.check:
        from saiten.pipelines.commands.check import check_run

        return check_run(settings)
    if settings.streaming:
        from saiten.pipelines.streaming.launch import launch_stream

        launch_stream(settings, as_json=args.json)
        return 0
    from saiten.pipelines.local.waiting import waiting_workers

    with waiting_workers(settings) as waiting:
        _check_dictionary_ahead(settings.bundle)
        from saiten.pipelines.local.launch import launch_run

        manifest = launch_run(settings, waiting)
    if manifest is None:
        return 0
    for line in (warning_line, dead_letters_line):
        if said := line(manifest, settings.run_directory):
            say(said)
    say(summary_line(manifest, settings.run_directory))
    if args.json:
        show(json.dumps(dataclasses.asdict(manifest), indent=1))  # as ASCII: a name may hold what moves the cursor
    dead = manifest.counts.dead
    return FINDINGS_EXIT_CODE if dead and not args.allow_dead_letters else 0


def _check_dictionary_ahead(bundle: str) -> None:
    """Begins to hash the dictionary of a local bundle, which takes no interpreter, while Beam is loaded."""
    from saiten.model.bundle.bundle import read_bundle

    def check() -> None:
        with contextlib.suppress(SaitenError, OSError):  # the run itself says what is wrong
            read_bundle(pathlib.Path(bundle)).check_dictionary()

    threading.Thread(target=check, daemon=True).start()


def warning_line(manifest: "RunManifest", output: str) -> str:
    """Returns why scores are not to be relied on, one line; ``""`` where nothing of weight speaks against them."""
    from saiten.pipelines.run.layout import REPORT
    from saiten.pipelines.verdict import Level

    verdict = manifest.verdict
    if verdict is None or verdict.level < Level.BAD or not manifest.counts.scored:
        return ""
    return f"{verdict.sentence} {verdict.findings[0].sentence} {output}/{REPORT} has more."


def dead_letters_line(manifest: "RunManifest", output: str) -> str:
    """Returns where those records are that could not be scored, and what says why; ``""`` where there are none."""
    from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER

    n = manifest.counts.dead
    if not n:
        return ""
    return (
        f"{counted(n, 'record')} could not be scored and went to {output}/{DEAD_LETTERS_FOLDER}, each with the reason; "
        f"`saiten inspect {output}` says what the codes mean."
    )


def summary_line(manifest: "RunManifest", output: str) -> str:
    """Returns what happened in numbers, one line."""
    from saiten.pipelines.run.run_manifest import counts_line

    counts = manifest.counts
    about = "" if manifest.duplicate_ids_exact else "about "
    duplicates = f", {about}{counted(counts.duplicate_ids, 'repeated id')}" if counts.duplicate_ids else ""
    nothing = "" if counts.records else ": the input has no records"
    seconds = max(manifest.seconds, 1e-3)
    return (
        f"{counts_line(counts, manifest.dead_letter_codes)}{duplicates}{nothing}; "
        f"{seconds:.1f} s, {counts.records / seconds:,.0f} records/s; in {output}"
    )
