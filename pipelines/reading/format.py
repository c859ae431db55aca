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
        types: Those that the file itself gives; a field without one is kept as a string.
        is_complete: No record of the file can have another field.
        n_records: How many records were looked at, `SAMPLE_RECORDS` at most; 0 where there are none.
    """

    names: Mapping[str, int]
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    is_complete: bool = True
    n_records: int = 0


@dataclass(frozen=True)
class SizedSlice:
    """A slice of a file and how many bytes of work it stands for."""

    file_slice: FileSlice
    n_bytes: int


class Format(abc.ABC):
    """A format of input files.

    Attributes:
        name: What ``--input_format`` calls it.
        endings: How names of its files end, in lower case, before that of a compression.
        least_record_bytes: How few bytes of a file that is not compressed a record can plausibly take.
    """

    name: str
    endings: tuple[str, ...]
    least_record_bytes: int

    @abc.abstractmethod
    def read_fields(self, file: FileSlice, options: ReadOptions) -> FileFields | None:
        """Returns the fields of a whole file's records; None where records have no fields.

        Raises:
            UsageError: The file cannot be read with these options.
            DamagedFileError: It is truncated or damaged.
        """

    @abc.abstractmethod
    def cut(self, file: FileSlice, options: ReadOptions, target_bytes: int) -> list[SizedSlice]:
        """Cuts a whole file into slices of about `target_bytes`; every record is in exactly one."""

    @abc.abstractmethod
    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        """Yields the rows of a slice and the bytes of the file they stand for, which add up to the slice.

        Args:
            file: The slice's file, open at its beginning.

        Raises:
            DamagedFileError: It is truncated or damaged.
        """
