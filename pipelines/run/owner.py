"""Whose an output directory is: a job that is no longer its owner's commits nothing.

A job may outlive its launcher. So each launcher writes a token of its own into the directory when it claims it, and
its job carries the token along: when another launcher has claimed the directory since, or this one has given the job
up, the token is another or is gone, and the job is fenced off.

Between a job's look at the token and its commit nobody claims the directory or gives the job up: on a disk whoever
decides about the directory holds a lock meanwhile. On a store, where there are none, a commit goes through only while
the manifest is as it was before that look, and what a job and the launcher that gives it up both write down first
(`_work/<run>/decided-<token>.json`) only one of them can.
"""

import errno
import fcntl
import os
import pathlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.run.layout import DECIDED, DECIDING, OWNER, WORK_FOLDER, Run
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.notes.failures import FencedOffError

# How long whoever has the directory's lock gets: a commit with what it clears up.
_LOCK_SECS, _POLL_SECS = 60.0, 0.02
# On a store that cannot tell two writers apart, a job that was let through writes its manifest in this time.
_SETTLE_SECS = 1.0


@dataclass(frozen=True)
class _Owner:
    token: str


@dataclass(frozen=True)
class _Decided:
    """What became of a job, whichever is written first: it commits, or it is given up."""

    commits: bool


def write_owner(output: str, token: str) -> None:
    """Makes whoever has the token the directory's owner."""
    with deciding(output):
        storage.write_atomic(_path(output), to_json(_Owner(token)))


def owner_version(output: str) -> str:
    """Returns what changes whenever somebody writes a token, the same one too."""
    return contended.version_of(_path(output))


def renew_owner(output: str, token: str, version: str) -> bool:
    """Makes whoever has the token the owner of a directory on a store, if nobody has written one since that version.

    Returns:
        Whether it is; on a store that cannot tell two writers apart, not before both have had time to write.
    """
    return contended.replace(_path(output), to_json(_Owner(token)), version)


def owner_of(output: str) -> str | None:
    """Returns the token of the directory's owner; None where it has none."""
    try:
        owner = read_json(_path(output), _Owner)
    except ValueError:
        return ""  # somebody's
    return owner.token if owner else None


def give_up(output: str, token: str) -> None:
    """Leaves the directory without an owner, unless it is another's by now."""
    if owner_of(output) != token:
        return
    with deciding(output):
        if owner_of(output) == token:
            storage.remove_files([_path(output)])


def withdraw(run: Run) -> bool:
    """Gives a job up that goes on elsewhere, so that it commits nothing from now on.

    Returns:
        False where it has begun to commit.

    Raises:
        OSError: The directory cannot be written; other errors are those of a store's library.
    """
    is_first = not storage.is_remote(run.output) or _decide(run, commits=False)
    give_up(run.output, run.token)
    if not contended.is_exact(run.output):
        time.sleep(_SETTLE_SECS)
    return is_first


def refuse_fenced_off(run: Run) -> None:
    """Stops a job that is no longer its directory's owner's.

    Raises:
        FencedOffError: Another launcher has claimed the directory, or the job's own one has given it up.
    """
    if owner_of(run.output) != run.token:
        raise FencedOffError(f"{run.output} is no longer this job's to write to: it commits nothing.")


def write_as_owner(run: Run, path: str, content: bytes, version: str) -> bool:
    """Writes the file that makes a run count, if its job is still the directory's owner's; called while `deciding`.

    Args:
        version: Of the file that it replaces, as it was when the job began to look whether it may.

    Returns:
        False where somebody else has written that file since.

    Raises:
        FencedOffError: The job may not.
    """
    if contended.version_of(path) != version:
        return False
    refuse_fenced_off(run)
    if storage.is_remote(run.output) and not _decide(run, commits=True):
        raise FencedOffError(f"{run.output}: this job was given up; it commits nothing.")
    return contended.replace(path, content, version)


@contextmanager
def deciding(output: str) -> Iterator[None]:
    """Keeps others from deciding about a directory on a disk while the block runs; a store has no locks.

    Raises:
        OSError: Somebody else does not let go, or the directory cannot be locked.
    """
    if storage.is_remote(output):
        yield
        return
    path = pathlib.Path(output, WORK_FOLDER, DECIDING)
    with _lock(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # what is kept there, or a launcher's lock
                path.parent.rmdir()


def _lock(path: pathlib.Path) -> IO[bytes]:
    """Returns a file that is locked until it is closed."""
    for _ in range(round(_LOCK_SECS / _POLL_SECS)):  # no clock's seconds, in which the whole machine may have slept
        storage.make_folder(path.parent)
        with ExitStack() as opened, suppress(BlockingIOError, FileNotFoundError):
            lock = opened.enter_context(path.open("wb"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:  # else whoever had it has removed it
                opened.pop_all()
                return lock
        time.sleep(_POLL_SECS)
    raise TimeoutError(errno.ETIMEDOUT, f"another process has had it locked for {_LOCK_SECS:.0f} s", str(path))


def secs_since_heard_of(output: str, token: str) -> float:
    """Returns how long ago the directory's owner wrote its token last, by the store's clock alone.

    Args:
        token: Of whoever asks, for the name of a file whose time is the store's own.
    """
    probe = storage.join(output, WORK_FOLDER, f"clock-{token}")
    storage.write_atomic(probe, b"")
    try:
        return storage.changed_secs(probe) - storage.changed_secs(_path(output))
    finally:
        storage.remove_files([probe])


def _decide(run: Run, *, commits: bool) -> bool:
    """Writes down what becomes of a job, if nobody has; tells whether that is what stands there."""
    path = storage.join(run.work_folder, f"{DECIDED}{run.token}.json")
    decided = _Decided(commits)
    return contended.create(path, to_json(decided)) or read_json(path, _Decided) == decided


def _path(output: str) -> str:
    return storage.join(output, WORK_FOLDER, OWNER)
