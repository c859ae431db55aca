"""What is known of a run before its pipeline starts, and where its files lie.

DIR/scores/part-<run>-<range>.parquet
DIR/dead_letters/part-<run>-<range>.parquet
DIR/manifest.json, report.html, _SUCCESS     appear at the end
DIR/_work/lock                         held while a local run writes here
DIR/_work/<run>/plan.json              what the run set out to do
DIR/_work/<run>/scores-<range>.json    a range whose scores are written; dead_letters-... likewise
DIR/_work/<run>/progress-<...>.json    how far a worker has come
DIR/_work/<run>/failure-<...>.json     why a worker stopped
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from saiten.pipelines import storage
from saiten.pipelines.run.failures import FailureReports
from saiten.pipelines.run.schema import DEAD_LETTER_SCHEMA, SCHEMA_VERSION, scores_schema

WORK_FOLDER = "_work"
LOCK = "lock"
SCORES_FOLDER = "scores"
DEAD_LETTERS_FOLDER = "dead_letters"
MANIFEST = "manifest.json"
REPORT = "report.html"
SUCCESS = "_SUCCESS"
# A pattern: the time, then chance.
RUN_ID = r"\d{8}T\d{6}Z-[0-9a-f]{8}"


@dataclass(frozen=True)
class Run:
    """One run's name, place and columns; travels with the steps.

    Attributes:
        run_id: Begins with the time, so that names sort by age.
        output: The output directory.
        bundle_id: Of the bundle that scores.
        outputs: Names of the model's outputs.
        kept: Names and types of the kept fields.
        keep_raw: Dead letters hold the record's bytes.
    """

    run_id: str
    output: str
    bundle_id: str
    outputs: tuple[str, ...]
    kept: tuple[pa.Field, ...]
    keep_raw: bool

    @property
    def work_folder(self) -> str:
        """Where the run's notes to itself lie until it is committed."""
        return storage.join(self.output, WORK_FOLDER, self.run_id)

    @property
    def reports(self) -> FailureReports:
        """Where its workers say why they stopped."""
        return FailureReports(self.work_folder)

    @property
    def scores_schema(self) -> pa.Schema:
        """The scores' columns, with the bundle and the run in the file metadata."""
        return scores_schema(self.outputs, self.kept).with_metadata(self._metadata)

    @property
    def dead_letters_schema(self) -> pa.Schema:
        """The dead letters' columns, with the same metadata."""
        return DEAD_LETTER_SCHEMA.with_metadata(self._metadata)

    @property
    def _metadata(self) -> dict[str, str]:
        return {
            "saiten.bundle_id": self.bundle_id,
            "saiten.run_id": self.run_id,
            "saiten.schema_version": SCHEMA_VERSION,
        }

    def part_name(self, folder: str, range_index: int) -> str:
        """Returns the path below the output directory of a range's part, the same for every attempt."""
        return f"{folder}/part-{self.run_id}-{range_index:05d}.parquet"

    def range_note(self, folder: str, range_index: int) -> str:
        """Returns the path of the note that a writer has finished a range."""
        return storage.join(self.work_folder, f"{folder}-{range_index:05d}.json")


@dataclass(frozen=True)
class Part:
    """A finished Parquet file.

    Attributes:
        path: Below the output directory.
        rows: How many it holds.
        n_bytes: Its size.
        sha256: Of its content.
    """

    path: str
    rows: int
    n_bytes: int
    sha256: str


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
    def adds_up(self) -> bool:
        """Whether every record is accounted for, once."""
        return self.records == self.scored + self.empty + self.dead


@dataclass(frozen=True)
class RangeSummary:
    """What one writer made of a finished range: small enough to cross from worker to launcher.

    Attributes:
        folder: `SCORES_FOLDER` or `DEAD_LETTERS_FOLDER`, whose writer says so.
        counts: By source. The scores' writer counts records, scored and empty; the dead
            letters' writer counts dead: their sum adds up only if neither lost one.
        part: The file, or None where there was nothing to write.
        codes: How many dead letters of each code.
        examples: One ``source:position`` of each code.
    """

    range_index: int
    folder: str
    counts: dict[str, SourceCount]
    part: Part | None
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "RangeSummary":
        """Reads what `dataclasses.asdict` made."""
        counts = {source: SourceCount(**count) for source, count in content["counts"].items()}
        part = Part(**content["part"]) if content["part"] else None
        return cls(**{**content, "counts": counts, "part": part})
