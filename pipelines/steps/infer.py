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
from saiten.model.text.ragged import BoolArray, FloatArray, Int64Array, IntArray
from saiten.pipelines.records import Code, EncodedBlock, ScoredBlock
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.stage_secs import StageSecs, Stopwatch
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle

Failures = dict[int, tuple[str, str]]


def score_block(encoded_block: EncodedBlock, engine: Engine) -> ScoredBlock:
    """Scores a block; a text that the model cannot score becomes a dead letter, alone.

    Texts without tokens do not reach the model: a fully masked row gives it a plausible constant.
    """
    watch, encoded = Stopwatch(), encoded_block.encoded
    has_tokens = encoded.lengths > 0
    offsets = np.append(encoded.offsets[:-1][has_tokens], encoded.offsets[-1])
    rows = np.flatnonzero(has_tokens)
    scores = np.zeros((len(encoded_block), engine.n_outputs), np.float32)
    scores[rows], failed = score_or_bisect(engine, encoded.token_ids, offsets)
    failures = {int(rows[i]): failure for i, failure in failed.items()}

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
        raw_bytes=sum(map(len, block.raw_records)),
        scores=scores[alive],
        is_empty=~has_tokens[alive],
        n_tokens=encoded.n_tokens[alive],
        n_oov=encoded.n_oov[alive],
        truncated=encoded.truncated[alive],
        oov_words=encoded_block.oov_words,
    )


def score_or_bisect(engine: Engine, token_ids: IntArray, offsets: Int64Array) -> tuple[FloatArray, Failures]:
    """Scores texts, each of 1 id or more; where the model goes wrong, cuts them up until the culprits are alone.

    Where it raises, the texts are halved. Where it gives scores of another shape, they are tried one by
    one: of a part it might give the right shape by chance, with the wrong scores in it.

    Returns:
        float32 [n, outputs], 0 where a text failed, and code and message of the failed by position.
    """
    n_texts = len(offsets) - 1
    if n_texts == 0:
        return np.zeros((0, engine.n_outputs), np.float32), {}
    try:
        scores = np.asarray(engine.score(token_ids[offsets[0] : offsets[-1]], offsets - offsets[0]), np.float32)
    except Exception as error:  # noqa: BLE001 - a model may raise anything, and must cost one record
        problem, size = f"the model raised {type(error).__name__}", -(-n_texts // 2)
    else:
        if scores.shape == (n_texts, engine.n_outputs):
            return _without_holes(scores)
        problem, size = f"the model gave scores of shape {scores.shape}", 1
    if n_texts == 1:
        return np.zeros((1, engine.n_outputs), np.float32), {0: (Code.MODEL_ERROR, problem)}
    starts = range(0, n_texts, size)
    parts = [score_or_bisect(engine, token_ids, offsets[start : start + size + 1]) for start in starts]
    failures = {
        start + i: failure for start, (_, failed) in zip(starts, parts, strict=True) for i, failure in failed.items()
    }
    return np.concatenate([part for part, _ in parts]), failures


def _without_holes(scores: FloatArray) -> tuple[FloatArray, Failures]:
    finite: BoolArray = np.asarray(np.isfinite(scores).all(axis=1))
    holes = {int(i): (str(Code.NOT_FINITE), "a score is NaN or infinite") for i in np.flatnonzero(~finite)}
    return np.where(finite[:, None], scores, np.float32(0)), holes


class _EngineModelHandler(ModelHandler[EncodedBlock, ScoredBlock, Engine]):
    """What both engines' handlers share: one engine a process, loaded and tried before the first batch."""

    engine_name: str

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


class PackedModelHandler(_EngineModelHandler):
    """Runs the packed evaluator of the same weights; never imports TensorFlow."""

    engine_name = "packed"


HANDLERS: Mapping[str, type[_EngineModelHandler]] = {
    handler.engine_name: handler for handler in (KerasModelHandler, PackedModelHandler)
}
