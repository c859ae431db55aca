"""95 % intervals of any figures, by the bootstrap: the texts are drawn anew with replacement, again and again."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from saiten.model.text.ragged import Int64Array

# Drawn so often; of many texts less often, for an interval of many texts is narrow.
_MOST_DRAWS, _LEAST_DRAWS, _DRAWN_TEXTS = 1_000, 100, 5_000_000
_ENDS = (2.5, 97.5)

# Figures of some texts, by their rows: nested mappings of numbers. Counts are integers, figures are not.
Figures = Callable[[Int64Array], Mapping[str, Any]]


def with_intervals(figures: Figures, n: int, seed: int = 0) -> dict[str, Any]:
    """Returns the figures of `n` texts, each as ``{"value": 0.9, "interval": [0.88, 0.92]}``; counts as they are.

    >>> share = lambda rows: {"share": float(np.mean(rows < 50)), "texts": len(rows)}
    >>> with_intervals(share, 100)
    {'share': {'value': 0.5, 'interval': [0.41, 0.6]}, 'texts': 100}

    Args:
        figures: Computes them of rows, int64.
        n: At least 1.
        seed: Of the draws: the same seed gives the same intervals.
    """
    random = np.random.default_rng(seed)
    n_draws = min(_MOST_DRAWS, max(_LEAST_DRAWS, _DRAWN_TEXTS // n))
    drawn: dict[tuple[str, ...], list[float]] = {}
    for _ in range(n_draws):
        for path, value in _leaves(figures(random.integers(0, n, n)), ()):
            drawn.setdefault(path, []).append(value)
    found: dict[str, Any] = _nested(figures(np.arange(n)), drawn, ())
    return found


def difference_interval(
    first: Callable[[Int64Array], float | None], second: Callable[[Int64Array], float | None], n: int, seed: int = 0
) -> tuple[float, float] | None:
    """Returns the interval of how much larger `second` is than `first` on the same texts; None where they have none."""

    def difference(rows: Int64Array) -> dict[str, float]:
        values = first(rows), second(rows)
        return {} if values[0] is None or values[1] is None else {"difference": float(values[1] - values[0])}

    found = with_intervals(difference, n, seed).get("difference")
    return None if found is None else (found["interval"][0], found["interval"][1])


def _leaves(figures: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif isinstance(value, float):
            yield (*path, name), value


def _nested(figures: Mapping[str, Any], drawn: Mapping[tuple[str, ...], list[float]], path: tuple[str, ...]) -> Any:
    nested: dict[str, Any] = {}
    for name, value in figures.items():
        here = (*path, name)
        if isinstance(value, Mapping):
            nested[name] = _nested(value, drawn, here)
        elif isinstance(value, float):
            ends = np.percentile(drawn[here], _ENDS).tolist() if here in drawn else [value, value]
            nested[name] = {"value": value, "interval": ends}
        else:
            nested[name] = value
    return nested
