"""What a format of input files can do: each is one module that implements this, and a line of `formats.py`."""

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import Rows
from saiten.pipelines.records import FileSlice

# So many records are looked at to see which fields there are.
SAMPLE_RECORDS = 1000


@dataclass(frozen=True)
class FileFields:
    """The fields of a file's records.

    Attributes:
        names: In the order of the file, each with the number, from 0, of the record in which it was first seen.
        doubled: Names of fields that every record has twice.
        types: Those that the file itself gives; a field without one is kept as a string.
        is_complete: No record of the file can have another field.
        n_records: How many records were looked at, `SAMPLE_RECORDS` at most; 0 where there are none.
    """

    names: Mapping[str, int]
    doubled: frozenset[str] = frozenset()
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    is_complete: bool = True
    n_records: int = 0


@dataclass(frozen=True)
class SizedSlice:
    """A slice of a file and how many bytes of work it stands for."""

    file_slice: FileSlice
    n_bytes: int


class Format(abc.ABC):
    """A format of input files. What it gets open may stand at any place.

    Attributes:
        name: What ``--input_format`` calls it.
        endings: How names of its files end, in lower case, before that of a compression.
        is_binary: Its files are no lines of text: they have an encoding of their own, and are read from their end.
        least_record_bytes: How few bytes of a file that is not compressed a record can plausibly take.
    """

    name: str
    endings: tuple[str, ...]
    is_binary: bool = False
    least_record_bytes: int

    def has_marks(self, head: bytes, tail: bytes) -> bool:
        """Tells whether a file begins, or begins and ends, as only files of this format do.

        Args:
            tail: Its last bytes; none of a compressed file.
        """
        return False

    def look_at(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileSlice:
        """Returns the file with all that only its bytes say.

        Raises:
            UsageError: It cannot be read with these options.
            DamagedFileError: It is truncated or damaged.
        """
        return whole

    @abc.abstractmethod
    def read_fields(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileFields | None:
        """Returns the fields of a whole file's records; None where records have no fields.

        Raises:
            UsageError: Its header cannot be read, or it holds no records of this format.
            DamagedFileError: It is truncated or damaged.
        """

    @abc.abstractmethod
    def cut(self, whole: FileSlice, options: ReadOptions, target_bytes: int, most: int) -> list[SizedSlice]:
        """Cuts a whole file into slices of about `target_bytes`; every record is in exactly one.

        Args:
            most: How many slices to make at most where each costs some of the work of those before it; 1 says
                that nothing is to be spent on it.
        """

    @abc.abstractmethod
    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        """Yields the rows of a slice and the bytes of the file they stand for.

        These add up to the size of the file over all its slices.

        Raises:
            DamagedFileError: It is truncated or damaged.
        """


def even_bounds(size: int, n_slices: int) -> list[int]:
    """Returns the bounds of about `n_slices` equal parts of a file, one at least.

    The local runner deals ranges out before it starts: by a multiple of 4, most workers get equal shares.

    >>> even_bounds(100, 3)
    [0, 25, 50, 75, 100]
    """
    n_slices = -(-n_slices // 4) * 4 if n_slices > 1 else 1
    return sorted({size * i // n_slices for i in range(n_slices + 1)}) if size else [0, 0]


def none_has(n_records: int, *, is_all: bool, whose: str = "") -> str:
    """Returns how a sentence begins about what none of the records has that were looked at.

    >>> none_has(200, is_all=True), none_has(1000, is_all=False, whose=" of a.jsonl"), none_has(1, is_all=True)
    ('None of the 200 records has', 'None of the first 1,000 records of a.jsonl has', 'The only record does not have')
    """
    if n_records == 1 and is_all:
        return f"The only record{whose} does not have"
    return f"None of the {'' if is_all else 'first '}{n_records:,} records{whose} has"
