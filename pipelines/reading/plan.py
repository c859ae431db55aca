"""Cuts the input into ranges of work, once, before anything runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from saiten.pipelines.reading.fields import check_fields, resolve_types
from saiten.pipelines.reading.files import InputFile, list_inputs, source_names
from saiten.pipelines.reading.format import SizedSlice
from saiten.pipelines.reading.formats import format_of
from saiten.pipelines.reading.lines.decompress import compression_of
from saiten.pipelines.reading.options import ReadOptions
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
        return min(
            1 if compression_of(file.path) else format_of(file.path, self.options).least_record_bytes
            for file in self.files.values()
        )


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
    whole_files = [
        FileSlice(file.path, sources[file.path], 0, file.size, 0, file.size, file.modified) for file in files
    ]
    slices = [piece for file in whole_files for piece in format_of(file.path, options).cut(file, options, target)]
    fields = {file.source: format_of(file.path, options).read_fields(file, options) for file in whole_files}
    check_fields(fields, options)
    options = resolve_types(fields, options)
    by_source = {sources[file.path]: file for file in files}
    return WorkPlan(options, by_source, tuple(_share_ranges(slices, target)))


def _default_range_bytes(files: Iterable[InputFile]) -> int:
    total = sum(file.size for file in files)
    return min(max(total // _RANGES, _MIN_RANGE_BYTES), _MAX_RANGE_BYTES)


def _share_ranges(slices: Iterable[SizedSlice], target_bytes: int) -> Iterator[WorkRange]:
    """Yields ranges; files, not pieces of one, are put together as long as the range stays below its target."""
    index, n_bytes = 0, 0
    together: list[FileSlice] = []
    for sized in slices:
        # What was cut stays cut, or the cut that gives all workers equal shares would be undone.
        is_cut = together and together[-1].path == sized.file_slice.path
        if is_cut or (together and n_bytes + sized.n_bytes > target_bytes):
            yield WorkRange(index, tuple(together))
            index, together, n_bytes = index + 1, [], 0
        together.append(sized.file_slice)
        n_bytes += sized.n_bytes
    yield WorkRange(index, tuple(together))
