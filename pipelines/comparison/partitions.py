"""A run's ids, scores and labels cut by a hash of the id: rows of one id have partitions of one number."""

import pathlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from saiten.model.text.ragged import FloatArray
from saiten.pipelines.run.layout import SCORES_FOLDER
from saiten.pipelines.run.parquet_part import opened_part
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.statistics.repeated_ids import Hashes, hash_ids

# So many rows of each run are in memory at once; of runs of 250 million or more they become more.
_PARTITION_ROWS = 500_000
_MOST_PARTITIONS = 512
_BATCH_ROWS = 16_384
_HASH = "hash"
_LABEL = "label"


@dataclass(frozen=True)
class Partition:
    """Some of a run's rows, in the order of the run.

    Attributes:
        hashes: uint64 [n], of the ids.
        ids: Strings.
        scores: float32 [n, outputs]; NaN where the record has none.
        labels: Strings, null where the record has none; None where nobody asked for them.
    """

    hashes: Hashes
    ids: pa.Array
    scores: FloatArray
    labels: pa.Array | None


def count_partitions(*manifests: RunManifest) -> int:
    """Returns into how many partitions runs are best cut."""
    rows = max(manifest.counts.records for manifest in manifests)
    return min(_MOST_PARTITIONS, 1 + rows // _PARTITION_ROWS)


def has_labels(output: str, manifest: RunManifest) -> bool:
    """Tells whether a run names the most probable class of each record."""
    for path in manifest.part_paths(output, SCORES_FOLDER):
        with opened_part(path) as part:
            # A kept field may have the one name, but only labels have the other one beside it.
            return {_LABEL, f"{_LABEL}_score"} <= set(part.schema_arrow.names)
    return False


def partition_run(
    output: str,
    manifest: RunManifest,
    outputs: Sequence[str],
    folder: pathlib.Path,
    n_partitions: int,
    *,
    with_labels: bool,
) -> list[pathlib.Path]:
    """Writes a run's ids and scores into partitions below a folder; returns their files.

    Args:
        outputs: Whose scores are taken, in this order.
        with_labels: Their labels, too.
    """
    types = {"id": pa.string()} | {f"score_{name}": pa.float32() for name in outputs}
    if with_labels:
        types[_LABEL] = pa.string()
    columns = list(types)
    paths = [folder / f"{number:03}.arrow" for number in range(n_partitions)]
    schema = pa.schema([(_HASH, pa.uint64()), *types.items()])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_file(str(path), schema, options=options)) for path in paths]
        for batch in _read_batches(output, manifest, columns):
            hashes = hash_ids(batch.column("id").to_pylist())
            rows = pa.RecordBatch.from_arrays([pa.array(hashes), *map(batch.column, columns)], schema=schema)
            numbers = hashes % np.uint64(n_partitions)
            for number in np.unique(numbers).tolist():
                writers[number].write_batch(rows.filter(pa.array(numbers == number)))
    return paths


def read_partition(path: pathlib.Path) -> Partition:
    """Reads a partition whole."""
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all().combine_chunks()
    scores = [
        column.to_numpy()
        for name, column in zip(table.column_names, table.columns, strict=True)
        if name.startswith("score_")
    ]
    labels = table.column(_LABEL).combine_chunks() if _LABEL in table.column_names else None
    return Partition(
        table.column(_HASH).to_numpy(),
        table.column("id").combine_chunks(),
        np.column_stack(scores).astype(np.float32),
        labels,
    )


def _read_batches(output: str, manifest: RunManifest, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for path in manifest.part_paths(output, SCORES_FOLDER):
        with opened_part(path, columns) as part:
            yield from part.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False)
