"""Blocks to Parquet: a range's rows end in parts of their own, closed as soon as it is done."""

import contextlib
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from model.errors import SaitenError
from pipelines import storage
from pipelines.progress import ProgressNote
from pipelines.records import ScoredBlock
from pipelines.run import DEAD_LETTERS_FOLDER, SCORES_FOLDER, Part, RangeSummary, Run, SourceCount
from pipelines.schema import DEAD_LETTER_SCHEMA, dead_letters_table, scores_table

_ROW_GROUP_ROWS = 64 * 1024
# Dead letters may carry 64 KiB each: a row group ends early where rows are that large.
_ROW_GROUP_BYTES = 32 * 1024 * 1024


class PartWriter:
    """Writes one Parquet file, visible only when it is whole.

    Args:
        run: Whose part it is.
        name: Its path below the output directory.
        schema: With the metadata that the file carries.
    """

    def __init__(self, run: Run, name: str, schema: pa.Schema) -> None:
        self._name = name
        self._schema = schema
        self._stack = contextlib.ExitStack()
        file = self._stack.enter_context(storage.open_atomic(storage.join(run.output, name)))
        self._sink = _HashingSink(file)
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Adds rows; they are written a row group at a time."""
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        self._waiting_bytes += table.nbytes
        if self._waiting_rows >= _ROW_GROUP_ROWS or self._waiting_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> Part:
        """Makes the file visible and durable.

        Raises:
            OSError: It could not be written whole; nothing is visible then.
        """
        with self._stack:
            if self._waiting_rows or not self._rows:
                self._flush()
            self._writer.close()
        return Part(self._name, self._rows, self._sink.size, self._sink.hash.hexdigest())

    def abandon(self) -> None:
        """Gives the file up: nothing becomes visible."""
        with contextlib.suppress(_AbandonedError, OSError), self._stack:
            self._writer.close()  # it would write its footer later, to a file that is gone
            raise _AbandonedError

    def _flush(self) -> None:
        table = pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table()
        self._writer.write_table(table, row_group_size=_ROW_GROUP_ROWS)
        self._rows += table.num_rows
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


class _AbandonedError(Exception):
    """Unwinds an open part on purpose."""


class _HashingSink:
    """A file that knows the size and sha256 of what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True


@dataclass
class WriteScores(beam.PTransform):
    """Writes a range's scores to its part; gives a `RangeSummary` for each range."""

    run: Run

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Write" >> beam.ParDo(_WriteScoresDoFn(self.run))


@dataclass
class WriteDeadLetters(beam.PTransform):
    """Writes a range's dead letters to its part, if it has any; gives a `RangeSummary` for each range."""

    run: Run

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Write" >> beam.ParDo(_WriteDeadLettersDoFn(self.run))


class _WritePartsDoFn(beam.DoFn):
    """Follows one range at a time from its first block to its last.

    The steps before are fused with this one on every runner, so the blocks of a range come in
    order and unmixed; a runner that did otherwise would stop the run, not spoil it.
    """

    folder: str

    def __init__(self, run: Run) -> None:
        self._run = run

    def start_bundle(self) -> None:
        self._range_index: int | None = None
        self._writer: PartWriter | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._codes: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def process(self, scored: ScoredBlock) -> Iterator[RangeSummary]:
        block = scored.block
        with self._run.reports.reported(), self._abandoning():
            if self._range_index not in (None, block.range_index):
                raise SaitenError(f"Range {block.range_index} began before range {self._range_index} had ended.")
            self._range_index = block.range_index
            self.add(scored)
            if not block.is_last:
                return
            summary = self._finish(block.range_index)
        yield summary

    def finish_bundle(self) -> None:
        if self._range_index is not None:
            if self._writer:
                self._writer.abandon()
            raise SaitenError(f"Range {self._range_index} has no end: its last block did not arrive.")

    def add(self, scored: ScoredBlock) -> None:
        """Takes what this writer writes of the block."""
        raise AssertionError("subclasses say what they write")

    def write(self, table: pa.Table, schema: pa.Schema) -> None:
        """Adds rows to the range's part, which the first rows open."""
        if self._writer is None:
            assert self._range_index is not None
            name = self._run.part_name(self.folder, self._range_index)
            self._writer = PartWriter(self._run, name, schema)
        self._writer.write(table)

    def _finish(self, range_index: int) -> RangeSummary:
        part = self._writer.close() if self._writer else None
        counts: dict[str, dict[str, int]] = {}
        for (source, column), count in self._counts.items():
            counts.setdefault(source, {})[column] = count
        by_source = {source: SourceCount(**columns) for source, columns in counts.items()}
        summary = RangeSummary(range_index, self.folder, by_source, part, dict(self._codes), self._examples)
        note = json.dumps(dataclasses.asdict(summary), ensure_ascii=False)
        storage.write_atomic(self._run.range_note(self.folder, range_index), note.encode())
        self.start_bundle()
        return summary

    @contextlib.contextmanager
    def _abandoning(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._writer:
                self._writer.abandon()
            self.start_bundle()
            raise


class _WriteScoresDoFn(_WritePartsDoFn):
    folder = SCORES_FOLDER

    def setup(self) -> None:
        self._progress = ProgressNote(self._run.work_folder)

    def add(self, scored: ScoredBlock) -> None:
        for source, n_read in scored.block.n_read.items():
            self._counts[source, "records"] += n_read
        for source, is_empty in zip(scored.block.sources, scored.is_empty.tolist(), strict=True):
            self._counts[source, "empty" if is_empty else "scored"] += 1
        schema = self._run.schema
        self.write(scores_table(scored, schema), schema)
        self._progress.add(scored.block.n_bytes, sum(scored.block.n_read.values()), len(scored.block.dead_letters))


class _WriteDeadLettersDoFn(_WritePartsDoFn):
    folder = DEAD_LETTERS_FOLDER

    def add(self, scored: ScoredBlock) -> None:
        letters = scored.block.dead_letters
        for letter in letters:
            self._counts[letter.source, "dead"] += 1
            self._codes[letter.code] += 1
            self._examples.setdefault(letter.code, f"{letter.source}:{letter.position}")
        if letters:
            schema = DEAD_LETTER_SCHEMA.with_metadata(self._run.metadata)
            table = dead_letters_table(letters, keep_raw=self._run.keep_raw)
            self.write(table.replace_schema_metadata(self._run.metadata), schema)
