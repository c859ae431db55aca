"""Ranges of work to blocks of records."""

from collections.abc import Iterator

from saiten.pipelines.reading.blocks import BlockBuilder, Rows, no_rows
from saiten.pipelines.reading.delimited import DELIMITERS, read_delimited
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.formats import ReadOptions, format_of
from saiten.pipelines.reading.jsonl import read_jsonl
from saiten.pipelines.reading.parquet.rows import read_parquet
from saiten.pipelines.reading.plan import WorkPlan
from saiten.pipelines.reading.slices import Lines, slice_lines
from saiten.pipelines.reading.text import read_text
from saiten.pipelines.records import FileSlice, RecordBlock, WorkRange


def read_range(work_range: WorkRange, options: ReadOptions) -> Iterator[RecordBlock]:
    """Yields the records of a range, in the order of the input.

    A block has at most 2,048 records or about 512 KiB of input, whichever comes first. The last one of the
    range says so (`RecordBlock.is_last`); it is the only one that may have no records.

    Args:
        options: `WorkPlan.options`, in which the kept fields have their types.

    Raises:
        DamagedFileError: A file is truncated, damaged, or was changed since the work was planned.
        SaitenError: A file cannot be read.
    """
    builder = BlockBuilder(work_range.index)
    for piece in work_range.slices:
        for rows, n_bytes in _read_slice(piece, options):
            yield from builder.add(piece.source, rows, n_bytes)
    yield builder.finish(is_last=True)


def iter_blocks(plan: WorkPlan) -> Iterator[RecordBlock]:
    """Yields the records of the whole plan, in order, in this process."""
    for work_range in plan.ranges:
        yield from read_range(work_range, plan.options)


def _read_slice(piece: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
    """Yields the slice's rows and the bytes they stand for, which add up to the slice."""
    kind = format_of(piece.path, options)
    with open_unchanged(piece) as file:
        if kind == "parquet":
            yield from read_parquet(file, piece, options)
            return
        lines = slice_lines(file, piece, options)
        done = piece.start
        for rows in _read_lines(kind, lines, piece.source, options):
            now = min(max(file.tell(), done), piece.end)
            yield rows, now - done
            done = now
        yield no_rows(options), piece.end - done


def _read_lines(kind: str, lines: Lines, source: str, options: ReadOptions) -> Iterator[Rows]:
    if kind == "text":
        return read_text(lines.batches, source, lines.codec, options)
    if kind == "jsonl":
        return read_jsonl(lines.batches, source, lines.codec, options)
    return read_delimited(lines.batches, source, lines.codec, options, DELIMITERS[kind])
