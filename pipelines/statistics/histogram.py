"""Counts of values by bin, with their mean and spread; histograms of the same edges add up."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

# Of a bundle's reference there are so many bins; a run gets half as many more of the same width on either side.
_BINS = 50
_BINS_BEYOND = 25


def score_edges(low: float, high: float) -> tuple[float, ...]:
    """Returns the edges of the bins of an output's scores.

    Args:
        low: The least score on the training data, where that is known.
        high: The largest; its bins end there, and others follow half as far again on either side.
    """
    if not high > low:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / _BINS
    return tuple(low + width * i for i in range(-_BINS_BEYOND, _BINS + _BINS_BEYOND + 1))


@dataclass
class Histogram:
    """How many values fall between edges.

    Attributes:
        edges: Increasing; a bin holds its lower edge and not its upper one.
        counts: One more than there are edges: the first below all of them, the last at the last edge and above.
        n: How many values.
        total: Their sum.
        total_squares: The sum of their squares.
        least: The smallest; None where there are no values.
        largest: Likewise.
    """

    edges: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    n: int = 0
    total: float = 0.0
    total_squares: float = 0.0
    least: float | None = None
    largest: float | None = None

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.edges) + 1)

    def add(self, values: npt.ArrayLike) -> None:
        """Counts values, all of them finite."""
        numbers = np.asarray(values, np.float64)
        if not len(numbers):
            return
        counts = np.bincount(np.searchsorted(self.edges, numbers, "right"), minlength=len(self.counts)).tolist()
        total, squares = float(numbers.sum()), float((numbers * numbers).sum())
        least, largest = float(numbers.min()), float(numbers.max())
        self.merge(Histogram(self.edges, counts, len(numbers), total, squares, least, largest))

    def merge(self, other: "Histogram") -> None:
        """Adds what another one of the same edges has counted."""
        self.counts = [mine + others for mine, others in zip(self.counts, other.counts, strict=True)]
        self.n += other.n
        self.total += other.total
        self.total_squares += other.total_squares
        self.least = min((end for end in (self.least, other.least) if end is not None), default=None)
        self.largest = max((end for end in (self.largest, other.largest) if end is not None), default=None)

    @property
    def mean(self) -> float:
        """NaN where there are no values."""
        return self.total / self.n if self.n else float("nan")

    @property
    def deviation(self) -> float:
        """The standard deviation; NaN where there are no values."""
        return max(0.0, self.total_squares / self.n - self.mean**2) ** 0.5 if self.n else float("nan")

    def quantile(self, share: float) -> float:
        """Returns about where a share of the values ends, as if those of a bin were spread evenly; NaN without any."""
        if self.least is None or self.largest is None:
            return float("nan")
        edges = np.clip([self.least, *self.edges, self.largest], self.least, self.largest)
        below = np.concatenate([[0.0], np.cumsum(self.counts) / self.n])
        return float(np.interp(share, below, edges))
