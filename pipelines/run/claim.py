"""One writer for each output directory."""

import fcntl
import json
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
from saiten.pipelines.terminal import done_before_end, end_process

_BEAT_SECS = 20.0
# A launcher that was killed says nothing more; its claim counts no longer after so many seconds.
_STALE_SECS = 120.0
# Two launchers that see no claim at the same moment both write one; the later one stands.
_SETTLE_SECS = 2.0


@contextmanager
def claim(output: str) -> Iterator[None]:
    """Keeps other launchers out of an output directory while the block runs.

    Raises:
        UsageError: Another one is at work there, or the directory cannot be written.
    """
    held = _leased(Lease(output)) if storage.is_remote(output) else _locked(output)
    with held:
        yield


@contextmanager
def _locked(output: str) -> Iterator[None]:
    path = pathlib.Path(output, WORK_FOLDER, LOCK)
    try:
        storage.make_folder(path.parent)
        lock = path.open("wb")
    except OSError as error:
        raise UsageError(f"--output={output} cannot be written: {error.strerror}.") from error
    with lock:  # the lock goes with the process, however that ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = path.stat().st_ino == os.fstat(lock.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            is_current = False
        except OSError as error:
            raise UsageError(
                f"--output={output} cannot be locked: {error.strerror}; give another directory."
            ) from error
        if not is_current:
            raise UsageError(f"--output={output} is being written by another run: wait, or give another directory.")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # an unfinished run keeps its notes there
                path.parent.rmdir()


@dataclass(frozen=True)
class Lease:
    """A claim on an object store, which has no locks: an object that its writer renews.

    Attributes:
        output: The output directory.
        clock: Seconds since the epoch; injected in tests, as is `sleep`.
        token: Who it is.
    """

    output: str
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def take(self) -> None:
        """Writes the claim, and makes sure that nobody else's was written at the same time.

        Raises:
            UsageError: Another writer's claim is there, and is fresh.
        """
        self._refuse_foreign()
        self.renew()
        self.sleep(_SETTLE_SECS)
        self._refuse_foreign()

    def renew(self) -> None:
        """Says that the writer is still there."""
        storage.write_atomic(self._path, json.dumps({"token": self.token, "seconds": self.clock()}).encode())

    def is_lost(self) -> bool:
        """Tells whether another writer has the claim, or had it and is done, as while this machine slept."""
        return self._read().get("token") != self.token

    def give_back(self) -> None:
        """Removes the claim, if it is still this writer's."""
        if not self.is_lost():
            storage.remove_files([self._path])

    @property
    def _path(self) -> str:
        return storage.join(self.output, WORK_FOLDER, LOCK)

    def _read(self) -> dict[str, object]:
        content = storage.read_bytes(self._path)
        return dict(json.loads(content)) if content else {}

    def _refuse_foreign(self) -> None:
        found = self._read()
        seconds = found.get("seconds", 0.0)
        is_fresh = isinstance(seconds, int | float) and self.clock() - seconds < _STALE_SECS
        if found and found.get("token") != self.token and is_fresh:
            raise UsageError(
                f"--output={self.output} is being written by another run, or was until {_STALE_SECS:.0f} s ago: "
                "wait, or give another directory."
            )


@contextmanager
def _leased(lease: Lease) -> Iterator[None]:
    lease.take()
    ended, writing = threading.Event(), threading.Lock()

    def let_go() -> None:
        ended.set()
        with writing, suppress(Exception):  # the run's end counts, and a claim that stays is stale in two minutes
            lease.give_back()

    threading.Thread(target=_renew_until, args=(lease, ended, writing), daemon=True).start()
    try:
        with done_before_end(let_go):
            yield
    finally:
        let_go()


def _renew_until(lease: Lease, ended: threading.Event, writing: threading.Lock) -> None:
    while not ended.wait(_BEAT_SECS):
        is_lost = False
        with writing, suppress(Exception):  # whatever the store's library raises: one lost beat is no lost claim
            if ended.is_set():
                return
            is_lost = lease.is_lost()
            if not is_lost:
                lease.renew()
        if is_lost:
            end_process(1, f"--output={lease.output} was claimed by another run while this one slept: this one ends.")
