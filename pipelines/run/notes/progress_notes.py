"""How far a local run has come: a small file from each writer, read by the launcher.

Beam's local runners say nothing until a stage is over.
"""

import math
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from saiten.pipelines import storage
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally

_PREFIX = "progress-"
WRITE_SECS = 0.5
# Of what cannot be decoded, the blank lines pass for good: they say nothing of the size of records.
_GOOD_SHARE = 0.75


@dataclass
class Progress:
    """What has been done so far.

    Attributes:
        n_bytes: Of the input.
        tally: Of its records.
        record_bytes: The smallest mean size of a block's records, of blocks that are good for the most part.
    """

    n_bytes: int = 0
    tally: DeadLetterTally = field(default_factory=DeadLetterTally)
    record_bytes: float = math.inf


@dataclass(frozen=True)
class DeadLetterLimit:
    """How many dead letters a run of an input may have; travels with the steps.

    Attributes:
        max_rate: The share of the records.
        total_bytes: Of the input.
        least_record_bytes: How small records may be in any case, in bytes of the input.
    """

    max_rate: float
    total_bytes: int
    least_record_bytes: int

    def stop_if_hopeless(self, done: Progress) -> None:
        """Stops a run that is hopeless: the rest is taken for good, and its records for the smallest so far.

        A run is stopped wrongly only if a rest of still smaller records could have saved it: of lines of
        less than `least_record_bytes`, or of archives that pack more than a record into a byte.

        Raises:
            TooManyDeadLettersError: It cannot end with few enough.
        """
        to_come = max(0, self.total_bytes - done.n_bytes)
        done.tally.refuse_hopeless(self.max_rate, to_come / min(done.record_bytes, self.least_record_bytes))


class ProgressNote:
    """One writer's progress; writes its file at most twice a second.

    Args:
        folder: Where the notes of all writers lie. On an object store, where other machines write too and
            each note would be a request, none is written: a writer knows of itself alone.
        clock: Seconds; injected in tests.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._path = storage.join(folder, f"{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}.json")
        self._clock = clock
        self._written = clock()
        self._done = Progress()
        self._unsettled_bytes = 0

    def add(self, block: ScoredBlock) -> Progress | None:
        """Counts one more block.

        Returns:
            What all writers that can be known of have done, where it was time to ask and this one has met a
            dead letter, which is what it may be judged by; None otherwise.
        """
        self._count(block)
        if self._clock() - self._written < WRITE_SECS:
            return None
        self._written = self._clock()
        if storage.is_remote(self._folder):
            return self._done
        storage.write_replaced(self._path, to_json(self._done))
        return read_progress(self._folder) if self._done.tally.dead else None

    def _count(self, block: ScoredBlock) -> None:
        done, n_read, n_good = self._done, block.n_read, len(block.ids)
        done.tally.add(n_read, block.dead_letters)
        # A block may stand for bytes of which more records follow; they have come when it says more, or ends.
        if block.n_bytes:
            done.n_bytes += self._unsettled_bytes
            self._unsettled_bytes = block.n_bytes
        if block.is_last:
            done.n_bytes += self._unsettled_bytes
            self._unsettled_bytes = 0
        if n_good and n_good >= _GOOD_SHARE * n_read:
            done.record_bytes = min(done.record_bytes, 1 + block.raw_bytes / n_good)


def read_progress(folder: str) -> Progress:
    """Returns the sum of what all writers have noted."""
    total = Progress()
    for path in _note_paths(folder):
        done = read_json(path, Progress)
        if done:
            total.n_bytes += done.n_bytes
            total.tally.merge(done.tally)
            total.record_bytes = min(total.record_bytes, done.record_bytes)
    return total


def remove_progress(folder: str) -> None:
    """Removes what all writers have noted."""
    storage.remove_files(_note_paths(folder))


def _note_paths(folder: str) -> list[str]:
    # Others are not whole yet.
    return [path for path in storage.list_named(folder, _PREFIX) if path.endswith(".json")]
