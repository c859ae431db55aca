"""One launcher for each output directory."""

import fcntl
import os
import pathlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.layout import LOCK, WORK_FOLDER
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.owner import (
    give_up,
    owner_of,
    owner_version,
    renew_owner,
    secs_since_heard_of,
    write_owner,
)
from saiten.pipelines.run.run_manifest import read_run_manifest
from saiten.pipelines.terminal import done_before_end, end_process

_BEAT_SECS = 20.0
# A launcher that was killed says nothing more; its claim counts no longer after so many seconds.
STALE_SECS = 120.0
# On a store that cannot tell them apart, two launchers that see no claim at the same moment both write one; the later
# one stands.
_SETTLE_SECS = 2.0


@dataclass
class Claim:
    """A launcher's claim to an output directory.

    Attributes:
        output: The output directory.
        token: What its job has to show to write there.
        run_id: Of the run that the claim is for, once it is known.
        is_left: A job goes on under it when this launcher ends.
        sleep: Injected in tests.
    """

    output: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    run_id: str | None = None
    is_left: bool = False
    sleep: Callable[[float], None] = time.sleep

    def take(self) -> None:
        """Claims a directory on an object store, which has no locks, by a token that is renewed.

        Raises:
            UsageError: Another launcher's claim is there, and is fresh.
        """
        version = owner_version(self.output)
        if owner_of(self.output) is not None and secs_since_heard_of(self.output, self.token) < STALE_SECS:
            raise self._refusal()
        if not renew_owner(self.output, self.token, version):
            raise self._refusal()
        if not contended.is_exact(self.output):
            self.sleep(_SETTLE_SECS)
        if owner_of(self.output) != self.token:
            raise self._refusal()

    def renew(self) -> bool:
        """Says that the launcher is still there, on a store.

        Returns:
            False where the claim is lost: it is left to whoever has it.
        """
        version = owner_version(self.output)
        if self.is_lost():
            return False
        if owner_of(self.output) is not None:  # the commit itself takes the token away
            renew_owner(self.output, self.token, version)  # where another launcher was faster, the next look tells
        return True

    def is_lost(self) -> bool:
        """Tells whether another launcher has the directory, or had it and is done, as while this machine slept."""
        owner = owner_of(self.output)
        if owner is not None or self.run_id is None:
            return owner != self.token
        manifest = read_run_manifest(self.output)
        return manifest is None or manifest.run_id != self.run_id  # the commit itself takes the token away

    def give_back(self) -> None:
        """Lets go of the directory: a job that still runs writes nothing more, unless it was left to go on."""
        if not self.is_left:
            give_up(self.output, self.token)

    def _refusal(self) -> UsageError:
        return UsageError(
            f"--output={self.output} is being written by another run, or was until {STALE_SECS:.0f} s ago: "
            "wait, or give another directory."
        )


@contextmanager
def claim_output(output: str) -> Iterator[Claim]:
    """Keeps other launchers out of an output directory while the block runs.

    Raises:
        UsageError: Another one is at work there, or the directory cannot be written.
    """
    claim = Claim(output)
    with _renewed(claim) if storage.is_remote(output) else _locked(claim):
        yield claim


@contextmanager
def _locked(claim: Claim) -> Iterator[None]:
    path = pathlib.Path(claim.output, WORK_FOLDER, LOCK)
    try:
        storage.make_folder(path.parent)
        lock = path.open("wb")
    except OSError as error:
        raise UsageError(
            f"--output={claim.output} cannot be written: {error.strerror}; give another directory."
        ) from error
    with lock:  # the lock goes with the process, however that ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = path.stat().st_ino == os.fstat(lock.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            is_current = False
        except OSError as error:
            raise UsageError(
                f"--output={claim.output} cannot be locked: {error.strerror}; give another directory."
            ) from error
        if not is_current:
            raise UsageError(
                f"--output={claim.output} is being written by another run: wait, or give another directory."
            )
        write_owner(claim.output, claim.token)
        try:
            yield
        finally:
            claim.give_back()
            path.unlink(missing_ok=True)
            with suppress(OSError):  # an unfinished run keeps its notes there
                path.parent.rmdir()


@contextmanager
def _renewed(claim: Claim) -> Iterator[None]:
    claim.take()
    ended, writing = threading.Event(), threading.Lock()

    def let_go() -> None:
        ended.set()
        with writing, suppress(Exception):  # the run's end counts, and a claim that stays is stale in two minutes
            claim.give_back()

    threading.Thread(target=_renew_until, args=(claim, ended, writing), daemon=True).start()
    try:
        with done_before_end(let_go):
            yield
    finally:
        let_go()


def _renew_until(claim: Claim, ended: threading.Event, writing: threading.Lock) -> None:
    while not ended.wait(_BEAT_SECS):
        is_lost = False
        with writing, suppress(Exception):  # whatever the store's library raises: one lost beat is no lost claim
            if ended.is_set():
                return
            is_lost = not claim.renew()
        if is_lost:
            end_process(1, f"--output={claim.output} was claimed by another run while this one slept: this one ends.")
