"""Texts to ids: one Tagger a worker, whole blocks at a time."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import apache_beam as beam

from saiten.model.text.encoder import Encoder
from saiten.model.text.witness import Witness, witness_of
from saiten.pipelines.records import EncodedBlock, RecordBlock
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.segmentation import Segmentation
from saiten.pipelines.stage_secs import StageSecs, Stopwatch
from saiten.pipelines.statistics.oov_words import count_oov_words
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle


def encode_block(block: RecordBlock, encoder: Encoder, witness: Witness | None = None) -> EncodedBlock:
    """Tokenizes a block's texts and looks their ids up; what MeCab refuses becomes a dead letter.

    Raises:
        SaitenError: The witness finds other tokens.
    """
    watch, tokenizer = Stopwatch(), encoder.tokenizer
    n_left_before = tokenizer.n_left_to_mecab
    encoded, errors = encoder.encode_all(block.texts)
    n_left = tokenizer.n_left_to_mecab - n_left_before
    n_witnessed = witness.compare(block.texts, encoded, errors, _names(block)) if witness else 0
    if errors:
        block = block.move_to_dead_letters({i: (error.code, error.message) for i, error in errors.items()}, "encode")
        encoded = encoded.without(list(errors))
    block.check_counts()
    oov_words = count_oov_words(encoded.oov_tokens, encoded.n_oov)
    block = dataclasses.replace(
        block,
        stage_secs=block.stage_secs + StageSecs(encode=watch.secs),
        segmentation=Segmentation({tokenizer.segmenter: len(block.texts)}, n_witnessed, n_left),
    )
    return EncodedBlock(block, dataclasses.replace(encoded, oov_tokens=None), oov_words)


def _names(block: RecordBlock) -> Callable[[int], str]:
    return lambda i: f"{block.sources[i]}:{block.positions[i]}"


@dataclass
class EncodeText(beam.PTransform):
    """Turns blocks of texts into blocks of ids with the bundle's own tokenizer and vocabulary."""

    bundle: ScoringBundle
    reports: FailureReports
    deadline: Deadline

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Encode" >> beam.ParDo(_EncodeTextDoFn(self.bundle, self.reports, self.deadline))


class _EncodeTextDoFn(beam.DoFn):
    def __init__(self, bundle: ScoringBundle, reports: FailureReports, deadline: Deadline) -> None:
        self._bundle = bundle
        self._reports = reports
        self._deadline = deadline

    def setup(self) -> None:
        with self._reports.reported(), self._deadline.for_loading():
            self._encoder = self._bundle.load_encoder()
            self._witness = witness_of(self._encoder)

    def process(self, block: RecordBlock) -> Iterator[EncodedBlock]:
        with self._reports.reported(), self._deadline.for_batch():
            encoded = encode_block(block, self._encoder, self._witness)
        yield encoded
