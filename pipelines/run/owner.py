"""Whose an output directory is: a job that is no longer its owner's commits nothing.

A job may outlive its launcher. So each launcher writes a token of its own into the directory when it claims it, and
its job carries the token along: when another launcher has claimed the directory since, or this one has given the job
up, the token is another or is gone, and the job is fenced off.
"""

from dataclasses import dataclass

from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.run.layout import OWNER, WORK_FOLDER, Run
from saiten.pipelines.run.notes.failures import FencedOffError


@dataclass(frozen=True)
class _Owner:
    token: str


def write_owner(output: str, token: str) -> None:
    """Makes whoever has the token the directory's owner."""
    storage.write_atomic(_path(output), to_json(_Owner(token)))


def owner_of(output: str) -> str | None:
    """Returns the token of the directory's owner; None where it has none."""
    try:
        owner = read_json(_path(output), _Owner)
    except ValueError:
        return ""  # somebody's
    return owner.token if owner else None


def give_up(output: str, token: str) -> None:
    """Leaves the directory without an owner, unless it is another's by now."""
    if owner_of(output) == token:
        storage.remove_files([_path(output)])


def refuse_fenced_off(run: Run) -> None:
    """Stops a job that is no longer its directory's owner's.

    Raises:
        FencedOffError: Another launcher has claimed the directory, or the job's own one has given it up.
    """
    if owner_of(run.output) != run.token:
        raise FencedOffError(f"{run.output} is no longer this job's to write to: it commits nothing.")


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


def _path(output: str) -> str:
    return storage.join(output, WORK_FOLDER, OWNER)
