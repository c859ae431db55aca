"""Rows of files to blocks: some hundreds of records of one range."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from saiten.pipelines.reading.rows import BLOCK_RECORDS, CHUNK_BYTES, Rows
from saiten.pipelines.records import RecordBlock, SourceSpan


class BlockBuilder:
    """Puts the rows of a range together into blocks.

    Args:
        range_index: The range.
        block_bytes: Of input, about, in a block.
    """

    def __init__(self, range_index: int, block_bytes: int = CHUNK_BYTES) -> None:
        self._range_index, self._block_bytes = range_index, block_bytes
        self._clear()

    def _clear(self) -> None:
        self._pending: list[tuple[str, Rows]] = []
        self._n_read: Counter[str] = Counter()
        self._n_bytes = 0
        self._memory_bytes = 0

    def add(self, source: str, rows: Rows, n_bytes: int) -> Iterator[RecordBlock]:
        """Takes rows; yields the block before them where both together would be too much.

        Args:
            n_bytes: Input bytes that `rows` stands for; a file without records has a call too.
        """
        n_pending, memory_bytes = self._n_read.total(), rows.memory_bytes
        is_full = n_pending + rows.n_records > BLOCK_RECORDS or self._memory_bytes + memory_bytes > self._block_bytes
        if n_pending and is_full:
            yield self.finish(is_last=False)
        self._pending.append((source, rows))
        self._n_read[source] += rows.n_records
        self._n_bytes += n_bytes
        self._memory_bytes += memory_bytes

    def finish(self, *, is_last: bool) -> RecordBlock:
        """Returns the block of all rows since the last one."""
        parts = [rows for _, rows in self._pending]
        n_rows = Counter[str]()
        for source, rows in self._pending:
            n_rows[source] += len(rows.texts)
        block = RecordBlock(
            range_index=self._range_index,
            is_last=is_last,
            spans=tuple(SourceSpan(source, n_read, n_rows[source]) for source, n_read in self._n_read.items()),
            positions=list(chain.from_iterable(rows.positions for rows in parts)),
            ids=list(chain.from_iterable(rows.ids for rows in parts)),
            raw_records=list(chain.from_iterable(rows.raw_records for rows in parts)),
            texts=list(chain.from_iterable(rows.texts for rows in parts)),
            kept_fields=tuple(
                pa.concat_arrays(columns) for columns in zip(*(rows.kept_fields for rows in parts), strict=True)
            ),
            dead_letters=tuple(chain.from_iterable(rows.dead_letters for rows in parts)),
            n_bytes=self._n_bytes,
        )
        self._clear()
        return block
