"""The step that writes blocks: a range's rows end in parts of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import apache_beam as beam

from saiten.model.errors import SaitenError
from saiten.pipelines.beam_metrics import count_block
from saiten.pipelines.records import ScoredBlock
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit, ProgressNote
from saiten.pipelines.run.range_summary import RangeSummary
from saiten.pipelines.steps.merge_statistics import MergeStatistics
from saiten.pipelines.steps.range_writer import RangeWriter

_STATISTICS = "statistics"


@dataclass
class WriteParts(beam.PTransform):
    """Writes a range's scores to one part, and its dead letters, if it has any, to another.

    Gives a `RangeSummary` for each range, and the `RunStatistics` of all of them, one element or none.

    Attributes:
        limit: Stops the run as soon as it cannot end with fewer dead letters than it allows.
        notes_folder: Where the writers note how far they have come.
    """

    run: Run
    limit: DeadLetterLimit
    notes_folder: str

    def expand(self, blocks: beam.PCollection) -> tuple[beam.PCollection, beam.PCollection]:
        writer = beam.ParDo(_WritePartsDoFn(self.run, self.limit, self.notes_folder))
        notes = blocks | "Write" >> writer.with_outputs(_STATISTICS, main="summaries")
        merge = beam.CombineGlobally(MergeStatistics(self.run.statistics)).without_defaults()
        return notes.summaries, notes[_STATISTICS] | "MergeStatistics" >> merge


class _WritePartsDoFn(beam.DoFn):
    """Follows one range at a time from its first block to its last.

    The steps before are fused with this one on every runner, so the blocks of a range come in
    order and unmixed; a runner that did otherwise would stop the run, not spoil it.
    """

    def __init__(self, run: Run, limit: DeadLetterLimit, notes_folder: str) -> None:
        self._run = run
        self._limit = limit
        self._notes_folder = notes_folder

    def setup(self) -> None:
        self._progress = ProgressNote(self._notes_folder)

    def start_bundle(self) -> None:
        self._writer: RangeWriter | None = None

    def process(self, block: ScoredBlock) -> Iterator[RangeSummary | beam.pvalue.TaggedOutput]:
        with self._run.reports.reported(), self._abandoned_on_error():
            self._writer = self._writer or RangeWriter(self._run, block.range_index)
            if self._writer.range_index != block.range_index:
                raise SaitenError(f"Range {block.range_index} began before range {self._writer.range_index} had ended.")
            self._writer.add(block)
            count_block(block)
            done = self._progress.add(block)
            if done:
                self._limit.stop_if_hopeless(done)
            if not block.is_last:
                return
            note = self._writer.close()
            self._writer = None
        yield note.summary
        yield beam.pvalue.TaggedOutput(_STATISTICS, note.statistics)

    def finish_bundle(self) -> None:
        if self._writer is not None:
            self._writer.abandon()
            raise SaitenError(f"Range {self._writer.range_index} has no end: its last block did not arrive.")

    @contextmanager
    def _abandoned_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._writer:
                self._writer.abandon()
            self._writer = None
            raise
