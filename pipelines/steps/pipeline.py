"""The scoring pipeline: wires the steps, and nothing else."""

from dataclasses import dataclass

import apache_beam as beam
from apache_beam.ml.inference import RunInference

from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.run.notes.progress_notes import DeadLetterLimit
from saiten.pipelines.steps.commit import Commit, CommitSettings
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.encode import EncodeText
from saiten.pipelines.steps.infer import HANDLERS
from saiten.pipelines.steps.read import PlannedRanges, ReadRecords
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.steps.write import WriteParts


@dataclass(frozen=True)
class Scoring:
    """All that the steps need, decided before the pipeline is built.

    Attributes:
        reading: How the files are read.
        bundle: What scores them.
        deadline: How long a block may take.
        limit: How many dead letters there may be.
        notes_folder: Where writers note how far they have come.
        commit: What the run must have become.
    """

    reading: ReadOptions
    bundle: ScoringBundle
    deadline: Deadline
    limit: DeadLetterLimit
    notes_folder: str
    commit: CommitSettings


def build(pipeline: beam.Pipeline, scoring: Scoring) -> beam.PCollection:
    """Wires the steps; gives the run's id, one element, when the run is committed."""
    run = scoring.commit.run
    handler = HANDLERS[scoring.bundle.engine](scoring.bundle, run.reports, scoring.deadline)
    return (
        pipeline
        | "PlannedRanges" >> PlannedRanges(run)
        | "SpreadRanges" >> beam.Reshuffle()
        | "ReadRecords" >> ReadRecords(scoring.reading, run.reports, handler.block_bytes)
        | "EncodeText" >> EncodeText(scoring.bundle, run.reports, scoring.deadline)
        | "RunInference" >> RunInference(handler)
        | "WriteParts" >> WriteParts(run, scoring.limit, scoring.notes_folder)
        | "Commit" >> Commit(scoring.commit)
    )
