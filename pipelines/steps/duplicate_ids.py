"""Ids that stand more than once in a run."""

from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq

from saiten.pipelines import storage
from saiten.pipelines.run.range_summary import Part

# An id may be as long as a record: so many are in memory at once.
_ID_ROWS = 1_024


def count_duplicate_ids(output: str, scores: Sequence[Part]) -> int:
    """Returns how many rows of the scores repeat an earlier one's id; takes 8 bytes of memory an id."""
    hashes = np.empty(sum(part.rows for part in scores), np.int64)
    n_read = 0
    for part in scores:
        with storage.open_read(storage.join(output, part.path)) as file:
            for batch in pq.ParquetFile(file).iter_batches(_ID_ROWS, columns=["id"]):
                hashes[n_read : n_read + batch.num_rows] = list(map(hash, batch.column(0).to_pylist()))
                n_read += batch.num_rows
    hashes.sort()
    return int(np.count_nonzero(hashes[1:] == hashes[:-1]))
