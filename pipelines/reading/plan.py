"""Cuts the input into ranges of work, once, before anything runs."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.delimited import DELIMITERS
from saiten.pipelines.reading.files import InputFile, list_inputs, open_unchanged, source_names
from saiten.pipelines.reading.formats import ReadOptions, compression_of, format_of, is_splittable
from saiten.pipelines.reading.parquet.rows import open_parquet
from saiten.pipelines.reading.required_fields import check_fields, resolve_kept
from saiten.pipelines.records import FileSlice, WorkRange

# About so many ranges are made of an input, as far as they are neither too small nor too large:
# enough for many workers and for a run that is resumed, and no more parts than that.
_RANGES = 64
_MIN_RANGE_BYTES = 4 * 1024 * 1024
_MAX_RANGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class WorkPlan:
    """What a run reads.

    Attributes:
        options: How, with the types of the kept fields resolved.
        files: Every input file by its name in the output (`FileSlice.source`), sorted by path.
        ranges: The work; every record of every file is in exactly one.
    """

    options: ReadOptions
    files: dict[str, InputFile]
    ranges: tuple[WorkRange, ...]

    @property
    def total_bytes(self) -> int:
        """The files' sizes; the blocks' `n_bytes` add up to it."""
        return sum(file.size for file in self.files.values())

    @property
    def least_record_bytes(self) -> int:
        """How few of the files' bytes a record can plausibly take.

        In a plain file that is a line of four characters or the smallest JSON object with a text; where
        files are packed, texts much alike may take next to nothing.
        """
        is_packed = any(
            compression_of(file.path) or format_of(file.path, self.options) == "parquet" for file in self.files.values()
        )
        return 1 if is_packed else 12


@dataclass(frozen=True)
class _Weighed:
    """A slice and how many bytes of work it stands for."""

    piece: FileSlice
    n_bytes: int


def plan_work(patterns: str, options: ReadOptions, target_range_bytes: int | None = None) -> WorkPlan:
    """Returns the plan for an input; the same files always give the same plan.

    Plain text and JSONL are cut into ranges of bytes, Parquet into row groups; everything else stays
    whole, and small files share a range.

    Args:
        patterns: Files, directories and globs, between commas.
        target_range_bytes: About how much a range holds; None makes about 64 ranges of 4 to 64 MiB.

    Raises:
        UsageError: No file matches, one cannot be read, or a field is not there.
        DamagedFileError: A compressed file is empty, or a Parquet file has no valid end.
    """
    files = list_inputs(patterns)
    sources = source_names(file.path for file in files)
    target = target_range_bytes or _default_range_bytes(files)
    slices: list[_Weighed] = []
    schemas: dict[str, pa.Schema] = {}
    for file in files:
        whole = FileSlice(file.path, sources[file.path], 0, file.size, 0, file.size, file.modified)
        _check_content(whole, options)
        if format_of(file.path, options) == "parquet":
            schema, cut = _cut_parquet(whole, target)
            schemas[whole.source] = schema
            slices += cut
        else:
            slices += _cut_bytes(whole, options, target)
    check_fields((weighed.piece for weighed in slices if weighed.piece.start == 0), schemas, options)
    options = resolve_kept(list(sources.values()), schemas, options)
    by_source = {sources[file.path]: file for file in files}
    return WorkPlan(options, by_source, tuple(_share_ranges(slices, target)))


def _default_range_bytes(files: Iterable[InputFile]) -> int:
    total = sum(file.size for file in files)
    return min(max(total // _RANGES, _MIN_RANGE_BYTES), _MAX_RANGE_BYTES)


def _check_content(whole: FileSlice, options: ReadOptions) -> None:
    compression = compression_of(whole.path)
    is_parquet = format_of(whole.path, options) == "parquet"
    if format_of(whole.path, options) in DELIMITERS and options.codec.startswith("iso2022"):
        # Its bytes for a kana may be those of a quotation mark.
        raise UsageError(f"{whole.path!r}: rows cannot be told apart in {options.encoding}; convert it to UTF-8.")
    if compression is not None and is_parquet:
        raise UsageError(f"{whole.path!r} is a compressed Parquet file; unpack it first: Parquet is read from its end.")
    if whole.size == 0 and (compression is not None or is_parquet):
        raise DamagedFileError(f"{whole.source} is empty, so it is no whole {compression or 'Parquet'} file.")


def _cut_bytes(whole: FileSlice, options: ReadOptions, target_bytes: int) -> Iterator[_Weighed]:
    n_slices = _dealt(-(-whole.size // target_bytes)) if is_splittable(whole.path, options) else 1
    bounds = [whole.size * i // n_slices for i in range(n_slices + 1)] if whole.size else [0, 0]
    for start, end in pairwise(bounds):
        yield _Weighed(dataclasses.replace(whole, start=start, end=end), end - start)


def _dealt(n_slices: int) -> int:
    """The local runner deals ranges out before it starts: by a multiple of 4, most workers get equal shares."""
    return n_slices if n_slices <= 1 else -(-n_slices // 4) * 4


def _cut_parquet(whole: FileSlice, target_bytes: int) -> tuple[pa.Schema, list[_Weighed]]:
    """Returns the file's schema, and slices of row groups of about `target_bytes` unpacked."""
    with open_unchanged(whole) as file, open_parquet(file, whole.source) as parquet:
        schema, about = parquet.schema_arrow, parquet.metadata
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        sizes = [group.total_byte_size for group in groups]
        rows = [group.num_rows for group in groups]
    if sum(rows) != about.num_rows:
        raise DamagedFileError(f"{whole.source} has {sum(rows)} rows in its groups, but {about.num_rows} by its end.")
    cut: list[_Weighed] = []
    start, row, first_row, n_bytes = 0, 0, 0, 0
    for i, size in enumerate(sizes):
        if i > start and n_bytes + size > target_bytes:
            cut.append(_Weighed(dataclasses.replace(whole, start=start, end=i, first_row=first_row), n_bytes))
            start, first_row, n_bytes = i, row, 0
        n_bytes += size
        row += rows[i]
    cut.append(_Weighed(dataclasses.replace(whole, start=start, end=len(sizes), first_row=first_row), n_bytes))
    return schema, cut


def _share_ranges(slices: Iterable[_Weighed], target_bytes: int) -> Iterator[WorkRange]:
    """Yields ranges; files, not pieces of one, are put together as long as the range stays below its target."""
    index, n_bytes = 0, 0
    together: list[FileSlice] = []
    for weighed in slices:
        # What was cut stays cut, or the cut that gives all workers equal shares would be undone.
        is_cut = together and together[-1].path == weighed.piece.path
        if is_cut or (together and n_bytes + weighed.n_bytes > target_bytes):
            yield WorkRange(index, tuple(together))
            index, together, n_bytes = index + 1, [], 0
        together.append(weighed.piece)
        n_bytes += weighed.n_bytes
    yield WorkRange(index, tuple(together))
