"""How many records repeat another one's id, in memory that does not grow with them.

An id is known by its hash. As long as they fit all are kept, and the answer is exact. Beyond that only those
below a bound are, which is halved as often as needed: a sample of the *ids*, each with all of its records.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]

# 12 bytes each. So many different ids are counted exactly.
MAX_KEPT_IDS = 1 << 20
_HASH_BITS = 64


def hash_ids(ids: Sequence[str]) -> Hashes:
    """Returns a hash of each id, uint64 [n], the same in every process."""
    return np.array([xxhash.xxh3_64_intdigest(record_id.encode()) for record_id in ids], np.uint64)


@dataclass(frozen=True)
class IdSample:
    """The ids of some records, or a sample of them, as it is stored.

    Attributes:
        hashes: uint64 [k], increasing; as Base64, which JSON can hold.
        counts: uint32 [k], how many records have the id; likewise.
        n_halvings: Only hashes whose so many highest bits are 0 are kept.
    """

    hashes: str = ""
    counts: str = ""
    n_halvings: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether no id was left out."""
        return self.n_halvings == 0

    @property
    def n_repeated(self) -> int:
        """How many records have the id of an earlier one; about, where it is not exact."""
        counts = _unpacked_counts(self)
        return int(counts.sum(dtype=np.int64) - len(counts)) << self.n_halvings


class IdCounter:
    """Collects an `IdSample`.

    Args:
        max_kept: How many different ids are kept at most.
    """

    def __init__(self, max_kept: int = MAX_KEPT_IDS) -> None:
        self._max_kept = max_kept
        self._n_halvings = 0
        self._hashes = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.uint32)
        self._waiting: list[Hashes] = []
        self._n_waiting = 0

    def add(self, ids: Sequence[str]) -> None:
        """Counts the ids of some records."""
        hashes = hash_ids(ids)
        self._waiting.append(hashes[self._is_kept(hashes)])
        self._n_waiting += len(self._waiting[-1])
        if self._n_waiting > self._max_kept // 4:
            self._count_waiting()

    def merge(self, sample: IdSample) -> None:
        """Adds the ids of other records."""
        self._count_waiting()
        self._n_halvings = max(self._n_halvings, sample.n_halvings)
        hashes = np.concatenate([self._hashes, np.frombuffer(base64.b64decode(sample.hashes), np.uint64)])
        self._keep(hashes, np.concatenate([self._counts, _unpacked_counts(sample)]))

    @property
    def sample(self) -> IdSample:
        """What has been counted so far."""
        self._count_waiting()
        hashes, counts = (base64.b64encode(array.tobytes()).decode() for array in (self._hashes, self._counts))
        return IdSample(hashes, counts, self._n_halvings)

    def _is_kept(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        if self._n_halvings == 0:  # NumPy leaves a shift by all bits undefined
            return np.ones(len(hashes), np.bool_)
        return np.asarray(hashes >> np.uint64(_HASH_BITS - self._n_halvings) == 0)

    def _count_waiting(self) -> None:
        if self._n_waiting:
            counts = np.concatenate([self._counts, np.ones(self._n_waiting, np.uint32)])
            self._keep(np.concatenate([self._hashes, *self._waiting]), counts)
            self._waiting, self._n_waiting = [], 0

    def _keep(self, hashes: Hashes, counts: Counts) -> None:
        self._hashes, group = np.unique(hashes, return_inverse=True)
        self._counts = np.bincount(group, counts, len(self._hashes)).astype(np.uint32)
        kept = self._is_kept(self._hashes)
        while np.count_nonzero(kept) > self._max_kept:
            self._n_halvings += 1
            kept = self._is_kept(self._hashes)
        self._hashes, self._counts = self._hashes[kept], self._counts[kept]


def _unpacked_counts(sample: IdSample) -> Counts:
    return np.frombuffer(base64.b64decode(sample.counts), np.uint32)
