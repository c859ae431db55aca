"""How far a run's records are from those that the model was trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from saiten.model.bundle.reference import ReferenceHistogram
from saiten.pipelines.statistics.histogram import Histogram

# Neighbouring bins are put together until each holds so much of the training data.
_LEAST_SHARE = 0.1
_ADDED_COUNT = 0.5
# The usual reading of the index.
_MOVED, _DIFFERENT = 0.1, 0.25


class DriftLevel(StrEnum):
    """What an index says, in words."""

    ALIKE = "as in training"
    MOVED = "has moved"
    DIFFERENT = "differs"
    TOO_FEW = "too few records to tell"


@dataclass(frozen=True)
class Drift:
    """A population stability index and what it is worth.

    Attributes:
        index: The sum over groups of ``(p - q) * ln(p / q)``; 0 where both are spread alike.
        by_chance: What it would be on average if the records were drawn from the training data.
        n_groups: How many groups it is a sum of.
    """

    index: float
    by_chance: float
    n_groups: int

    @property
    def level(self) -> DriftLevel:
        """What the index says: below 0.1 and 0.25 as is usual, where chance alone does not give that much."""
        if 2 * self.by_chance > _MOVED and self.index < 4 * self.by_chance:
            return DriftLevel.TOO_FEW
        if self.index < _MOVED:
            return DriftLevel.ALIKE
        return DriftLevel.MOVED if self.index < _DIFFERENT else DriftLevel.DIFFERENT


def measure_drift(reference: Sequence[int], counts: Sequence[int]) -> Drift | None:
    """Returns the population stability index of counts by bin against the training data's.

    Args:
        reference: One count for each bin.
        counts: Of the same bins.

    Returns:
        None where either is empty, or the training data is all of one bin.
    """
    groups = _groups(reference, counts)
    n_reference, n_counts = sum(reference), sum(counts)
    if len(groups) < 2 or not n_counts:
        return None
    shares = [
        ((theirs + _ADDED_COUNT) / (n_reference + _ADDED_COUNT), (ours + _ADDED_COUNT) / (n_counts + _ADDED_COUNT))
        for theirs, ours in groups
    ]
    index = sum((ours - theirs) * math.log(ours / theirs) for theirs, ours in shares)
    by_chance = (len(groups) - 1) * (1 / n_reference + 1 / n_counts)
    return Drift(index, by_chance, len(groups))


def _groups(reference: Sequence[int], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Puts neighbouring bins together; what is left over at the end joins the last group.

    Where one bin holds nearly all of the training data, as that near 0 does for the probability of one class of many,
    it is a group, and all others are the second.
    """
    least = max(1.0, _LEAST_SHARE * sum(reference))
    groups: list[tuple[int, int]] = []
    theirs = ours = 0
    for in_reference, in_counts in zip(reference, counts, strict=True):
        theirs, ours = theirs + in_reference, ours + in_counts
        if theirs >= least:
            groups.append((theirs, ours))
            theirs = ours = 0
    if groups:
        last = groups.pop()
        groups.append((last[0] + theirs, last[1] + ours))
    if len(groups) == 1:
        largest = max(range(len(reference)), key=lambda i: reference[i])
        outside = sum(reference) - reference[largest], sum(counts) - counts[largest]
        if outside[0]:
            return [(reference[largest], counts[largest]), outside]
    return groups


def drift_from(reference: ReferenceHistogram, histogram: Histogram) -> Drift | None:
    """Returns how far a run's values are from the training data's.

    Returns:
        None where they cannot be compared: there are no values, or an older bundle has other bins.
    """
    edges = np.asarray(histogram.edges)
    start = int(np.abs(edges - reference.edges[0]).argmin())
    end = start + len(reference.edges)
    if end > len(edges) or not np.allclose(edges[start:end], reference.edges, rtol=1e-6, atol=1e-9):
        return None
    below, beyond = [0] * (start + 1), [0] * (len(edges) - end + 1)
    return measure_drift([*below, *reference.counts, *beyond], histogram.counts)
