"""Cuts the input into ranges of work, once, before anything runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from saiten.pipelines.reading.fields import check_fields, resolve_types
from saiten.pipelines.reading.files import InputFile, list_inputs, open_unchanged, source_names
from saiten.pipelines.reading.format import FileFields, SizedSlice
from saiten.pipelines.reading.formats import FORMATS
from saiten.pipelines.reading.identify import identify
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import CHUNK_BYTES
from saiten.pipelines.records import FileSlice, WorkRange

# About so many ranges are made of an input, as far as they are neither too small nor too large:
# enough for many workers and for a run that is resumed, and no more parts than that.
_RANGES = 64
_MIN_RANGE_BYTES = 4 * 1024 * 1024
_MAX_RANGE_BYTES = 64 * 1024 * 1024
# A file of which no part can be read without those before is cut into so many for each worker. The more, the more
# equal are the workers' shares, and the more is read in vain: of two, each worker reads the whole file about once.
_SLICES_PER_WORKER = 2
# On a store each look costs some round trips.
_LOOKED_AT_ONCE = 32


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
        slices = (file_slice for work in self.ranges for file_slice in work.slices)
        return min(1 if piece.compression else FORMATS[piece.format].least_record_bytes for piece in slices)


def plan_work(
    patterns: str,
    options: ReadOptions,
    target_range_bytes: int | None = None,
    *,
    n_workers: int = 1,
    block_bytes: int = CHUNK_BYTES,
    flag: str = "--input",
) -> WorkPlan:
    """Returns the plan for an input; the same files always give the same plan.

    Text, JSON Lines and Parquet files are cut anyway; CSV, TSV and compressed files, and Parquet files within
    their row groups, where there are several workers. Small files share a range.

    Args:
        patterns: Files, directories and globs, between commas.
        target_range_bytes: About how much a range holds; None makes about 64 ranges of 4 to 64 MiB.
        n_workers: How many will read at the same time.
        block_bytes: Of what is scored at once.
        flag: That gave the patterns.

    Raises:
        UsageError: No file matches, one cannot be read, or a field is not there.
        DamagedFileError: A file is damaged where it was looked at.
    """
    files = list_inputs(patterns, table_files=options.table_files, flag=flag)
    sources = source_names(file.path for file in files)
    found = _look_at_all(files, sources, options)
    fields = {whole.source: file_fields for whole, file_fields in found}
    check_fields(fields, options)
    options = resolve_types(fields, options)
    total = sum(file.size for file in files)
    target = target_range_bytes or _range_bytes(total, n_workers, block_bytes)
    slices: list[SizedSlice] = []
    for whole, _ in found:
        most = -(-_SLICES_PER_WORKER * n_workers * whole.size // max(1, total)) if n_workers > 1 else 1
        slices += FORMATS[whole.format].cut(whole, options, target, most)
    by_source = {sources[file.path]: file for file in files}
    return WorkPlan(options, by_source, tuple(_share_ranges(slices, target)))


def _range_bytes(total: int, n_workers: int, block_bytes: int) -> int:
    """Returns how much a range holds: a block at least, as long as there are two ranges for each worker."""
    least = max(_MIN_RANGE_BYTES, min(block_bytes, total // (2 * n_workers)))
    return min(max(total // _RANGES, least), _MAX_RANGE_BYTES)


def _look_at_all(
    files: Sequence[InputFile], sources: Mapping[str, str], options: ReadOptions
) -> list[tuple[FileSlice, FileFields | None]]:
    """Looks at files side by side, and stops at the first, in their order, that will not do."""
    with ThreadPoolExecutor(_LOOKED_AT_ONCE) as pool:
        looks = [pool.submit(_look_at, file, sources[file.path], options) for file in files]
        try:
            return [look.result() for look in looks]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _look_at(file: InputFile, source: str, options: ReadOptions) -> tuple[FileSlice, FileFields | None]:
    """Returns what a file is, and its fields."""
    whole = FileSlice(file.path, source, 0, file.size, 0, file.size, file.modified)
    with open_unchanged(whole) as opened:
        whole = identify(opened, whole, options)
        format_ = FORMATS[whole.format]
        whole = format_.look_at(opened, whole, options)
        return whole, format_.read_fields(opened, whole, options)


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
