"""How records came out, as commands and streams say it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saiten.pipelines.run.range_summary import SourceCount
    from saiten.pipelines.run.run_manifest import InputReport, RunCounts


def counts_line(counts: "RunCounts | InputReport | SourceCount", codes: Mapping[str, int]) -> str:
    """Returns the sum that shows that no record is lost.

    >>> from saiten.pipelines.run.range_summary import SourceCount
    >>> counts_line(SourceCount(1200, 1190, 4, 6), {"BAD_UTF8": 5, "BAD_JSON": 1})
    '1,200 records = 1,190 scored + 4 empty + 6 dead letters (BAD_UTF8 5, BAD_JSON 1)'
    """
    of_each = ", ".join(f"{code} {count:,}" for code, count in codes.items())
    return (
        f"{counts.records:,} records = {counts.scored:,} scored + {counts.empty:,} empty + "
        f"{dead_letters(counts.dead)}{f' ({of_each})' if of_each else ''}"
    )


def dead_letters(n: int) -> str:
    """Returns how many there are.

    >>> [dead_letters(n) for n in (0, 1, 1200)]
    ['0 dead letters', '1 dead letter', '1,200 dead letters']
    """
    return f"{n:,} dead letter{'' if n == 1 else 's'}"
