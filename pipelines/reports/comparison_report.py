"""Two runs beside each other as a page."""

from saiten.pipelines.comparison.compare_runs import Comparison
from saiten.pipelines.reports.page import render
from saiten.pipelines.reports.plots import charts
from saiten.pipelines.run.run_manifest import RunManifest

_SHOWN_PLOTS = 12


def comparison_report(comparison: Comparison, first: tuple[str, RunManifest], second: tuple[str, RunManifest]) -> bytes:
    """Returns the page: how far scores moved, which records moved most, what is in one run alone."""
    by_change = sorted(comparison.changes.items(), key=lambda item: -item[1].sizes.mean)
    drawn = [
        (
            name,
            charts.histogram(changes.changes.edges, {"records": _shares(changes.changes.counts)}, label=_label(name)),
        )
        for name, changes in by_change[:_SHOWN_PLOTS]
        if changes.sizes.largest  # a bar of all records at 0 would be as wide as the plot
    ]
    return render("comparison.html.jinja", comparison=comparison, first=first, second=second, drawn=drawn)


def _shares(counts: list[int]) -> list[float]:
    total = max(1, sum(counts))
    return [count / total for count in counts[1:-1]]


def _label(name: str) -> str:
    return f"How far {name} moved: the share of the records by the change; figures are in the table"
