"""Two runs beside each other, in the terminal."""

from rich.table import Table

from saiten.pipelines.comparison.compare_runs import Comparison
from saiten.pipelines.reports.numbers import short_number
from saiten.pipelines.terminal import escape, make_console

_SHOWN_PAIRS = 5


def print_comparison(comparison: Comparison) -> None:
    """Prints how far scores moved, which records moved most, and what is in one run alone."""
    console = make_console()
    if comparison.changes:
        outputs = _table("output", figures=("mean A", "mean B", "mean |change|", "99 % below", "largest", "rank corr."))
        for name, changes in comparison.changes.items():
            sizes = changes.sizes
            means = (changes.totals / sizes.n).tolist()
            figures = (*means, sizes.mean, sizes.quantile(0.99), sizes.largest or 0.0, changes.ranks.correlation)
            outputs.add_row(escape(name), *map(short_number, figures))
        console.print(outputs)
    labels = comparison.labels
    if labels is not None and labels.n:
        share = f"{labels.n_changed:,} of {labels.n:,} records have another ({labels.n_changed / labels.n:.1%})"
        pairs = [f"{escape(one)} → {escape(other)} {n:,}" for one, other, n in labels.commonest(_SHOWN_PAIRS)]
        more = ", …" if len(labels.by_pair) > len(pairs) else ""
        console.print(f"\n[bold]labels[/]  {share}{': ' if pairs else ''}{', '.join(pairs)}{more}")
    if comparison.moved:
        console.print("\n[bold]moved most[/]")
        moved = _table("id", "output", figures=("A", "B", "change"))
        for one in comparison.moved:
            figures = (one.first, one.second, one.second - one.first)
            moved.add_row(escape(one.id), escape(one.output), *map(short_number, figures))
        console.print(moved)
    for name, n, ids in (
        ("only in A", comparison.n_only_first, comparison.only_first),
        ("only in B", comparison.n_only_second, comparison.only_second),
    ):
        if n:
            console.print(f"\n[bold]{name}[/]  {n:,}: {escape(', '.join(ids))}{' …' if n > len(ids) else ''}")
    if comparison.n_lost_scores or comparison.n_gained_scores:
        console.print(
            f"\n[bold]scores[/]  {comparison.n_lost_scores:,} records have scores in A alone, "
            f"{comparison.n_gained_scores:,} in B alone"
        )


def _table(*names: str, figures: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right")
    return table
