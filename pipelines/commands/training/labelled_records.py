"""Labelled records: texts with numbers or the names of classes, from the same files that `score` reads."""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.pipelines.commands.training.further_texts import refuse_bad_rate
from saiten.pipelines.reading.format import none_has
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import RecordBlock

# Codes of records that are good but for their labels, beside the dead letters'.
LABEL_MISSING = "LABEL_MISSING"
LABEL_NOT_FINITE = "LABEL_NOT_FINITE"

# A field that none of so many records has is taken for a misspelt name.
_LOOKED_AT = 1_000

# A table with gaps often has its whole numbers as decimals.
_WHOLE_DECIMAL = re.compile(r"^([+-]?[0-9]+)\.0+$")


@dataclass(frozen=True)
class LabelFields:
    """Where a record's label is: in several fields with a number each, or in one with the name of a class.

    Attributes:
        fields: As they are read.
        flag: That named them.
    """

    fields: tuple[KeptField, ...]
    flag: str

    @property
    def names(self) -> list[str]:
        """The fields' names."""
        return [field.name for field in self.fields]

    @property
    def is_class(self) -> bool:
        """Whether it is the name of a class."""
        return self.fields[0].is_string


def parse_labels(label_fields: str | None, class_field: str | None) -> LabelFields:
    """Reads ``--label_fields``, names between commas, or ``--class_field``, one name.

    Raises:
        UsageError: Both or none is given, or a name is empty or there twice.
    """
    if (label_fields is None) == (class_field is None):
        raise UsageError("Give either --label_fields=a,b (numbers) or --class_field=NAME (names of classes).")
    if class_field is not None:
        if not class_field.strip():
            raise UsageError(f"--class_field needs the name of a field, not {class_field!r}.")
        return LabelFields((KeptField(class_field.strip(), pa.string()),), "--class_field")
    names = [name.strip() for name in str(label_fields).split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise UsageError(f"--label_fields needs different names between commas, not {label_fields!r}.")
    return LabelFields(tuple(KeptField(name, pa.float64()) for name in names), "--label_fields")


def read_options(args: argparse.Namespace, labels: LabelFields) -> ReadOptions:
    """Returns how the flags of `train` and `evaluate` say to read labelled records."""
    return ReadOptions(
        input_format=args.input_format,
        encoding=args.encoding,
        quoting=args.quoting,
        text_field=args.text_field,
        kept_fields=labels.fields,
        kept_fields_flag=labels.flag,
        table_files=args.table_files,
        max_record_bytes=args.max_record_bytes,
    )


class LabelledRecords:
    """Yields texts with their labels, leaves out the bad records, and counts these.

    A label is numbers, NaN where one is missing and another is not, or the name of a class.

    Args:
        plan: What to read; its kept fields are the labels.
        labels: What these are.
        max_bad_rate: The share of bad records above which nothing is trained.
        what: What the records are called in messages.

    Attributes:
        n_read: Records read so far.
        bad: Those left out, by code.
        missing: Missing labels of records that have another, by field.
    """

    def __init__(self, plan: WorkPlan | None, labels: LabelFields, max_bad_rate: float, what: str = "records") -> None:
        self._plan = plan
        self._labels = labels
        self._max_bad_rate = max_bad_rate
        self._what = what
        self._start()

    def _start(self) -> None:
        self.n_read = 0
        self.bad: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self._first_bad = self._remedy = ""
        self._n_dead = 0
        self._is_there = np.zeros(len(self._labels.fields), np.bool_)

    def __iter__(self) -> Iterator[tuple[str, Sequence[float] | str]]:
        """Starts reading anew.

        Raises:
            UsageError: At the end: too many records are bad, or none is good. Early: a label is never there.
        """
        self._start()
        if self._plan is None:
            return
        for block in iter_blocks(self._plan):
            yield from self._of_block(block)
            if self.n_read >= _LOOKED_AT:
                self._refuse_absent(is_all=False)
        if self.n_read:
            self._refuse_absent(is_all=True)
        refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, self._what, self._first_bad + self._remedy)

    def look(self) -> list[Sequence[float] | str]:
        """Reads the first records: what is wrong with all of them is said before anything heavy is loaded.

        Returns:
            Their labels.

        Raises:
            UsageError: As where all are read.
        """
        return [label for _, label in islice(self, _LOOKED_AT)]

    def refuse_failed(self, failed: Counter[str]) -> None:
        """Adds records that were read, but then failed.

        Args:
            failed: How many there are, by code.

        Raises:
            UsageError: They and the bad ones are too many.
        """
        self.bad += failed
        refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, self._what, self._first_bad)

    def _of_block(self, block: RecordBlock) -> Iterator[tuple[str, Sequence[float] | str]]:
        self.n_read += block.n_read
        self._n_dead += len(block.dead_letters)
        self.bad.update(letter.code for letter in block.dead_letters)
        for letter in block.dead_letters[: not self._first_bad]:
            self._first_bad = f" The first is {letter.source}:{letter.position}: {letter.message}"
        for name in self._fields_with_text(block)[: not self._remedy]:
            self._remedy = f" If {name!r} holds names of classes, give --class_field={name}."
        self._refuse_text(block)
        values, present = class_names(block) if self._labels.is_class else label_matrix(block)
        self._is_there |= present.any(axis=0) | any(letter.code == "BAD_FIELD" for letter in block.dead_letters)
        is_labelled = present.any(axis=1)
        is_good = is_labelled.copy()
        if not self._labels.is_class:
            is_good &= (np.isfinite(values) | ~present).all(axis=1)
            for name, count in zip(self._labels.names, (~present[is_good]).sum(axis=0).tolist(), strict=True):
                self.missing[name] += count
        self.bad[LABEL_MISSING] += int((~is_labelled).sum())
        self.bad[LABEL_NOT_FINITE] += int((is_labelled & ~is_good).sum())
        for i in np.flatnonzero(is_good).tolist():
            yield block.texts[i], values[i]

    def _refuse_absent(self, *, is_all: bool) -> None:
        if 2 * self._n_dead > self.n_read:  # what cannot be read says nothing of the field's name
            what = self._what if is_all else f"{self._what} read so far"
            refuse_bad_rate(self.n_read, self.bad, self._max_bad_rate, what, self._first_bad + self._remedy)
        lack = none_has(self.n_read, is_all=is_all)
        kind = "a name" if self._labels.is_class else "a number"
        for name, is_there in zip(self._labels.names, self._is_there, strict=True):
            if not is_there:
                raise UsageError(f"{lack} {kind} in the label field {name!r}; check {self._labels.flag}.")

    def _refuse_text(self, block: RecordBlock) -> None:
        """Refuses labels that are mostly no numbers: they are names of classes, given by the wrong flag."""
        names = self._fields_with_text(block)
        n_bad = sum(letter.code == "BAD_FIELD" for letter in block.dead_letters)
        if names and 2 * n_bad > block.n_read:
            raise UsageError(
                f"The label field {names[0]!r} holds text where a number is meant, in {n_bad:,} of "
                f"{self.n_read:,} records; for names of classes give --class_field={names[0]}."
            )

    def _fields_with_text(self, block: RecordBlock) -> list[str]:
        """Returns the label fields for which a record is bad; none where classes are read."""
        messages = [letter.message for letter in block.dead_letters if letter.code == "BAD_FIELD"]
        named = () if self._labels.is_class else self._labels.names
        return [name for name in named if any(repr(name) in message for message in messages)]


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


def class_names(block: RecordBlock) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """Returns the classes' names, ``""`` where one is missing, and which are there, bool [n, 1]."""
    names = [class_name(value) for value in block.kept_fields[0].cast(pa.string()).to_pylist()]
    return names, np.array([bool(name) for name in names], np.bool_)[:, None]


def class_name(value: object) -> str:
    """Returns a class's name as it is compared, ``""`` where there is none."""
    name = "" if value is None else str(value).strip()
    return _WHOLE_DECIMAL.sub(r"\1", name)
