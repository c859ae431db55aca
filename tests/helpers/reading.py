"""Reads files in tests, without a pipeline."""

import pathlib
from collections.abc import Iterable

from saiten.pipelines.reading.formats import FORMATS
from saiten.pipelines.reading.identify import identify
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.read_range import read_range
from saiten.pipelines.records import DeadLetter, FileSlice, RecordBlock, WorkRange


def whole_file(path: pathlib.Path, options: ReadOptions | None = None) -> FileSlice:
    """Returns the one slice of a file that is not cut."""
    status = path.stat()
    whole = FileSlice(str(path), path.name, 0, status.st_size, 0, status.st_size, str(status.st_mtime_ns))
    with path.open("rb") as file:
        whole = identify(file, whole, options or ReadOptions())
        return FORMATS[whole.format].look_at(file, whole, options or ReadOptions())


def read_file(path: pathlib.Path, options: ReadOptions) -> list[RecordBlock]:
    """Reads a file that is not cut, whatever fields it has."""
    return checked(read_range(WorkRange(0, (whole_file(path, options),)), options))


def checked(blocks: Iterable[RecordBlock]) -> list[RecordBlock]:
    """Returns the blocks, none of which has lost a record."""
    found = list(blocks)
    for block in found:
        block.check_counts()
    return found


def rows(blocks: Iterable[RecordBlock]) -> list[tuple[str, int, str, str]]:
    """Source, position, id and text of every good record."""
    return [row for block in blocks for row in zip(block.sources, block.positions, block.ids, block.texts, strict=True)]


def dead_letters(blocks: Iterable[RecordBlock]) -> list[DeadLetter]:
    """All dead letters."""
    return [letter for block in blocks for letter in block.dead_letters]
