"""`saiten inspect`: a bundle or a run as a short page."""

import argparse
import pathlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from saiten.pipelines.commands.pages.rows import Row

EXAMPLE = "saiten inspect runs/june"

_MAX_NAME_WIDTH = 40

# Some hundred bytes for each file read and written: those of a million.
_MAX_RUN_MANIFEST_BYTES = 256 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `saiten inspect`."""
    parser.add_argument("directory", metavar="DIR", help="a bundle, or the output of a run")


def run(args: argparse.Namespace) -> int:
    """Shows the directory's manifest; returns 0.

    Raises:
        UsageError: The directory is neither a bundle nor a run.
    """
    from saiten.model.bundle.bundle_files import BUNDLE_MANIFEST, MAX_BYTES
    from saiten.model.errors import UsageError
    from saiten.pipelines.commands.pages.bundle_page import bundle_rows
    from saiten.pipelines.steps.scoring_bundle import opened_bundle
    from saiten.pipelines.terminal import make_console

    directory: str = args.directory
    # A pipe has no width of its own, and 80 columns cut a sha256.
    console = make_console(None if sys.stdout.isatty() else 120)
    names = _names(directory)
    try:
        if names & (MAX_BYTES.keys() - {BUNDLE_MANIFEST}):
            with opened_bundle(directory, trusted=True) as bundle:
                _print_page(console, bundle_rows(directory, bundle))
        else:
            _print_page(console, _run_page(directory, names))
    except RecursionError as error:
        raise UsageError(f"The manifest in {directory} is nested too deep to be shown.") from error
    return 0


def _names(directory: str) -> set[str]:
    """Returns what lies in the directory; nothing where there is none."""
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage

    try:
        if storage.is_remote(directory):
            return {path.removeprefix(storage.join(directory, "")) for path in storage.list_files(directory)}
        return {path.name for path in pathlib.Path(directory).iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise UsageError(f"{directory} cannot be read: {error}.") from error


def _run_page(directory: str, names: set[str]) -> "Iterable[Row]":
    from saiten.model.bundle.bundle_files import is_plain
    from saiten.model.errors import UsageError
    from saiten.pipelines import storage
    from saiten.pipelines.commands.pages.run_page import misshapen_rows, run_rows
    from saiten.pipelines.commands.pages.unfinished_page import unfinished_rows
    from saiten.pipelines.run.layout import RUN_MANIFEST, SUCCESS, WORK_FOLDER
    from saiten.pipelines.run.run_manifest import MisshapenManifestError, read_run_manifest

    unfinished = list(unfinished_rows(directory)) if any(name.startswith(WORK_FOLDER) for name in names) else []
    if unfinished and RUN_MANIFEST not in names:
        return unfinished
    path = storage.join(directory, RUN_MANIFEST)
    is_remote = storage.is_remote(path)
    if RUN_MANIFEST not in names or not (is_remote or is_plain(pathlib.Path(path))):
        raise UsageError(f"{directory} is neither a bundle nor a committed run: it has no {RUN_MANIFEST}.")
    if not is_remote and pathlib.Path(path).stat().st_size > _MAX_RUN_MANIFEST_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_RUN_MANIFEST_BYTES} bytes.")
    try:
        manifest = read_run_manifest(directory)
    except MisshapenManifestError as error:
        return misshapen_rows(directory, error.problem, error.fields)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    if manifest is None:
        raise UsageError(f"{path} has gone.")
    return [*run_rows(directory, manifest, is_whole=SUCCESS in names), *unfinished]


def _print_page(console: "Console", rows: "Iterable[Row]") -> None:
    from rich.table import Table

    from saiten.pipelines.terminal import escape

    page = Table.grid(padding=(0, 2))
    page.add_column(style="bold", no_wrap=True, max_width=_MAX_NAME_WIDTH)
    page.add_column(overflow="fold")
    for name, value in rows:
        page.add_row(escape(name), escape(value))
    console.print(page)
