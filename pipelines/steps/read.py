"""The steps that turn a run's plan into ranges of work, and these into blocks of records."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam

from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.read_range import read_range
from saiten.pipelines.records import RecordBlock, WorkRange
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.run.run_plan import read_plan
from saiten.pipelines.stage_secs import StageSecs, Stopwatch


@dataclass
class PlannedRanges(beam.PTransform):
    """Reads the run's plan and gives the ranges that are still to be done.

    They are not part of the pipeline's own description, which would grow with the input: engines limit its size.
    """

    run: Run

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection:
        return pbegin | "Once" >> beam.Create([self.run]) | "Plan" >> beam.ParDo(_PlannedRangesDoFn())


class _PlannedRangesDoFn(beam.DoFn):
    def process(self, run: Run) -> Iterator[WorkRange]:
        with run.reports.reported():
            yield from read_plan(run.output, run.run_id).ranges_left


@dataclass
class ReadRecords(beam.PTransform):
    """Reads ranges and decodes them into blocks; what cannot be decoded becomes a dead letter of its block."""

    options: ReadOptions
    reports: FailureReports
    block_bytes: int

    def expand(self, ranges: beam.PCollection) -> beam.PCollection:
        return ranges | "Read" >> beam.ParDo(_ReadRecordsDoFn(self.options, self.reports, self.block_bytes))


class _ReadRecordsDoFn(beam.DoFn):
    def __init__(self, options: ReadOptions, reports: FailureReports, block_bytes: int) -> None:
        self._options = options
        self._reports = reports
        self._block_bytes = block_bytes

    def process(self, work_range: WorkRange) -> Iterator[RecordBlock]:
        with self._reports.reported():
            yield from _timed(read_range(work_range, self._options, self._block_bytes))


def _timed(blocks: Iterator[RecordBlock]) -> Iterator[RecordBlock]:
    """Yields blocks with the time that each took to read, without the time that those who take them spend."""
    watch = Stopwatch()
    for block in blocks:
        yield dataclasses.replace(block, stage_secs=StageSecs(read=watch.secs))
        watch = Stopwatch()
