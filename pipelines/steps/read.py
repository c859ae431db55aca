"""The step that turns ranges of work into blocks of records."""

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam

from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.ranges import read_range
from saiten.pipelines.records import RecordBlock, WorkRange
from saiten.pipelines.run.failures import FailureReports


@dataclass
class ReadRecords(beam.PTransform):
    """Reads ranges and decodes them into blocks; what cannot be decoded becomes a dead letter of its block."""

    options: ReadOptions
    reports: FailureReports

    def expand(self, ranges: beam.PCollection) -> beam.PCollection:
        return ranges | "Read" >> beam.ParDo(_ReadRecordsDoFn(self.options, self.reports))


class _ReadRecordsDoFn(beam.DoFn):
    def __init__(self, options: ReadOptions, reports: FailureReports) -> None:
        self._options = options
        self._reports = reports

    def process(self, work_range: WorkRange) -> Iterator[RecordBlock]:
        with self._reports.reported():
            yield from read_range(work_range, self._options)
