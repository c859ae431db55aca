"""Whether what the writers reported is all that was planned, with every record accounted for."""

from collections.abc import Iterable

from saiten.model.counted import counted
from saiten.model.errors import CountMismatchError, SaitenError
from saiten.pipelines.run.range_summary import RangeSummary, SourceCount
from saiten.pipelines.run.run_manifest import parts_line
from saiten.pipelines.run.run_plan import RunPlan


def summaries_of_all(plan: RunPlan, summaries: Iterable[RangeSummary]) -> list[RangeSummary]:
    """Returns one summary of each planned range, in order, those of earlier attempts included.

    Raises:
        SaitenError: One is missing.
    """
    found = {summary.range_index: summary for summary in (*plan.finished, *summaries)}
    missing = [work.index for work in plan.ranges if work.index not in found]
    if missing:
        raise SaitenError(
            f"Range {missing[0]} has not said what became of it: "
            f"{counted(len(missing), 'summary is', 'summaries are')} missing."
        )
    return [found[work.index] for work in plan.ranges]


def count_by_source(plan: RunPlan, summaries: Iterable[RangeSummary]) -> dict[str, SourceCount]:
    """Returns how the records of every planned file came out.

    Raises:
        CountMismatchError: A record is not accounted for, or the parts hold other rows.
    """
    counts = dict.fromkeys(plan.inputs, SourceCount())
    score_rows = dead_rows = 0
    for summary in summaries:
        score_rows += summary.scores.rows
        dead_rows += summary.dead_letters.rows if summary.dead_letters else 0
        for source, count in summary.counts.items():
            counts[source] += count
    for source, count in counts.items():
        if count.unaccounted:
            raise CountMismatchError(
                f"{source}: {counted(count.records, 'record')} read, but {parts_line(count)}: "
                f"{count.unaccounted:,} unaccounted for."
            )
    total = sum(counts.values(), SourceCount())
    if (score_rows, dead_rows) != (total.scored + total.empty, total.dead):
        raise CountMismatchError(
            f"The parts hold {counted(score_rows, 'score')} and {counted(dead_rows, 'dead letter')}, but the records "
            f"came out as {parts_line(total)}."
        )
    return counts
