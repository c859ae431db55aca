"""What turns texts into scores in this process, for `Bundle` and for `ScoreTexts`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saiten.model.engines.engine import Engine
from saiten.model.engines.score_encoded import Failures, score_encoded
from saiten.model.task import Task
from saiten.model.text.encoder import EncodedTexts, Encoder
from saiten.model.text.ragged import BoolArray, FloatArray
from saiten.pipelines.steps.scoring_bundle import load_encoder, load_engine, opened_bundle


@dataclass(frozen=True)
class ScoredTexts:
    """What became of `n` texts.

    Attributes:
        scores: float32 [n, outputs], finite; 0 where a text is empty or failed.
        encoded: Their ids, and how many tokens they have.
        failures: Code and message of those that could not be scored, by position.
    """

    scores: FloatArray
    encoded: EncodedTexts
    failures: Failures

    @property
    def is_empty(self) -> BoolArray:
        """Which texts have no token left to score, bool [n]."""
        return np.equal(self.encoded.lengths, 0)


@dataclass(frozen=True)
class Scorer:
    """An encoder and an engine of one bundle.

    Attributes:
        outputs: Names of the scores.
        task: What they are.
    """

    bundle_id: str
    outputs: tuple[str, ...]
    task: Task
    encoder: Encoder
    engine: Engine

    def score(self, texts: Sequence[str]) -> ScoredTexts:
        """Tokenizes and scores texts at once; a bad one costs only itself."""
        encoded, errors = self.encoder.encode_all(texts)
        scores, failures = score_encoded(self.engine, encoded)
        return ScoredTexts(scores, encoded, failures | {i: (e.code, e.message) for i, e in errors.items()})


def load_scorer(path: str, engine: str, *, trusted: bool) -> Scorer:
    """Loads a bundle, local or remote, and tries it.

    Raises:
        BundleError: It is missing or refused.
        UsageError: The keras engine is asked for and TensorFlow is not installed.
    """
    with opened_bundle(path, trusted=trusted) as stored:
        encoder = load_encoder(stored)
        loaded = load_engine(stored, stored.engine_name(engine))
        return Scorer(stored.bundle_id, tuple(stored.outputs), stored.manifest.task, encoder, loaded)
