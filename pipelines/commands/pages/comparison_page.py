"""Two runs beside each other, in the terminal."""

from saiten.model.counted import counted
from saiten.pipelines.commands.pages.tables import Row, print_figures
from saiten.pipelines.comparison.compare_runs import Comparison
from saiten.pipelines.reports.numbers import short_number
from saiten.pipelines.terminal import escape, make_console, short_id

_SHOWN_PAIRS = 5
_OF_OUTPUTS = ("mean A", "mean B", "mean |change|", "99 % below", "largest", "rank correlation")


def print_comparison(comparison: Comparison) -> None:
    """Prints how far scores moved, which records moved most, and what is in one run alone."""
    console = make_console()
    if comparison.changes:
        outputs = []
        for name, changes in comparison.changes.items():
            sizes = changes.sizes
            means = (changes.totals / sizes.n).tolist()
            figures = (*means, sizes.mean, sizes.quantile(0.99), sizes.largest or 0.0, changes.ranks.correlation)
            outputs.append(Row([name], [*map(short_number, figures)]))
        print_figures(console, ["output"], _OF_OUTPUTS, outputs)
    labels = comparison.labels
    if labels is not None and labels.n:
        share = f"{labels.n_changed:,} of {counted(labels.n, 'record')} got another ({labels.n_changed / labels.n:.1%})"
        pairs = [f"{escape(one)} → {escape(other)} {n:,}" for one, other, n in labels.commonest(_SHOWN_PAIRS)]
        more = ", …" if len(labels.by_pair) > len(pairs) else ""
        console.print(f"\n[bold]labels[/]  {share}{': ' if pairs else ''}{', '.join(pairs)}{more}")
    if comparison.moved:
        moved = [
            Row([short_id(one.id), one.output], [*map(short_number, (one.first, one.second, one.second - one.first))])
            for one in comparison.moved
        ]
        console.print()
        print_figures(console, ["id", "output"], ["A", "B", "change"], moved, "moved most")
    for name, n, ids in (
        ("only in A", comparison.n_only_first, comparison.only_first),
        ("only in B", comparison.n_only_second, comparison.only_second),
    ):
        if n:
            console.print(
                f"\n[bold]{name}[/]  {n:,}: {escape(', '.join(map(short_id, ids)))}{' …' if n > len(ids) else ''}"
            )
    for run, names in (("A", comparison.outputs_only_first), ("B", comparison.outputs_only_second)):
        if names:
            console.print(f"\n[bold]outputs of {run} alone[/]  not compared: {escape(', '.join(names))}")
    if comparison.n_lost_scores or comparison.n_gained_scores:
        console.print(
            f"\n[bold]scores[/]  {counted(comparison.n_lost_scores, 'record has', 'records have')} scores in A alone, "
            f"{comparison.n_gained_scores:,} in B alone"
        )
