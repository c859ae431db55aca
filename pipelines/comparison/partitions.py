"""A run's ids and scores cut by a hash of the id: rows of one id, of either run, are in partitions of one number."""

import pathlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from saiten.model.text.ragged import FloatArray
from saiten.pipelines import storage
from saiten.pipelines.run.layout import SCORES_FOLDER
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.statistics.repeated_ids import Hashes, hash_ids

# So many rows of each run are in memory at once; of runs of 250 million or more they become more.
_PARTITION_ROWS = 500_000
_MOST_PARTITIONS = 512
_BATCH_ROWS = 16_384
_HASH = "hash"


@dataclass(frozen=True)
class Partition:
    """Some of a run's rows, in the order of the run.

    Attributes:
        hashes: uint64 [n], of the ids.
        ids: Strings.
        scores: float32 [n, outputs]; NaN where the record has none.
    """

    hashes: Hashes
    ids: pa.Array
    scores: FloatArray


def count_partitions(*manifests: RunManifest) -> int:
    """Returns into how many partitions runs are best cut."""
    rows = max(manifest.counts.records for manifest in manifests)
    return min(_MOST_PARTITIONS, 1 + rows // _PARTITION_ROWS)


def partition_run(
    output: str, manifest: RunManifest, outputs: Sequence[str], folder: pathlib.Path, n_partitions: int
) -> list[pathlib.Path]:
    """Writes a run's ids and scores into partitions below a folder; returns their files.

    Args:
        outputs: Whose scores are taken, in this order.
    """
    columns = ["id", *(f"score_{name}" for name in outputs)]
    paths = [folder / f"{number:03}.arrow" for number in range(n_partitions)]
    schema = pa.schema([(_HASH, pa.uint64()), ("id", pa.string()), *((name, pa.float32()) for name in columns[1:])])
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
    columns = [table.column(i).to_numpy() for i in range(2, table.num_columns)]
    scores = np.column_stack(columns).astype(np.float32) if columns else np.zeros((table.num_rows, 0), np.float32)
    return Partition(table.column(_HASH).to_numpy(), table.column("id").combine_chunks(), scores)


def _read_batches(output: str, manifest: RunManifest, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for path in manifest.part_paths(output, SCORES_FOLDER):
        with storage.open_read(path) as file:
            yield from pq.ParquetFile(file).iter_batches(_BATCH_ROWS, columns=list(columns))
