"""What follows a commit: parts of other runs go, the report is written, the run is marked as whole."""

import re

from saiten.model.errors import SaitenError
from saiten.pipelines import storage
from saiten.pipelines.run.layout import (
    DEAD_LETTERS_FOLDER,
    DECIDING,
    LOCK,
    PART_NAME,
    REPORT,
    RUN_MANIFEST,
    SCORES_FOLDER,
    SUCCESS,
    WORK_FOLDER,
)
from saiten.pipelines.run.run_manifest import RunManifest


def finish_commit(output: str, manifest: RunManifest) -> None:
    """Removes what other runs left in the output directory, and says that the run is whole; safe to run again.

    Args:
        output: The output directory, in which the manifest lies already.
        manifest: Of the run that counts.

    Raises:
        SaitenError: Some of it failed; the run is committed all the same.
    """
    try:
        _clear_and_mark(output, manifest)
    except Exception as error:  # whatever the disk, the store or the report raises, the run counts already
        raise SaitenError(
            f"The run in {output} is committed, but not marked and cleared up: {error}; --resume does that."
        ) from error


def _clear_and_mark(output: str, manifest: RunManifest) -> None:
    from saiten.pipelines.reports.run_report import write_report  # pygal, which only the process that commits needs

    parts, beside = _leftovers(output, {part.path for part in manifest.outputs})
    storage.remove_files(parts)
    write_report(output, manifest)
    storage.write_atomic(storage.join(output, SUCCESS), b"")
    storage.remove_files(beside)
    storage.remove_folder(storage.join(output, WORK_FOLDER), keep=(LOCK, DECIDING))


def _leftovers(output: str, current: set[str]) -> tuple[list[str], list[str]]:
    """Parts that don't count, and files that a killed run began beside the manifest; nobody else's files."""
    parts, beside = [], []
    for path in storage.list_files(output):
        below = path.removeprefix(output.rstrip("/") + "/")
        folder, _, name = below.rpartition("/")
        whole = storage.whole_name(name)
        if folder in (SCORES_FOLDER, DEAD_LETTERS_FOLDER) and re.fullmatch(PART_NAME, whole) and below not in current:
            parts.append(path)
        elif not folder and name != whole and whole in (RUN_MANIFEST, REPORT, SUCCESS):
            beside.append(path)
    return parts, beside
