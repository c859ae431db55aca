"""What is known of a run before its pipeline starts, and where its files lie.

DIR/scores/part-<run>-<range>-<attempt>.parquet
DIR/dead_letters/part-<run>-<range>-<attempt>.parquet
DIR/manifest.json, report.html, _SUCCESS     appear at the end
DIR/_work/lock                         held by the launcher, on a disk
DIR/_work/owner.json                   whose job may write here; on an object store its launcher renews it
DIR/_work/deciding                     locked while somebody claims, gives up or commits, on a disk
DIR/_work/<run>/plan.json              what the run set out to do
DIR/_work/<run>/job.json               where it runs, if that is elsewhere
DIR/_work/<run>/decided-<token>.json   whether its job commits or is given up, on an object store
DIR/_work/<run>/range-<range>.json     a range that is finished, and its parts
DIR/_work/<run>/progress-<...>.json    how far a worker has come
DIR/_work/<run>/failure-<...>.json     why a worker stopped
"""

from dataclasses import dataclass, field

import pyarrow as pa

from saiten.pipelines import storage
from saiten.pipelines.run.notes.failures import FailureReports
from saiten.pipelines.run.schema import DEAD_LETTER_SCHEMA, SCHEMA_VERSION, scores_schema
from saiten.pipelines.statistics.run_statistics import StatisticsPlan

WORK_FOLDER = "_work"
LOCK = "lock"
OWNER = "owner.json"
DECIDING = "deciding"
DECIDED = "decided-"
RANGE_NOTE = "range-"
SCORES_FOLDER = "scores"
DEAD_LETTERS_FOLDER = "dead_letters"
WINDOWS_FOLDER = "windows"
RUN_MANIFEST = "manifest.json"
REPORT = "report.html"
SUCCESS = "_SUCCESS"
# Patterns. A run's is the time, then chance.
RUN_ID = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
PART_NAME = rf"part-{RUN_ID}-\d{{5,}}(-[0-9a-f]{{8}})?\.parquet"  # before attempts had names, parts had none of it


@dataclass(frozen=True)
class Run:
    """One run's name, place and columns; travels with the steps.

    Attributes:
        run_id: Begins with the time, so that names sort by age.
        output: The output directory.
        bundle_id: Of the bundle that scores.
        outputs: Names of the model's outputs.
        kept_fields: Their names and types.
        keep_raw: Dead letters hold the record's bytes.
        token: Shows that its job is the output directory's owner's.
        n_labels: So many of the highest outputs are named in each row.
        statistics: What is counted of its records.
    """

    run_id: str
    output: str
    bundle_id: str
    outputs: tuple[str, ...]
    kept_fields: tuple[pa.Field, ...]
    keep_raw: bool
    token: str
    n_labels: int = 0
    statistics: StatisticsPlan = field(default_factory=StatisticsPlan)

    @property
    def work_folder(self) -> str:
        """Where the run's notes to itself lie until it is committed."""
        return work_folder(self.output, self.run_id)

    @property
    def reports(self) -> FailureReports:
        """Where its workers say why they stopped."""
        return FailureReports(self.work_folder)

    @property
    def scores_schema(self) -> pa.Schema:
        """The scores' columns, with the bundle and the run in the file metadata."""
        return scores_schema(self.outputs, self.kept_fields, self.n_labels).with_metadata(self._metadata)

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

    def part_name(self, folder: str, range_index: int, attempt: str) -> str:
        """Returns the path below the output directory of what an attempt at a range writes there."""
        return f"{folder}/part-{self.run_id}-{range_index:05d}-{attempt}.parquet"

    def range_note(self, range_index: int) -> str:
        """Returns the path of the note that a range is finished."""
        return storage.join(self.work_folder, f"{RANGE_NOTE}{range_index:05d}.json")


def work_folder(output: str, run_id: str) -> str:
    """Returns where a run's notes to itself lie until it is committed."""
    return storage.join(output, WORK_FOLDER, run_id)
