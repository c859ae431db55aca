"""Who may write to an output directory."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.claim import Claim, claim_output
from saiten.pipelines.run.layout import (
    DEAD_LETTERS_FOLDER,
    DECIDING,
    LOCK,
    OWNER,
    REPORT,
    RUN_ID,
    RUN_MANIFEST,
    SCORES_FOLDER,
    SUCCESS,
    WINDOWS_FOLDER,
    WORK_FOLDER,
)
from saiten.pipelines.run.run_manifest import read_run_manifest
from saiten.pipelines.run.run_plan import newest_planned

_FOLDERS = (SCORES_FOLDER, DEAD_LETTERS_FOLDER, WINDOWS_FOLDER, WORK_FOLDER)
_FILES = (RUN_MANIFEST, SUCCESS, REPORT)
# All of the work folder goes with the commit, so nothing but runs' own may lie there.
_OWN_WORK = re.compile(
    rf"(?!{WORK_FOLDER}/)|{WORK_FOLDER}/({LOCK}|{OWNER}|{DECIDING}|clock-[0-9a-f]{{32}}|{RUN_ID}/.+)$"
)


def refuse_used(output: str, *, overwrite: bool, resume: bool, is_stream: bool = False) -> None:
    """Refuses a directory that holds something this run would not replace or finish.

    Args:
        is_stream: It is a stream's, which adds windows to those that are there.

    Raises:
        UsageError: With what it holds and the remedy.
    """
    if not storage.is_remote(output):
        _refuse_kinds(output)
    try:
        below = [path.removeprefix(output.rstrip("/") + "/") for path in storage.list_files(output)]
    except OSError as error:
        raise UsageError(f"--output={output} cannot be read: {error}.") from error
    whole = [storage.whole_path(path) for path in below]
    names = {path.split("/")[0] for path in whole}
    foreign = sorted([*names.difference(_FOLDERS, _FILES), *(path for path in whole if not _OWN_WORK.match(path))])
    if foreign:
        raise UsageError(f"--output={output} holds {foreign[0]}, which is no run's: give a directory of its own.")
    if is_stream and names & {RUN_MANIFEST, SUCCESS}:
        raise UsageError(f"--output={output} holds a run of files: give a stream a directory of its own.")
    if not is_stream and WINDOWS_FOLDER in names:
        raise UsageError(f"--output={output} holds the windows of a stream: give another directory.")
    if is_stream and names - {WORK_FOLDER} and not resume:
        raise UsageError(f"--output={output} holds a stream: --resume goes on with it, or give another directory.")
    if RUN_MANIFEST in below and read_run_manifest(output) and not (overwrite or resume):
        raise UsageError(f"--output={output} holds a run: --overwrite replaces it, or give another directory.")
    if (names - {WORK_FOLDER} or newest_planned(output)) and not (overwrite or resume):
        raise UsageError(
            f"--output={output} holds an unfinished run: --resume finishes it, --overwrite starts anew, "
            "or give another directory."
        )


def _refuse_kinds(output: str) -> None:
    """Refuses what a run could not write to or clear up, though it has the right name."""
    if os.path.lexists(output) and not os.path.isdir(output):
        raise UsageError(f"--output={output} is a file: give a directory.")
    for name in (*_FOLDERS, *_FILES):
        path = os.path.join(output, name)
        # Parts of earlier runs behind a link would never be found.
        is_link, is_folder = os.path.islink(path), os.path.isdir(path)
        fits = is_folder and not is_link if name in _FOLDERS else not is_folder
        if os.path.lexists(path) and not fits:
            kind = "a link" if is_link else "a folder" if is_folder else "a file"
            raise UsageError(f"--output={output} holds {name}, which is {kind}: give a directory of its own.")


@contextmanager
def claimed(output: str, *, overwrite: bool, resume: bool, is_stream: bool = False) -> Iterator[Claim]:
    """Refuses a directory that is in use, and keeps other launchers out of it while the block runs.

    Raises:
        UsageError: The directory holds something, cannot be written, or another process writes to it.
    """
    refuse_used(output, overwrite=overwrite, resume=resume, is_stream=is_stream)
    with claim_output(output) as claim:
        # Another run may have ended meanwhile.
        refuse_used(output, overwrite=overwrite, resume=resume, is_stream=is_stream)
        yield claim
