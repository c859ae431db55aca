"""A range's blocks to its two parts: scores and dead letters, closed as soon as the range is done."""

import uuid
from collections import Counter

import pyarrow as pa

from saiten.pipelines import storage
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.json_file import to_json
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, SCORES_FOLDER, Run
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.owner import refuse_fenced_off
from saiten.pipelines.run.parquet_part import PartWriter
from saiten.pipelines.run.range_summary import RangeNote, RangeSummary, SourceCount
from saiten.pipelines.run.schema import dead_letters_table, scores_table
from saiten.pipelines.stage_secs import StageSecs, Stopwatch
from saiten.pipelines.statistics.run_statistics import StatisticsCounter


class RangeWriter:
    """Writes one range; its parts become visible when it is closed.

    A runner may try a range again, even while the first attempt goes on: two attempts never write one name, and
    the commit chooses the one that the runner goes on with.

    Args:
        run: Whose range it is.
        range_index: Which one.
    """

    def __init__(self, run: Run, range_index: int) -> None:
        self.range_index = range_index
        self._run = run
        self._attempt = uuid.uuid4().hex[:8]
        self._scores = self._open(SCORES_FOLDER, run.scores_schema)
        self._dead_letters: PartWriter | None = None
        self._counts: dict[str, SourceCount] = {}
        self._tally = DeadLetterTally()
        self._counter = StatisticsCounter(run.statistics)
        self._write_secs = 0.0

    def add(self, block: ScoredBlock) -> None:
        """Writes a block of the range."""
        watch = Stopwatch()
        run = self._run
        self._scores.write(scores_table(block, run.scores_schema, run.outputs, run.n_labels))
        letters = block.dead_letters
        if letters:
            schema = self._run.dead_letters_schema
            self._dead_letters = self._dead_letters or self._open(DEAD_LETTERS_FOLDER, schema)
            self._dead_letters.write(dead_letters_table(letters, schema, keep_raw=self._run.keep_raw))
        self._tally.add(block.n_read, letters)
        self._counter.add(block)
        self._write_secs += watch.secs
        for source, count in _count_by_source(block).items():
            self._counts[source] = self._counts.get(source, SourceCount()) + count

    def close(self) -> RangeNote:
        """Makes the parts visible, and notes that the range is finished: a run that is resumed skips it.

        Raises:
            FencedOffError: The job is no longer the output directory's owner's.
            OSError: One could not be written whole.
        """
        refuse_fenced_off(self._run)
        watch = Stopwatch()
        dead_letters = self._dead_letters.close() if self._dead_letters else None
        summary = RangeSummary(self.range_index, self._counts, self._scores.close(), dead_letters, self._tally)
        self._counter.add_secs(StageSecs(write=self._write_secs + watch.secs))
        note = RangeNote(summary, self._counter.counted)
        storage.write_atomic(self._run.range_note(self.range_index), to_json(note))
        return note

    def abandon(self) -> None:
        """Gives the range up: what is not visible yet never will be."""
        for writer in (self._scores, self._dead_letters):
            if writer:
                writer.abandon()

    def _open(self, folder: str, schema: pa.Schema) -> PartWriter:
        return PartWriter(self._run, self._run.part_name(folder, self.range_index, self._attempt), schema)


def _count_by_source(block: ScoredBlock) -> dict[str, SourceCount]:
    dead = Counter(letter.source for letter in block.dead_letters)
    counts, start = {}, 0
    for span in block.spans:
        n_empty = int(block.is_empty[start : start + span.n_rows].sum())
        counts[span.source] = SourceCount(span.n_read, span.n_rows - n_empty, n_empty, dead[span.source])
        start += span.n_rows
    return counts
