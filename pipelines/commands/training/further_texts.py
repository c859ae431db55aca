"""Texts without labels, and how many records may be left out of either kind."""

import math
from collections import Counter
from collections.abc import Iterator

from saiten.model.errors import UsageError
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.reading.read_range import iter_blocks


class FurtherTexts:
    """Yields the texts of unlabelled input, leaves out the bad records, and counts these.

    Args:
        plan: What to read; None for nothing.
        max_bad_rate: The share of bad records above which nothing is trained.

    Attributes:
        n_read: Records read so far.
        bad: Those left out, by code.
    """

    def __init__(self, plan: WorkPlan | None, max_bad_rate: float) -> None:
        self._plan = plan
        self._max_bad_rate = max_bad_rate
        self.n_read = 0
        self.bad: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        """Starts reading anew.

        Raises:
            UsageError: At the end: too many records are bad, or none is good.
        """
        self.n_read, self.bad = 0, Counter()
        if self._plan is None:
            return
        for block in iter_blocks(self._plan):
            self.n_read += block.n_read
            self.bad.update(letter.code for letter in block.dead_letters)
            yield from block.texts
        refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, "records of --word2vec_input")


def refuse_bad_rate(n_read: int, bad: Counter[str], max_rate: float, records: str, first: str = "") -> None:
    """Refuses input of which too many records are bad.

    Args:
        n_read: Records read.
        bad: Those that are bad, by code.
        max_rate: The share above which they are too many.
        records: What they are called.
        first: A sentence about the first of them.

    Raises:
        UsageError: In one sentence, with the codes.
    """
    n_bad = bad.total()
    codes = ", ".join(f"{code} {count:,}" for code, count in bad.most_common() if count)
    if not n_read:
        raise UsageError(f"There are no {records}: the files are empty, or not those that you mean.")
    if n_bad == n_read:
        none = (
            f"The only {records.replace('records', 'record', 1)} cannot"
            if n_read == 1
            else f"None of the {n_read:,} {records} can"
        )
        raise UsageError(f"{none} be used{f' ({codes})' if codes else ''}.{first}")
    if n_bad > max_rate * n_read:
        raise UsageError(
            f"{n_bad:,} of {n_read:,} {records} cannot be used ({codes}); mend them, or allow more than {max_rate:g} "
            f"of them by --max_dead_letter_rate={math.ceil(100 * n_bad / n_read) / 100:g}.{first}"
        )
