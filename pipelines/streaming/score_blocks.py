"""Texts to ids to scores, where the bundle may change from one block to the next."""

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam

from saiten.model.engines.engine import Engine
from saiten.model.text.encoder import Encoder
from saiten.model.text.witness import witness_of
from saiten.pipelines.beam_metrics import count_work
from saiten.pipelines.records import RecordBlock, ScoredBlock
from saiten.pipelines.steps.encode import encode_block
from saiten.pipelines.steps.infer import score_block
from saiten.pipelines.steps.scoring_bundle import ScoringBundle
from saiten.pipelines.streaming.bundles import BundleInUse
from saiten.pipelines.streaming.stream import BundledBlock, Stream, UnscoredBlock, WindowBlock

# The one that scores and the one that takes its place, while blocks of both are on their way.
_HELD_BUNDLES = 2


@functools.lru_cache(_HELD_BUNDLES)
def _encoder(bundle: ScoringBundle) -> Encoder:
    return bundle.load_encoder()


_witness = functools.lru_cache(_HELD_BUNDLES)(witness_of)


@functools.lru_cache(_HELD_BUNDLES)
def _engine(bundle: ScoringBundle) -> Engine:
    return bundle.load_engine()


@dataclass
class EncodeBlocks(beam.PTransform):
    """Turns texts into ids of the vocabulary of the bundle that has passed last; the block says which that is."""

    stream: Stream

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Encode" >> beam.ParDo(_EncodeBlocksDoFn(self.stream))


class _EncodeBlocksDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def setup(self) -> None:
        self._in_use = BundleInUse(self._stream)

    def process(self, block: UnscoredBlock) -> Iterator[BundledBlock]:
        reports, deadline = self._stream.run.reports, self._stream.deadline
        with reports.reported():
            bundle = self._in_use.get()
            with deadline.for_loading():
                encoder = _encoder(bundle)
                witness = _witness(encoder)
            with deadline.for_batch():
                encoded = encode_block(block.records, encoder, witness)
        yield BundledBlock(encoded, bundle, block.ack_ids)


@dataclass
class InferScores(beam.PTransform):
    """Scores each block by the bundle whose ids it holds."""

    stream: Stream

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Infer" >> beam.ParDo(_InferScoresDoFn(self.stream))


class _InferScoresDoFn(beam.DoFn):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def process(self, block: BundledBlock) -> Iterator[WindowBlock]:
        run, deadline = self._stream.run, self._stream.deadline
        with run.reports.reported():
            with deadline.for_loading():
                engine = _engine(block.bundle)
            with deadline.for_batch():
                scored = score_block(block.encoded, engine)
        count_work(scored)
        raws = _raws_of_rows(block.encoded.block, scored) if run.keep_raw else ()
        # What is counted of OOV words is for a run's report, which a stream has not.
        lean = dataclasses.replace(scored, oov_words={})
        yield WindowBlock(lean, block.bundle.bundle_id, raws, block.ack_ids)


def _raws_of_rows(records: RecordBlock, scored: ScoredBlock) -> tuple[bytes, ...]:
    """The rows that are left, as they were read, without those that failed on the way."""
    by_place = dict(zip(zip(records.sources, records.positions, strict=True), records.raw_records, strict=True))
    return tuple(by_place[place] for place in zip(scored.sources, scored.positions, strict=True))
