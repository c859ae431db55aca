"""A run's scores, lengths and OOV rates beside those of the training data, drawn."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from saiten.pipelines.reports.distributions import Compared
from saiten.pipelines.reports.numbers import percent, short_number
from saiten.pipelines.reports.plots import charts

RUN, TRAINING = "this run", "training data"
# What is below all edges of a text's length, and above those of its OOV rate, cannot be.
_OOV_RATE_NAMES = ("none", "<1%", "<2%", "<5%", "<10%", "<20%", "<35%", "<50%", "<75%", "more")


def plot_scores(compared: Compared) -> Markup:
    """Draws an output's scores, without the empty bins at either end."""
    counts = compared.values.counts[1:-1]
    edges = compared.values.edges
    shares = {RUN: _shares(counts, compared.values.n)}
    if compared.training and compared.drift:
        start = next(i for i, edge in enumerate(edges) if edge >= compared.training.histogram.edges[0] - 1e-9)
        known = compared.training.histogram.counts
        padded = [0] * start + list(known) + [0] * (len(counts) - start - len(known))
        shares[TRAINING] = _shares(padded, sum(known))
    filled = [i for i in range(len(counts)) if any(series[i] for series in shares.values())] or [0, len(counts) - 1]
    low, high = filled[0], filled[-1] + 1
    series = {name: values[low:high] for name, values in shares.items()}
    return charts.histogram(edges[low : high + 1], series, label=_label(compared, short_number))


def plot_lengths(compared: Compared) -> Markup:
    """Draws how long texts are, a bar for each doubling."""
    names = [short_number(edge) for edge in compared.values.edges]
    return _plot_bars(compared, compared.values.counts[1:], names, short_number)


def plot_oov_rates(compared: Compared) -> Markup:
    """Draws which share of a text's tokens is OOV."""
    return _plot_bars(compared, compared.values.counts[1:-1], _OOV_RATE_NAMES, percent)


def _plot_bars(
    compared: Compared, counts: Sequence[int], names: Sequence[str], write: Callable[[float], str]
) -> Markup:
    shares = {RUN: _shares(counts, compared.values.n)}
    if compared.training and compared.drift:
        known = list(compared.training.histogram.counts)
        shares[TRAINING] = _shares([*known, *[0] * (len(counts) - len(known))], sum(known))
    end = max((i + 1 for series in shares.values() for i, share in enumerate(series) if share), default=1)
    series = {name: values[:end] for name, values in shares.items()}
    return charts.bars(names[:end], series, label=_label(compared, write))


def _shares(counts: Sequence[int], n: int) -> list[float]:
    return [count / max(1, n) for count in counts]


def _label(compared: Compared, write: Callable[[float], str]) -> str:
    low, middle, high = (write(compared.values.quantile(share)) for share in (0.01, 0.5, 0.99))
    return f"{compared.name}: half of the records below {middle}, 98 % from {low} to {high}"
