"""`saiten compare`: how far the scores of two runs are apart, record by record."""

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from saiten.model.counted import counted
from saiten.model.errors import FINDINGS_EXIT_CODE, UsageError
from saiten.pipelines.terminal import say, short_id, show

if TYPE_CHECKING:
    from saiten.pipelines.comparison.compare_runs import Comparison

_SHOWN_PAIRS = 100

EXAMPLE = "saiten compare runs/may runs/june --max_change=0.01"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `saiten compare`."""
    parser.add_argument("first", metavar="RUN_A", help="the directory of the earlier run")
    parser.add_argument("second", metavar="RUN_B", help="the directory of the later one")
    parser.add_argument(
        "--max_change",
        type=float,
        help="exit 3 when a score of any record moved further; records with scores in one run alone are counted in the "
        "last line, and do not matter here (default: exit 0 whatever moved)",
    )
    parser.add_argument("--moved", type=int, default=10, help="how many of the records that moved most to name")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    parser.add_argument("--html", metavar="FILE", help="the figures as a page for the browser, beside what is printed")


def run(args: argparse.Namespace) -> int:
    """Compares two runs; returns 0, or 3 where a score moved further than `--max_change`.

    Raises:
        UsageError: One is no committed run, or they have nothing in common.
    """
    if args.max_change is not None and not (math.isfinite(args.max_change) and args.max_change >= 0):
        raise UsageError(f"--max_change is a number from 0 on, not {args.max_change:g}.")
    if not 0 <= args.moved <= 1000:
        raise UsageError(f"--moved is a number from 0 to 1,000, not {args.moved}.")
    from saiten.pipelines.commands.pages.page_file import refuse_unwritable, write_page

    refuse_unwritable(args.html)
    from saiten.pipelines.comparison.compare_runs import compare_runs
    from saiten.pipelines.run.run_manifest import committed_manifest

    first, second = (args.first, committed_manifest(args.first)), (args.second, committed_manifest(args.second))
    comparison = compare_runs(first, second, args.moved)
    if args.html:
        from saiten.pipelines.reports.comparison_report import comparison_report

        write_page(args.html, comparison_report(comparison, first, second))
    if args.json:
        show(json.dumps(comparison_figures(comparison), indent=1))
    else:
        from saiten.pipelines.commands.pages.comparison_page import print_comparison

        print_comparison(comparison)
    is_above = args.max_change is not None and comparison.largest_change > args.max_change
    say(_summary(comparison, args.max_change))
    return FINDINGS_EXIT_CODE if is_above else 0


def comparison_figures(comparison: "Comparison") -> dict[str, Any]:
    """Returns the figures of a comparison as JSON has them: what cannot be told, such as a correlation, is null."""
    outputs = {}
    for name, changes in comparison.changes.items():
        sizes, n = changes.sizes, changes.sizes.n
        outputs[name] = {
            "records": n,
            "mean_a": changes.totals[0] / n,
            "mean_b": changes.totals[1] / n,
            "mean_change": changes.changes.mean,
            "mean_absolute_change": sizes.mean,
            "absolute_change_99_percent": sizes.quantile(0.99),
            "largest_absolute_change": sizes.largest,
            "rank_correlation": _or_none(changes.ranks.correlation),
        }
    return {
        "records_in_both": comparison.n_both,
        "only_in_a": comparison.n_only_first,
        "only_in_b": comparison.n_only_second,
        "lost_their_scores": comparison.n_lost_scores,
        "gained_scores": comparison.n_gained_scores,
        "largest_change": comparison.largest_change,
        "outputs": outputs,
        "labels": _label_figures(comparison),
        "moved_most": [
            {"id": one.id, "output": one.output, "a": one.first, "b": one.second, "change": one.second - one.first}
            for one in comparison.moved
        ],
        "ids_only_in_a": list(comparison.only_first),
        "ids_only_in_b": list(comparison.only_second),
        "outputs_only_in_a": list(comparison.outputs_only_first),
        "outputs_only_in_b": list(comparison.outputs_only_second),
    }


def _label_figures(comparison: "Comparison") -> dict[str, Any] | None:
    labels = comparison.labels
    if labels is None:
        return None
    pairs = [{"a": first, "b": second, "records": n} for first, second, n in labels.commonest(_SHOWN_PAIRS)]
    return {"records": labels.n, "changed": labels.n_changed, "commonest": pairs}


def _summary(comparison: "Comparison", max_change: float | None) -> str:
    moved = ""
    if comparison.moved:
        furthest = comparison.moved[0]
        moved = f" ({furthest.output} of {short_id(furthest.id)}: {furthest.first:.6g}, then {furthest.second:.6g})"
    limit = ""
    if max_change is not None:
        limit = f", {'more' if comparison.largest_change > max_change else 'no more'} than --max_change={max_change:g}"
    alone = f"{comparison.n_only_first:,} in A alone, {comparison.n_only_second:,} in B alone"
    change = f"largest change {comparison.largest_change:.6g}{moved}{limit}"
    return f"{counted(comparison.n_both, 'record')} in both, {alone}; {change}"


def _or_none(number: float) -> float | None:
    return number if math.isfinite(number) else None
