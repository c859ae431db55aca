"""Labelled records: texts with numbers, from the same files that `score` reads."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import KeptField
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.reading.ranges import iter_blocks
from saiten.pipelines.records import RecordBlock

# Codes of records that are good but for their labels, beside the dead letters'.
LABEL_MISSING = "LABEL_MISSING"
LABEL_NOT_FINITE = "LABEL_NOT_FINITE"

# A field that none of so many records has is taken for a misspelt name.
_LOOKED_AT = 1_000


def parse_label_fields(value: str) -> tuple[KeptField, ...]:
    """Reads ``--label_fields``: names between commas, each a number.

    Raises:
        UsageError: No name, an empty one, or one twice.
    """
    names = [name.strip() for name in value.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise UsageError(f"--label_fields needs different names between commas, not {value!r}.")
    return tuple(KeptField(name, pa.float64()) for name in names)


class LabelledRecords:
    """Yields texts with their labels, leaves out the bad ones, and counts these.

    Args:
        plan: What to read; its kept fields are the labels.
        max_bad_rate: The share of bad records above which nothing is trained.

    Attributes:
        n_read: Records read so far.
        bad: Those left out, by code.
    """

    def __init__(self, plan: WorkPlan, max_bad_rate: float) -> None:
        self._plan = plan
        self._max_bad_rate = max_bad_rate
        self.n_read = 0
        self.bad: Counter[str] = Counter()

    def __iter__(self) -> Iterator[tuple[str, Sequence[float]]]:
        """Starts reading anew.

        Raises:
            UsageError: At the end: too many records are bad, or none is good. Early: a label is never there.
        """
        self.n_read, self.bad = 0, Counter()
        names = [field.name for field in self._plan.options.kept_fields]
        is_there = np.zeros(len(names), np.bool_)
        for block in iter_blocks(self._plan):
            labels, present = label_matrix(block)
            self.n_read += block.n_read
            self.bad.update(letter.code for letter in block.dead_letters)
            is_there |= present.any(axis=0) | any(letter.code == "BAD_FIELD" for letter in block.dead_letters)
            if self.n_read >= _LOOKED_AT:
                _refuse_absent(names, is_there)
            is_good = np.isfinite(labels).all(axis=1)
            self.bad[LABEL_MISSING] += int((~present.all(axis=1)).sum())
            self.bad[LABEL_NOT_FINITE] += int((present.all(axis=1) & ~is_good).sum())
            for i in np.flatnonzero(is_good).tolist():
                yield block.texts[i], labels[i]
        if self.n_read:
            _refuse_absent(names, is_there)
        _refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, "records")


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
        _refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, "records of --word2vec_input")


def _refuse_bad_rate(n_read: int, bad: Counter[str], max_rate: float, records: str) -> None:
    n_bad = bad.total()
    codes = ", ".join(f"{code} {count:,}" for code, count in bad.most_common() if count)
    if n_bad == n_read:
        raise UsageError(f"None of the {n_read:,} {records} can be trained on{f' ({codes})' if codes else ''}.")
    if n_bad > max_rate * n_read:
        raise UsageError(
            f"{n_bad:,} of {n_read:,} {records} cannot be trained on ({codes}); mend them, or allow more "
            f"than {max_rate:g} of them by --max_dead_letter_rate."
        )


def label_matrix(block: RecordBlock) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Returns the labels, float64 [n, labels] with NaN where one is missing, and which are there, bool [n, labels]."""
    n = len(block.texts)
    columns = [column.cast(pa.float64()) for column in block.kept_fields]
    labels = np.empty((n, len(columns)), np.float64)
    present = np.empty((n, len(columns)), np.bool_)
    for i, column in enumerate(columns):
        labels[:, i] = column.to_numpy(zero_copy_only=False)
        present[:, i] = column.is_valid().to_numpy(zero_copy_only=False)
    return labels, present


def _refuse_absent(names: Sequence[str], is_there: npt.NDArray[np.bool_]) -> None:
    absent = [name for name, there in zip(names, is_there, strict=True) if not there]
    if absent:
        raise UsageError(f"No record has a number in the label field {absent[0]!r}; check --label_fields.")
