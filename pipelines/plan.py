"""Cuts the input into ranges of work, once, before anything runs."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from pipelines.files import InputFile, list_inputs, source_names
from pipelines.formats import KeptField, ReadOptions, is_splittable
from pipelines.records import FileSlice, WorkRange

RANGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class WorkPlan:
    """What a run reads.

    Attributes:
        options: How, with the types of the kept fields resolved.
        files: Every input file by its name in the output (`FileSlice.source`), sorted by path.
        ranges: The work; every byte of every file is in exactly one.
    """

    options: ReadOptions
    files: dict[str, InputFile]
    ranges: tuple[WorkRange, ...]

    @property
    def total_bytes(self) -> int:
        """The files' sizes; the blocks' `n_bytes` add up to it."""
        return sum(file.size for file in self.files.values())


def plan_work(patterns: str, options: ReadOptions, target_range_bytes: int = RANGE_BYTES) -> WorkPlan:
    """Returns the plan for an input; the same files always give the same plan.

    Plain text and JSONL are cut into ranges of bytes, Parquet into row groups; everything else stays
    whole, and small files share a range.

    Args:
        patterns: Files, directories and globs, between commas.
        target_range_bytes: About how much a range holds.

    Raises:
        UsageError: No file matches, one cannot be read, or a field is not there.
        DamagedFileError: A compressed or a Parquet file has no content at all or no valid end.
    """
    files = list_inputs(patterns)
    sources = source_names(file.path for file in files)
    slices = [piece for file in files for piece in _slice_file(file, sources[file.path], options, target_range_bytes)]
    by_source = {sources[file.path]: file for file in files}
    return WorkPlan(resolve_kept(options), by_source, tuple(_share_ranges(slices, target_range_bytes)))


def resolve_kept(options: ReadOptions) -> ReadOptions:
    kept = tuple(KeptField(field.name, field.type or pa.string()) for field in options.kept)
    return dataclasses.replace(options, kept=kept)


def _slice_file(file: InputFile, source: str, options: ReadOptions, target_bytes: int) -> Iterator[FileSlice]:
    n_slices = max(1, round(file.size / target_bytes)) if is_splittable(file.path, options) else 1
    bounds = [file.size * i // n_slices for i in range(n_slices + 1)]
    for start, end in pairwise(bounds):
        yield FileSlice(file.path, source, start, end, 0, file.size, file.modified)


def _share_ranges(slices: Sequence[FileSlice], target_bytes: int) -> Iterator[WorkRange]:
    """Yields ranges; slices are put together as long as the range stays below its target."""
    index, n_bytes = 0, 0
    together: list[FileSlice] = []
    for piece in slices:
        size = piece.end - piece.start
        if together and n_bytes + size > target_bytes:
            yield WorkRange(index, tuple(together))
            index, together, n_bytes = index + 1, [], 0
        together.append(piece)
        n_bytes += size
    yield WorkRange(index, tuple(together))
