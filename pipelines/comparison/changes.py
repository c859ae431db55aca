"""How far the scores of one output moved from one run to another, counted in a size that does not grow."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saiten.model.text.ragged import DoubleArray, FloatArray, Int64Array
from saiten.pipelines.statistics.histogram import Histogram

# How far, from next to nothing to very far, in steps of a quarter or so.
_SIZE_EDGES = (0.0, *(10 ** (power / 10) for power in range(-90, 91)))
_DRAWN_BINS = 40
_DRAWN_SHARE = 0.005


def choose_edges(values: FloatArray, most: int) -> DoubleArray:
    """Returns edges between which values are counted to rank them: one below each value if there are few."""
    found = np.unique(values.astype(np.float64))
    if len(found) > most:
        found = np.unique(np.quantile(found, np.linspace(0, 1, most)))
    return found


@dataclass
class Ranks:
    """Pairs of values counted by where they stand on either side: a table of which rank correlation is read.

    Attributes:
        edges: Of the first side's bins and of the second's.
        counts: int64 [bins of the first, bins of the second].
    """

    edges: tuple[DoubleArray, DoubleArray]
    counts: Int64Array

    @classmethod
    def like(cls, first: FloatArray, second: FloatArray, most: int) -> "Ranks":
        """Returns an empty table for pairs like these: exact where neither side has more than `most` values."""
        edges = (choose_edges(first, most), choose_edges(second, most))
        return cls(edges, np.zeros((len(edges[0]) + 1, len(edges[1]) + 1), np.int64))

    def add(self, first: FloatArray, second: FloatArray) -> None:
        """Counts pairs."""
        rows, columns = (np.searchsorted(own, v, "right") for own, v in zip(self.edges, (first, second), strict=True))
        n_columns = self.counts.shape[1]
        self.counts += np.bincount(rows * n_columns + columns, minlength=self.counts.size).reshape(self.counts.shape)

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation, with the values of a bin as equals; NaN where a side is constant."""
        n = self.counts.sum()
        first, second = (_mean_ranks(self.counts.sum(axis=axis)) for axis in (1, 0))
        if not n:
            return float("nan")
        covariance = float(first @ self.counts @ second) / n
        variances = [float(self.counts.sum(axis=axis) @ ranks**2) / n for axis, ranks in ((1, first), (0, second))]
        return covariance / (variances[0] * variances[1]) ** 0.5 if min(variances) > 0 else float("nan")


def _mean_ranks(counts: Int64Array) -> DoubleArray:
    """Returns the mean rank of each bin's values, from -1/2 to 1/2 around the middle one."""
    ends = np.cumsum(counts, dtype=np.float64)
    total = max(1.0, float(ends[-1]))
    return np.asarray((ends - counts / 2) / total - 0.5)


class OutputChanges:
    """The changes of one output's scores.

    Args:
        first: float32 [n], some scores of the first run, like all of them.
        second: float32 [n], of the same records in the second run.
        most_ranks: How many ranks are told apart.
    """

    def __init__(self, first: FloatArray, second: FloatArray, most_ranks: int) -> None:
        changes = second.astype(np.float64) - first
        self.ranks = Ranks.like(first, second, most_ranks)
        self.sizes = Histogram(_SIZE_EDGES)
        self.changes = Histogram(_drawn_edges(changes))
        self.totals = np.zeros(2)

    def add(self, first: FloatArray, second: FloatArray) -> None:
        """Counts pairs of scores."""
        changes = second.astype(np.float64) - first
        self.ranks.add(first, second)
        self.sizes.add(np.abs(changes))
        self.changes.add(changes)
        self.totals += [first.sum(dtype=np.float64), second.sum(dtype=np.float64)]


def _drawn_edges(changes: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Returns edges that hold all but a few of the changes, 0 in the middle."""
    end = float(np.quantile(np.abs(changes), 1 - _DRAWN_SHARE)) if len(changes) else 0.0
    return tuple(np.linspace(-end, end, _DRAWN_BINS + 1).tolist()) if end else (-0.5, 0.5)
