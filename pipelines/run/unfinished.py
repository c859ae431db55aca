"""A run that is not committed: whether it goes on, or was left, and how far it has come."""

import fcntl
import time
from contextlib import suppress
from dataclasses import dataclass

from saiten.pipelines import storage
from saiten.pipelines.run.claim import STALE_SECS
from saiten.pipelines.run.layout import LOCK, OWNER, WINDOWS_FOLDER, WORK_FOLDER, work_folder
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.notes.job_note import JOB_NOTE, JobNote, read_job_note
from saiten.pipelines.run.notes.range_notes import FinishedRanges
from saiten.pipelines.run.owner import owner_of
from saiten.pipelines.run.run_plan import newest_planned, read_plan

# A job that starts its workers, or is in the middle of a range, may leave no sign for minutes.
_SILENT_JOB_SECS = 15 * 60.0


@dataclass(frozen=True)
class Life:
    """What tells, beside the output of a run that is not committed, whether it goes on.

    Attributes:
        job: Where it runs; None where that is, or was, its launcher's machine.
        is_owned: Its job may still commit; else it was given up.
        is_launched: Its launcher still has the directory locked.
        silent_secs: How long ago it left a sign, by the clock of whoever asks.
    """

    job: JobNote | None
    is_owned: bool
    is_launched: bool
    silent_secs: float

    @property
    def left_because(self) -> str | None:
        """Why the run is held to be abandoned, as far as its files tell; None where it goes on."""
        if not self.is_owned:
            return "its launcher gave it up"
        if self.is_launched or self.silent_secs <= (_SILENT_JOB_SECS if self.job else 0):
            return None
        return f"nothing was heard of it for {self.silent_secs:,.0f} s" if self.job else "its launcher is gone"


def find_life(output: str, run_id: str) -> Life:
    """Returns what tells whether a run, or a stream, goes on."""
    folder = work_folder(output, run_id)
    silent_secs = time.time() - _last_sign(output, folder)
    return Life(read_job_note(folder), owner_of(output) is not None, _is_launched(output), silent_secs)


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that is not committed.

    Attributes:
        started: Seconds since the epoch.
        n_ranges: How many were planned.
        n_finished: How many of them are done.
        tally: Of their records.
        life: Whether it goes on.
    """

    run_id: str
    started: float
    n_ranges: int
    n_finished: int
    tally: DeadLetterTally
    life: Life


def find_unfinished_run(output: str) -> UnfinishedRun | None:
    """Returns the newest run in a directory that left a plan, which goes with the commit; None where there is none.

    Raises:
        UsageError: Its plan is none that this version reads.
    """
    run_id = newest_planned(output)
    if run_id is None:
        return None
    plan, finished = read_plan(output, run_id), FinishedRanges(work_folder(output, run_id))
    tally = finished.tally()
    return UnfinishedRun(run_id, plan.started, len(plan.ranges), len(finished), tally, find_life(output, run_id))


def newest_job(output: str) -> str | None:
    """Returns the id of the newest run or stream whose job is elsewhere; None where there is none."""
    notes = [path for path in storage.list_files(storage.join(output, WORK_FOLDER)) if path.endswith(f"/{JOB_NOTE}")]
    return max(notes).split("/")[-2] if notes else None


def _is_launched(output: str) -> bool:
    """Whether a launcher has the directory: by its lock on a disk, by how fresh its claim is on a store."""
    if storage.is_remote(output):
        with suppress(FileNotFoundError):
            return time.time() - storage.changed_secs(storage.join(output, WORK_FOLDER, OWNER)) < STALE_SECS
        return False
    try:
        with storage.open_read(storage.join(output, WORK_FOLDER, LOCK)) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # and lets go of it at once
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _last_sign(output: str, folder: str) -> float:
    windows = storage.list_named(storage.join(output, WINDOWS_FOLDER), "")
    signs = [storage.join(output, WORK_FOLDER, OWNER), *storage.list_files(folder), *windows[-1:]]
    newest = 0.0
    for path in signs:
        with suppress(FileNotFoundError):
            newest = max(newest, storage.changed_secs(path))
    return newest
