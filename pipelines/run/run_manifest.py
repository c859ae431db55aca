"""`manifest.json` of a run: what a committed run says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from saiten.model.bundle.reference import Reference
from saiten.model.counted import counted
from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.json_file import parse_json
from saiten.pipelines.run.layout import RUN_MANIFEST, WINDOWS_FOLDER, WORK_FOLDER
from saiten.pipelines.run.range_summary import Part, SourceCount
from saiten.pipelines.statistics.run_statistics import RunStatistics
from saiten.pipelines.verdict import Verdict

FORMAT_VERSION = 1
# A run's manifest is known by these: a bundle has a file of the same name, and other programs do.
_NEEDED = {"run_id", "settings", "counts", "inputs", "outputs"}
_OF_BUNDLE = {"bundle_id", "tokenizer", "invariance"}


@dataclass(frozen=True)
class RunCounts:
    """How a run's records came out; `duplicate_ids` of the scored and empty ones repeat an earlier one's id."""

    records: int = 0
    scored: int = 0
    empty: int = 0
    dead: int = 0
    duplicate_ids: int = 0


@dataclass(frozen=True)
class InputReport:
    """An input file as it was planned, and how its records came out."""

    source: str
    path: str = ""
    bytes: int = 0
    modified: str = ""
    records: int = 0
    scored: int = 0
    empty: int = 0
    dead: int = 0


@dataclass(frozen=True, kw_only=True)
class RunManifest:
    """What a committed run says of itself.

    What an older version did not write stays unset.

    Attributes:
        outputs_scored: Names of the model's outputs.
        settings: `RowSettings` as it was, by name.
        started: In UTC, as is `finished`.
        seconds: From one to the other.
        dead_letter_codes: How many dead letters of each code, the commonest first.
        outputs: Every part that counts.
        duplicate_ids_exact: The number of duplicate ids is no estimate.
        statistics: What was counted of the records.
        reference: The same of the bundle's training data, where that is known.
        verdict: Whether to rely on the scores.
    """

    format_version: int = FORMAT_VERSION
    run_id: str
    bundle_id: str = ""
    outputs_scored: tuple[str, ...] = ()
    engine: str = ""
    settings: dict[str, Any]
    max_dead_letter_rate: float = 0.0
    report_examples: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    started: str = ""
    finished: str = ""
    seconds: float = 0.0
    counts: RunCounts
    dead_letter_codes: dict[str, int] = field(default_factory=dict)
    inputs: tuple[InputReport, ...]
    outputs: tuple[Part, ...]
    duplicate_ids_exact: bool = True
    statistics: RunStatistics | None = None
    reference: Reference | None = None
    verdict: Verdict | None = None

    def part_paths(self, output: str, folder: str) -> list[str]:
        """Returns the paths of the parts in a folder that count: those that are named here, and no others."""
        return [storage.join(output, part.path) for part in self.outputs if part.path.startswith(f"{folder}/")]


class MisshapenManifestError(UsageError):
    """A run's manifest with a field of another type than this version reads.

    Attributes:
        problem: Which field, and what is wrong with it.
        fields: What the manifest says, for looking at.
    """

    def __init__(self, output: str, problem: str, fields: Mapping[str, Any]) -> None:
        super().__init__(f"{output} holds a {RUN_MANIFEST} of a run, but damaged: {problem}; give another directory.")
        self.problem = problem
        self.fields = fields


def committed_manifest(output: str) -> RunManifest:
    """Returns the manifest of the run that is committed in a directory.

    Raises:
        UsageError: There is none; see `read_run_manifest` too.
    """
    manifest = read_run_manifest(output)
    if manifest is None:
        raise UsageError(f"{output} holds no committed run: it has no {RUN_MANIFEST}{_in_its_place(output)}.")
    return manifest


def _in_its_place(output: str) -> str:
    """Returns what a directory holds where there is no committed run; ``""`` where that is nothing of Saiten's."""
    if storage.list_named(storage.join(output, WINDOWS_FOLDER), ""):
        return "; it is a stream's, whose windows saiten.read_scores reads"
    is_begun = storage.list_named(storage.join(output, WORK_FOLDER), "")
    return "; one was begun there: saiten score --resume finishes it" if is_begun else ""


def read_run_manifest(output: str) -> RunManifest | None:
    """Returns the manifest of the run that is committed in a directory, or None.

    Raises:
        MisshapenManifestError: It is a run's, but a field of it has another type.
        UsageError: What has that name there is no run's, such as a bundle's.
    """
    try:
        content = storage.read_bytes(storage.join(output, RUN_MANIFEST))
    except NotADirectoryError as error:
        raise UsageError(f"{output} is a file, and no run: give the directory that was the --output.") from error
    if content is None:
        return None
    try:
        found = parse_json(content)
    except ValueError as error:
        raise UsageError(
            f"{output} holds a {RUN_MANIFEST} that cannot be read as JSON: give another directory."
        ) from error
    if isinstance(found, dict) and found.keys() >= _OF_BUNDLE:
        raise UsageError(f"{output} is a bundle, and no run: give the --output of a saiten score.")
    if not isinstance(found, dict) or not found.keys() >= _NEEDED:
        raise UsageError(f"{output} holds a {RUN_MANIFEST} that is no run's: give another directory.")
    try:
        return msgspec.convert(found, RunManifest)
    except msgspec.ValidationError as error:
        raise MisshapenManifestError(output, str(error), found) from error


def counts_line(counts: RunCounts | InputReport | SourceCount, codes: Mapping[str, int]) -> str:
    """Returns the sum that shows that no record is lost.

    >>> counts_line(SourceCount(1200, 1190, 4, 6), {"BAD_UTF8": 5, "BAD_JSON": 1})
    '1,200 records = 1,190 scored + 4 empty + 6 dead letters (BAD_UTF8 5, BAD_JSON 1)'
    """
    of_each = ", ".join(f"{code} {count:,}" for code, count in codes.items())
    return f"{counted(counts.records, 'record')} = {parts_line(counts)}{f' ({of_each})' if of_each else ''}"


def parts_line(counts: RunCounts | InputReport | SourceCount) -> str:
    """Returns what became of the records.

    >>> parts_line(SourceCount(1200, 1190, 4, 6))
    '1,190 scored + 4 empty + 6 dead letters'
    """
    return f"{counts.scored:,} scored + {counts.empty:,} empty + {counted(counts.dead, 'dead letter')}"
