"""What is counted of a run's records, range by range, for its report."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from saiten.model.bundle.reference import LENGTH_EDGES, OOV_RATE_EDGES
from saiten.model.outputs import highest_outputs
from saiten.model.text.ragged import FloatArray
from saiten.pipelines.records import DeadLetter, ScoredBlock
from saiten.pipelines.segmentation import Segmentation
from saiten.pipelines.stage_secs import StageSecs
from saiten.pipelines.statistics.histogram import Histogram, score_edges
from saiten.pipelines.statistics.oov_words import add_words, commonest_words
from saiten.pipelines.statistics.repeated_ids import IdCounter, IdSample

# A word that stands in fewer texts of a range might tell of one of them.
_LEAST_TEXTS_OF_WORD = 10
_MOST_WORDS = 500
_EXAMPLES_OF_CODE = 5
_SURE = 0.5
_EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True)
class StatisticsPlan:
    """What is counted; travels with the steps.

    Attributes:
        score_ranges: By output, the least and the largest score to be expected.
        counts_ids: Ids come from a field, so they may repeat.
        labels: The classes, of which each scored record's highest is counted; empty where there are none.
        shows_texts: OOV words are named however rare they are, and dead letters with their beginning.
    """

    score_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    counts_ids: bool = False
    labels: tuple[str, ...] = ()
    shows_texts: bool = False


@dataclass(frozen=True, order=True)
class DeadLetterExample:
    """One dead letter of its code.

    Attributes:
        message: What is wrong, without any of the record's text.
        text: How the record begins, where texts may be shown.
    """

    source: str
    position: int
    message: str
    text: str = ""


@dataclass
class RunStatistics:
    """What is counted of some records; of a size that does not grow with them.

    Attributes:
        scores: Of scored records, by output.
        n_tokens: Of scored records, before truncation.
        oov_rate: Of scored records: the share of their tokens that are OOV.
        n_oov: All OOV tokens.
        n_truncated: How many texts were longer than the model reads.
        oov_words: The commonest, with at least how many texts they stand in.
        labels: How many scored records have each class for their highest.
        n_unsure: Of how many of those its probability is below one half.
        ids: None where they cannot repeat.
        dead_letters: The first of each code.
        stage_secs: Time spent, summed up over all workers.
        segmentation: Who found the words.
    """

    scores: dict[str, Histogram] = field(default_factory=dict)
    n_tokens: Histogram = field(default_factory=lambda: Histogram(LENGTH_EDGES))
    oov_rate: Histogram = field(default_factory=lambda: Histogram(OOV_RATE_EDGES))
    n_oov: int = 0
    n_truncated: int = 0
    oov_words: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    n_unsure: int = 0
    ids: IdSample | None = None
    dead_letters: dict[str, list[DeadLetterExample]] = field(default_factory=dict)
    stage_secs: StageSecs = field(default_factory=StageSecs)
    segmentation: Segmentation = field(default_factory=Segmentation)


class StatisticsCounter:
    """Collects `RunStatistics`."""

    def __init__(self, plan: StatisticsPlan) -> None:
        self._plan = plan
        self._counted = RunStatistics({name: Histogram(score_edges(*ends)) for name, ends in plan.score_ranges.items()})
        self._words: Counter[str] = Counter()
        self._ids = IdCounter() if plan.counts_ids else None

    def add(self, block: ScoredBlock) -> None:
        """Counts a block."""
        counted, is_scored = self._counted, ~block.is_empty
        for histogram, scores in zip(counted.scores.values(), block.scores.T, strict=False):
            histogram.add(scores[is_scored])
        if self._plan.labels:
            self._add_labels(block.scores[is_scored])
        n_tokens, n_oov = block.n_tokens[is_scored], block.n_oov[is_scored]
        counted.n_tokens.add(n_tokens)
        counted.oov_rate.add(n_oov / np.maximum(1, n_tokens))
        counted.n_oov += int(n_oov.sum())
        counted.n_truncated += int(block.truncated.sum())
        self.add_secs(block.stage_secs)
        counted.segmentation += block.segmentation
        self._words = add_words(self._words, block.oov_words)
        if self._ids:
            self._ids.add(block.ids)
        for letter in block.dead_letters:
            self._add_examples(letter.code, [_example_of(letter)])

    def add_secs(self, secs: StageSecs) -> None:
        """Counts time that was spent on no block in particular."""
        self._counted.stage_secs += secs

    def merge(self, other: RunStatistics) -> None:
        """Adds what was counted of other records by the same plan."""
        counted = self._counted
        for name, histogram in counted.scores.items():
            histogram.merge(other.scores[name])
        counted.n_tokens.merge(other.n_tokens)
        counted.oov_rate.merge(other.oov_rate)
        counted.n_oov += other.n_oov
        counted.n_truncated += other.n_truncated
        for name, n in other.labels.items():
            counted.labels[name] = counted.labels.get(name, 0) + n
        counted.n_unsure += other.n_unsure
        self.add_secs(other.stage_secs)
        counted.segmentation += other.segmentation
        self._words = add_words(self._words, other.oov_words)
        if self._ids and other.ids:
            self._ids.merge(other.ids)
        for code, examples in other.dead_letters.items():
            self._add_examples(code, examples)

    @property
    def counted(self) -> RunStatistics:
        """What was counted so far; of the words those that may leave the range."""
        least_texts = 1 if self._plan.shows_texts else _LEAST_TEXTS_OF_WORD
        words = commonest_words(self._words, _MOST_WORDS, least_texts)
        return dataclasses.replace(self._counted, oov_words=words, ids=self._ids.sample if self._ids else None)

    def _add_labels(self, scores: FloatArray) -> None:
        counts = np.bincount(highest_outputs(scores, 1)[:, 0], minlength=len(self._plan.labels)).tolist()
        labels = self._counted.labels
        labels.update({name: labels.get(name, 0) + n for name, n in zip(self._plan.labels, counts, strict=True) if n})
        self._counted.n_unsure += int((scores.max(axis=1) < _SURE).sum())

    def _add_examples(self, code: str, examples: Iterable[DeadLetterExample]) -> None:
        known = self._counted.dead_letters.get(code, [])
        # An earlier attempt at the run may have been allowed to show texts.
        shown = (example if self._plan.shows_texts else dataclasses.replace(example, text="") for example in examples)
        self._counted.dead_letters[code] = sorted([*known, *shown])[:_EXAMPLES_OF_CODE]


def _example_of(letter: DeadLetter) -> DeadLetterExample:
    raw = letter.raw or b""
    text = raw[: 4 * _EXAMPLE_CHARACTERS].decode("utf-8", "replace")[:_EXAMPLE_CHARACTERS]
    return DeadLetterExample(letter.source, letter.position, letter.message, text)
