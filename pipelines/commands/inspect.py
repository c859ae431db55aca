"""`saiten inspect`: a bundle or a run as a short page."""

import argparse
import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saiten.pipelines.commands.pages.rows import InspectPage

EXAMPLE = "saiten inspect runs/june"

# Some hundred bytes for each file read and written: those of a million.
_MAX_RUN_MANIFEST_BYTES = 256 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `saiten inspect`."""
    parser.add_argument("directory", metavar="DIR", help="a bundle, or the output of a run")
    parser.add_argument("--all", action="store_true", help="every setting, version and file too")
    parser.add_argument("--json", action="store_true", help="the manifest as JSON, for machines, instead")


def run(args: argparse.Namespace) -> int:
    """Shows the directory's manifest; returns 0.

    Raises:
        UsageError: The directory is neither a bundle nor a run.
    """
    from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST, MAX_BYTES
    from saiten.model.errors import UsageError
    from saiten.pipelines.commands.pages.bundle_page import bundle_page
    from saiten.pipelines.steps.scoring_bundle import opened_bundle
    from saiten.pipelines.terminal import show

    directory: str = args.directory
    names = _names(directory)
    try:
        if names & (MAX_BYTES.keys() - {BUNDLE_MANIFEST}):
            with opened_bundle(directory, trusted=True) as bundle:
                page = bundle_page(directory, bundle)
        else:
            page = _run_page(directory, names)
        if args.json:
            show(json.dumps(page.content, indent=1))  # as ASCII: a name may hold what moves the cursor
        else:
            _print_page(page, shows_all=args.all)
    except RecursionError as error:
        raise UsageError(f"The manifest in {directory} is nested too deep to be shown.") from error
    return 0


def _names(directory: str) -> set[str]:
    """Returns what lies in the directory."""
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage

    try:
        if storage.is_remote(directory):
            return {path.removeprefix(storage.join(directory, "")) for path in storage.list_files(directory)}
        return {path.name for path in pathlib.Path(directory).iterdir()}
    except FileNotFoundError as error:
        raise UsageError(f"There is nothing at {directory}; give a bundle's or a run's directory.") from error
    except NotADirectoryError as error:
        raise UsageError(f"{directory} is a file; give a bundle's or a run's directory.") from error
    except OSError as error:
        raise UsageError(f"{directory} cannot be read: {error}.") from error


def _run_page(directory: str, names: set[str]) -> "InspectPage":
    from saiten.model.bundle.bundle_files import is_plain
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage
    from saiten.pipelines.commands.pages.rows import InspectPage
    from saiten.pipelines.commands.pages.run_page import misshapen_page, run_page
    from saiten.pipelines.commands.pages.unfinished_page import stream_rows, unfinished_rows
    from saiten.pipelines.run.layout import RUN_MANIFEST, SUCCESS, WINDOWS_FOLDER, WORK_FOLDER
    from saiten.pipelines.run.run_manifest import MisshapenManifestError, read_run_manifest

    unfinished = list(unfinished_rows(directory)) if any(name.startswith(WORK_FOLDER) for name in names) else []
    content = {"unfinished": dict(unfinished)} if unfinished else {}
    if RUN_MANIFEST not in names:
        if unfinished:
            return InspectPage(f"{directory} holds a run that is not committed.", None, unfinished, None, (), content)
        may_be_stream = any(name.startswith((WINDOWS_FOLDER, WORK_FOLDER)) for name in names)
        stream = list(stream_rows(directory)) if may_be_stream else []
        if stream:
            return InspectPage(f"{directory} holds a stream.", None, stream, None, (), {"stream": dict(stream)})
    path = storage.join(directory, RUN_MANIFEST)
    is_remote = storage.is_remote(path)
    if RUN_MANIFEST not in names or not (is_remote or is_plain(pathlib.Path(path))):
        raise UsageError(
            f"{directory} is neither a bundle nor a committed run: it has no {RUN_MANIFEST}; give what was the "
            "--bundle of a training, or the --output of a run."
        )
    if not is_remote and pathlib.Path(path).stat().st_size > _MAX_RUN_MANIFEST_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_RUN_MANIFEST_BYTES:,} bytes, so it is no run's.")
    try:
        manifest = read_run_manifest(directory)
    except MisshapenManifestError as error:
        return misshapen_page(directory, error.problem, error.fields)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    if manifest is None:
        raise UsageError(f"{path} has just gone: another run takes its place; ask again.")
    page = run_page(directory, manifest, is_whole=SUCCESS in names)
    return dataclasses.replace(page, rows=[*page.rows, *unfinished], content={**page.content, **content})


def _print_page(page: "InspectPage", *, shows_all: bool) -> None:
    from saiten.pipelines.commands.pages.tables import BAD, GOOD, LOOK, facts
    from saiten.pipelines.commands.training.view import print_metrics
    from saiten.pipelines.terminal import escape, make_console

    console = make_console()
    console.print(f"[bold]{escape(page.headline)}[/]", soft_wrap=True)
    if page.verdict:
        marks = (GOOD, LOOK, BAD)
        console.print(facts((marks[finding.level], "", finding.sentence) for finding in page.verdict.findings))
    console.print()
    console.print(facts(("", name, said) for name, said in [*page.rows, *(page.details if shows_all else ())]))
    if page.metrics:
        console.print()
        print_metrics(console, page.metrics)
    if page.details and not shows_all:
        console.print("\n[dim]--all shows every setting, version and file.[/]")
