"""Ids to scores: RunInference with a ModelHandler for each engine.

A block is the batch: RunInference's own batching is left out, because a block already holds
as many texts as an engine wants, is the same from run to run, and never waits for another.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from apache_beam.ml.inference.base import ModelHandler

from saiten.model.engines.engine import Engine
from saiten.model.engines.score_encoded import score_encoded
from saiten.pipelines.reading.rows import CHUNK_BYTES
from saiten.pipelines.records import EncodedBlock, ScoredBlock
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.stage_secs import StageSecs, Stopwatch
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle


def score_block(encoded_block: EncodedBlock, engine: Engine) -> ScoredBlock:
    """Scores a block; a text that the model cannot score becomes a dead letter, alone."""
    watch, encoded = Stopwatch(), encoded_block.encoded
    scores, failures = score_encoded(engine, encoded)
    block = encoded_block.block.move_to_dead_letters(failures, "infer")
    alive = np.ones(len(encoded_block), np.bool_)
    alive[list(failures)] = False
    block.check_counts()
    return ScoredBlock(
        range_index=block.range_index,
        is_last=block.is_last,
        spans=block.spans,
        positions=block.positions,
        ids=block.ids,
        kept_fields=block.kept_fields,
        dead_letters=block.dead_letters,
        n_bytes=block.n_bytes,
        stage_secs=block.stage_secs + StageSecs(infer=watch.secs),
        segmentation=block.segmentation,
        raw_bytes=sum(map(len, block.raw_records)),
        scores=scores[alive],
        is_empty=encoded.lengths[alive] == 0,
        n_tokens=encoded.n_tokens[alive],
        n_oov=encoded.n_oov[alive],
        truncated=encoded.truncated[alive],
        oov_words=encoded_block.oov_words,
    )


class _EngineModelHandler(ModelHandler[EncodedBlock, ScoredBlock, Engine]):
    """What both engines' handlers share: one engine a process, loaded and tried before the first batch.

    Attributes:
        engine_name: ``keras`` or ``packed``.
        block_bytes: Of input, about, in what is scored at once.
    """

    engine_name: str
    block_bytes = CHUNK_BYTES

    def __init__(self, bundle: ScoringBundle, reports: FailureReports, deadline: Deadline) -> None:
        super().__init__()
        self._bundle = dataclasses.replace(bundle, engine=self.engine_name)
        self._reports = reports
        self._deadline = deadline

    def load_model(self) -> Engine:
        with self._reports.reported(), self._deadline.for_loading():
            return self._bundle.load_engine()

    def run_inference(
        self, batch: EncodedBlock, model: Engine, inference_args: dict[str, Any] | None = None
    ) -> Iterable[ScoredBlock]:
        with self._reports.reported(), self._deadline.for_batch():
            return [score_block(batch, model)]

    def should_skip_batching(self) -> bool:
        return True

    def get_num_bytes(self, batch: EncodedBlock) -> int:
        # Beam's own default pickles every batch to measure it.
        return int(batch.encoded.token_ids.nbytes)

    def get_metrics_namespace(self) -> str:
        return f"saiten-{self.engine_name}"

    def validate_inference_args(self, inference_args: dict[str, Any] | None) -> None:
        pass


class KerasModelHandler(_EngineModelHandler):
    """Runs the compiled Keras model; any masked architecture. Imports TensorFlow in `load_model`."""

    engine_name = "keras"
    # It pads texts to the longest of a batch: among two thousand news articles there are enough of like length.
    block_bytes = 16 * CHUNK_BYTES


class PackedModelHandler(_EngineModelHandler):
    """Runs the packed evaluator of the same weights; never imports TensorFlow."""

    engine_name = "packed"


HANDLERS: Mapping[str, type[_EngineModelHandler]] = {
    handler.engine_name: handler for handler in (KerasModelHandler, PackedModelHandler)
}
