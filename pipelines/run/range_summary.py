"""What became of a range: its counts and its parts; small enough to cross from worker to launcher."""

from dataclasses import dataclass

from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.statistics.run_statistics import RunStatistics


@dataclass(frozen=True)
class Part:
    """A finished Parquet file.

    Attributes:
        path: Below the output directory.
        rows: How many it holds.
        bytes: Its size.
        sha256: Of its content.
    """

    path: str
    rows: int = 0
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class SourceCount:
    """How the records of one input file came out; ``records == scored + empty + dead``."""

    records: int = 0
    scored: int = 0
    empty: int = 0
    dead: int = 0

    def __add__(self, other: "SourceCount") -> "SourceCount":
        return SourceCount(
            self.records + other.records,
            self.scored + other.scored,
            self.empty + other.empty,
            self.dead + other.dead,
        )

    @property
    def unaccounted(self) -> int:
        """How many records were read and are nowhere; below 0 where some are counted twice."""
        return self.records - self.scored - self.empty - self.dead


@dataclass(frozen=True)
class RangeSummary:
    """What its writer made of a finished range.

    Attributes:
        counts: By source.
        scores: Its scored and empty records; of 0 rows where there are none.
        dead_letters: Its dead letters; None where there are none.
        tally: Of the same dead letters.
    """

    range_index: int
    counts: dict[str, SourceCount]
    scores: Part
    dead_letters: Part | None
    tally: DeadLetterTally

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files it wrote."""
        return (self.scores, self.dead_letters) if self.dead_letters else (self.scores,)


@dataclass(frozen=True)
class RangeNote:
    """What a writer notes down of a finished range, for a run that is resumed."""

    summary: RangeSummary
    statistics: RunStatistics
