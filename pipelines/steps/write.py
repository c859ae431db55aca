"""Blocks to Parquet: a range's rows end in parts of their own, closed as soon as it is done."""

import abc
import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics

from saiten.model.errors import SaitenError
from saiten.pipelines import storage
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, SCORES_FOLDER, RangeSummary, Run, SourceCount
from saiten.pipelines.run.part import PartWriter
from saiten.pipelines.run.progress_notes import DeadLetterLimit, ProgressNote
from saiten.pipelines.run.schema import dead_letters_table, scores_table

_NAMESPACE = "saiten"


@dataclass
class WriteScores(beam.PTransform):
    """Writes a range's scores to its part; gives a `RangeSummary` for each range."""

    run: Run

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Write" >> beam.ParDo(_WriteScoresDoFn(self.run))


@dataclass
class WriteDeadLetters(beam.PTransform):
    """Writes a range's dead letters to its part, if it has any; gives a `RangeSummary` for each range.

    Attributes:
        limit: Stops the run as soon as it cannot end with fewer dead letters than it allows.
        notes_folder: Where the writers note how far they have come.
    """

    run: Run
    limit: DeadLetterLimit
    notes_folder: str

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Write" >> beam.ParDo(_WriteDeadLettersDoFn(self.run, self.limit, self.notes_folder))


class _WritePartsDoFn(beam.DoFn, abc.ABC):
    """Follows one range at a time from its first block to its last.

    The steps before are fused with this one on every runner, so the blocks of a range come in
    order and unmixed; a runner that did otherwise would stop the run, not spoil it.
    """

    folder: str

    def __init__(self, run: Run, schema: pa.Schema) -> None:
        self._run = run
        self._schema = schema

    def start_bundle(self) -> None:
        self._begin_range()

    def _begin_range(self) -> None:
        self._range_index: int | None = None
        self._writer: PartWriter | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._tally = DeadLetterTally()  # stays empty in the scores' writer

    def process(self, block: ScoredBlock) -> Iterator[RangeSummary]:
        with self._run.reports.reported(), self._abandoning():
            if self._range_index not in (None, block.range_index):
                raise SaitenError(f"Range {block.range_index} began before range {self._range_index} had ended.")
            self._range_index = block.range_index
            self.add(block)
            if not block.is_last:
                return
            summary = self._finish(block.range_index)
        yield summary

    def finish_bundle(self) -> None:
        if self._range_index is not None:
            if self._writer:
                self._writer.abandon()
            raise SaitenError(f"Range {self._range_index} has no end: its last block did not arrive.")

    @abc.abstractmethod
    def add(self, block: ScoredBlock) -> None:
        """Takes what this writer writes of the block."""

    def write(self, table: pa.Table) -> None:
        """Adds rows to the range's part, which the first rows open."""
        if self._writer is None:
            assert self._range_index is not None
            name = self._run.part_name(self.folder, self._range_index)
            self._writer = PartWriter(self._run, name, self._schema)
        self._writer.write(table)

    def _finish(self, range_index: int) -> RangeSummary:
        part = self._writer.close() if self._writer else None
        counts: dict[str, dict[str, int]] = {}
        for (source, column), count in self._counts.items():
            counts.setdefault(source, {})[column] = count
        by_source = {source: SourceCount(**columns) for source, columns in counts.items()}
        tally = self._tally
        summary = RangeSummary(range_index, self.folder, by_source, part, dict(tally.codes), tally.examples)
        note = json.dumps(dataclasses.asdict(summary), ensure_ascii=False)
        storage.write_atomic(self._run.range_note(self.folder, range_index), note.encode())
        self._begin_range()
        return summary

    @contextlib.contextmanager
    def _abandoning(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._writer:
                self._writer.abandon()
            self._begin_range()
            raise


class _WriteScoresDoFn(_WritePartsDoFn):
    folder = SCORES_FOLDER

    def __init__(self, run: Run) -> None:
        super().__init__(run, run.scores_schema)

    def setup(self) -> None:
        counters = {"records": "records-read", "scored": "records-scored", "empty": "records-empty"}
        self._counters = {column: Metrics.counter(_NAMESPACE, name) for column, name in counters.items()}

    def add(self, block: ScoredBlock) -> None:
        statuses = ["empty" if is_empty else "scored" for is_empty in block.is_empty.tolist()]
        counts = Counter(zip(block.sources, statuses, strict=True))
        counts.update({(span.source, "records"): span.n_read for span in block.spans})
        for (_, column), count in counts.items():
            self._counters[column].inc(count)
        self._counts.update(counts)
        self.write(scores_table(block, self._schema))


class _WriteDeadLettersDoFn(_WritePartsDoFn):
    folder = DEAD_LETTERS_FOLDER

    def __init__(self, run: Run, limit: DeadLetterLimit, notes_folder: str) -> None:
        super().__init__(run, run.dead_letters_schema)
        self._limit = limit
        self._notes_folder = notes_folder

    def setup(self) -> None:
        self._progress = ProgressNote(self._notes_folder)
        self._counter = Metrics.counter(_NAMESPACE, "records-dead-lettered")

    def add(self, block: ScoredBlock) -> None:
        letters = block.dead_letters
        self._tally.add(block.n_read, letters)
        self._counts.update((letter.source, "dead") for letter in letters)
        self._counter.inc(len(letters))
        if letters:
            self.write(dead_letters_table(letters, self._schema, keep_raw=self._run.keep_raw))
        done = self._progress.add(block)
        if done:
            self._limit.check(done)
