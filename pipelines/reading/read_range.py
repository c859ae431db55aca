"""Ranges of work to blocks of records."""

from collections.abc import Iterator

from saiten.pipelines.reading.blocks import BlockBuilder
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.formats import FORMATS
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.reading.rows import CHUNK_BYTES
from saiten.pipelines.records import RecordBlock, WorkRange


def read_range(work_range: WorkRange, options: ReadOptions, block_bytes: int = CHUNK_BYTES) -> Iterator[RecordBlock]:
    """Yields the records of a range, in the order of the input.

    A block has at most 2,048 records or about `block_bytes` of input, whichever comes first. The last one of the
    range says so (`RecordBlock.is_last`); it is the only one that may have no records.

    Args:
        options: `WorkPlan.options`, in which the kept fields have their types.
        block_bytes: Of a block.

    Raises:
        DamagedFileError: A file is truncated, damaged, or was changed since the work was planned.
        SaitenError: A file cannot be read.
    """
    builder = BlockBuilder(work_range.index, block_bytes)
    for file_slice in work_range.slices:
        with open_unchanged(file_slice) as file:
            for rows, n_bytes in FORMATS[file_slice.format].read(file, file_slice, options):
                yield from builder.add(file_slice.source, rows, n_bytes)
    yield builder.finish(is_last=True)


def iter_blocks(plan: WorkPlan) -> Iterator[RecordBlock]:
    """Yields the records of the whole plan, in order, in this process."""
    for work_range in plan.ranges:
        yield from read_range(work_range, plan.options)


def first_records(plan: WorkPlan, count: int) -> Iterator[RecordBlock]:
    """Yields blocks with the first `count` records of an input, good or bad."""
    for block in iter_blocks(plan):
        first = block.first_records(count)
        count -= first.n_read
        yield first
        if count == 0:
            return
