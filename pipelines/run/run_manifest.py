"""What a committed run says of itself."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.layout import MANIFEST, SCORES_FOLDER, Run
from saiten.pipelines.run.range_summary import Part, SourceCount

FORMAT_VERSION = 1
# A run's manifest is known by these: a bundle has a file of the same name, and other programs do.
_KEYS = {"run_id", "settings", "counts", "inputs", "outputs"}

# An id may be as long as a record: so many are in memory at once.
_ID_ROWS = 1_024


@dataclass(frozen=True)
class CommitPlan:
    """What the run must have become.

    Attributes:
        run: Its name and place.
        n_ranges: How many ranges were planned.
        inputs: Path, size and modification time of each source.
        max_dead_letter_rate: Above it nothing is committed.
        counts_duplicates: Ids come from a field, so they may repeat.
        started: Seconds since the epoch.
        about: Options, versions and engine, for the manifest.
    """

    run: Run
    n_ranges: int
    inputs: dict[str, dict[str, Any]]
    max_dead_letter_rate: float
    counts_duplicates: bool
    started: float
    about: dict[str, Any]


def make_manifest(
    plan: CommitPlan, counts: dict[str, SourceCount], codes: Counter[str], parts: Sequence[Part]
) -> dict[str, Any]:
    """Returns the manifest of a run that came out as planned.

    Args:
        counts: By source.
        codes: How many dead letters of each code.
        parts: Every file that counts.
    """
    total = sum(counts.values(), SourceCount())
    finished = time.time()
    return {
        "format_version": FORMAT_VERSION,
        "run_id": plan.run.run_id,
        "bundle_id": plan.run.bundle_id,
        "outputs_scored": list(plan.run.outputs),
        **plan.about,
        "started": _utc(plan.started),
        "finished": _utc(finished),
        "seconds": round(finished - plan.started, 3),
        "counts": asdict(total) | {"duplicate_ids": _duplicate_ids(plan, parts)},
        "dead_letter_codes": dict(codes.most_common()),
        "inputs": [{"source": source, **plan.inputs[source], **asdict(counts[source])} for source in plan.inputs],
        "outputs": [
            {"path": part.path, "rows": part.rows, "bytes": part.n_bytes, "sha256": part.sha256} for part in parts
        ],
    }


def read_manifest(output: str) -> dict[str, Any] | None:
    """Returns the manifest of the run that is committed in a directory, or None.

    Raises:
        UsageError: What has that name there is no run's, such as a bundle's.
    """
    content = storage.read_bytes(storage.join(output, MANIFEST))
    if content is None:
        return None
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{output} holds a {MANIFEST} that cannot be read as JSON: give another directory.") from error
    if not isinstance(manifest, dict) or not manifest.keys() >= _KEYS:
        raise UsageError(f"{output} holds a {MANIFEST} that is no run's: give another directory.")
    return manifest


def part_paths(output: str, manifest: Mapping[str, Any], folder: str) -> list[str]:
    """Returns the paths of the parts in a folder that count: those that the manifest names, and no others."""
    return [storage.join(output, part["path"]) for part in manifest["outputs"] if part["path"].startswith(f"{folder}/")]


def _duplicate_ids(plan: CommitPlan, parts: Sequence[Part]) -> int:
    """How many scored or empty records repeat an earlier one's id; 8 bytes of memory an id."""
    if not plan.counts_duplicates:
        return 0
    scores = [part for part in parts if part.path.startswith(SCORES_FOLDER)]
    hashes = np.empty(sum(part.rows for part in scores), np.int64)
    n_read = 0
    for part in scores:
        with storage.open_read(storage.join(plan.run.output, part.path)) as file:
            for batch in pq.ParquetFile(file).iter_batches(_ID_ROWS, columns=["id"]):
                hashes[n_read : n_read + batch.num_rows] = list(map(hash, batch.column(0).to_pylist()))
                n_read += batch.num_rows
    hashes.sort()
    return int(np.count_nonzero(hashes[1:] == hashes[:-1]))


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
