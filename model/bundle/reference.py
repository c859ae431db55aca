"""`reference.json` of a bundle: what the training data looked like, to compare later texts with."""

import json
import math
import pathlib
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from saiten.model.errors import BundleError

# A text's length in tokens: 1, 2 to 3, 4 to 7, ...
LENGTH_EDGES = tuple(float(2**power) for power in range(21))
# The share of a text's tokens that are OOV: none, below 1 %, below 2 %, ...
OOV_RATE_EDGES = (0.0, 1e-9, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0 + 1e-9)


@dataclass(frozen=True)
class ReferenceHistogram:
    """How many values fell into each bin.

    Attributes:
        edges: Increasing, one more than there are bins.
        counts: One for each bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or not self.counts:
            raise ValueError(f"{len(self.edges)} edges do not go with {len(self.counts)} counts")
        if not all(low < high for low, high in pairwise(self.edges)) or not math.isfinite(self.edges[-1]):
            raise ValueError("the edges do not increase")
        if min(self.counts) < 0:
            raise ValueError("a count is below 0")


@dataclass(frozen=True)
class Distribution:
    """Values of the training data: mean, standard deviation, and how they are spread."""

    mean: float
    std: float
    histogram: ReferenceHistogram


@dataclass(frozen=True)
class Reference:
    """What a model was trained on, and gave for it.

    Attributes:
        texts: How many.
        scores: By output; held-out texts included.
        n_tokens: Of each text, before truncation.
        oov_rate: The share of each text's tokens that are OOV.
    """

    texts: int
    scores: dict[str, Distribution]
    n_tokens: Distribution
    oov_rate: Distribution


def read_reference(path: pathlib.Path) -> Reference | None:
    """Reads a bundle's reference; None where the training data was not known.

    Raises:
        BundleError: It is not as `saiten train` writes it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return None if content == {} else msgspec.convert(content, Reference)
    except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors
        raise BundleError(f"{path} cannot be read ({error}); make the bundle anew.") from error
