"""Records of one file, by column, on their way into blocks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from saiten.model.errors import RecordError
from saiten.pipelines.reading.field_values import id_of, make_converter, text_of
from saiten.pipelines.reading.formats import ReadOptions
from saiten.pipelines.reading.lines import BLOCK_RECORDS, CHUNK_BYTES, LongLine
from saiten.pipelines.records import MAX_RAW_BYTES, Code, DeadLetter, RecordBlock, SourceSpan

READ_STAGE = "read"


@dataclass(frozen=True)
class Rows:
    """Some records of one file; `texts` and the columns beside it have a row for each good one."""

    positions: Sequence[int]
    ids: Sequence[str]
    raws: Sequence[bytes]
    texts: Sequence[str]
    kept: tuple[pa.Array, ...]
    dead_letters: tuple[DeadLetter, ...]

    @property
    def n_records(self) -> int:
        """Good and bad ones together."""
        return len(self.texts) + len(self.dead_letters)

    def content_bytes(self) -> int:
        """Returns about how much memory the rows take."""
        return sum(map(len, self.raws)) + sum(int(column.nbytes) for column in self.kept)


def no_rows(options: ReadOptions) -> Rows:
    """Returns rows without a record, for a file that has none."""
    return RowCollector("", options).take()


class RowCollector:
    """Takes records one by one and sorts out those that cannot be scored.

    Args:
        source: The file's name in the output.
        options: Says which fields are kept and with what type.
    """

    def __init__(self, source: str, options: ReadOptions) -> None:
        self._source = source
        self._kinds = [field.type or pa.string() for field in options.kept]
        self._converters = [make_converter(field.type or pa.string(), field.name) for field in options.kept]
        self._clear()

    def _clear(self) -> None:
        self._positions: list[int] = []
        self._ids: list[str] = []
        self._raws: list[bytes] = []
        self._texts: list[str] = []
        self._kept: list[list[object]] = [[] for _ in self._kinds]
        self._dead_letters: list[DeadLetter] = []

    def add(self, position: int, raw: bytes, text: object, record_id: object, kept: Sequence[object]) -> None:
        """Takes a record as it was read; its text, id and kept fields may be anything that JSON has.

        Args:
            kept: One value for each kept field, None where it is missing.
        """
        known_id = None
        try:
            known_id = id_of(record_id)
            values = [convert(value) for convert, value in zip(self._converters, kept, strict=True)]
            self._texts.append(text_of(text))
        except RecordError as error:
            self.bury(position, raw, error.code, error.message, record_id=known_id)
            return
        self._positions.append(position)
        self._ids.append(self._default_id(position) if known_id is None else known_id)
        self._raws.append(raw)
        for column, value in zip(self._kept, values, strict=True):
            column.append(value)

    def add_texts(
        self,
        positions: Sequence[int],
        raws: Sequence[bytes],
        texts: Sequence[str],
        errors: Mapping[int, tuple[str, str]],
    ) -> None:
        """Takes records that have no fields, but for those that have an error, which it buries."""
        for i, (code, message) in errors.items():
            self.bury(positions[i], raws[i], code, message)
        if errors:
            good = [i for i in range(len(texts)) if i not in errors]
            positions, raws, texts = [positions[i] for i in good], [raws[i] for i in good], [texts[i] for i in good]
        self._positions.extend(positions)
        self._ids.extend([f"{self._source}:{position}" for position in positions])
        self._raws.extend(raws)
        self._texts.extend(texts)
        for column in self._kept:
            column.extend([None] * len(texts))

    def bury(
        self,
        position: int,
        raw: bytes,
        code: str,
        message: str,
        *,
        record_id: str | None = None,
        raw_bytes: int | None = None,
    ) -> None:
        """Takes a record that cannot be scored.

        Args:
            raw: The record, or as much of it as is known.
            record_id: None where it is not known.
            raw_bytes: The record's true length where `raw` is only a part of it.
        """
        known_id = self._default_id(position) if record_id is None else record_id
        n_bytes = len(raw) if raw_bytes is None else raw_bytes
        letter = DeadLetter(self._source, position, known_id, READ_STAGE, code, message, raw[:MAX_RAW_BYTES], n_bytes)
        self._dead_letters.append(letter)

    def bury_long(self, line: LongLine, max_bytes: int) -> None:
        """Takes a line that is longer than `max_bytes`."""
        message = f"The record has {line.n_bytes} bytes; at most {max_bytes} are read."
        self.bury(line.position, line.head, Code.TOO_LARGE, message, raw_bytes=line.n_bytes)

    def take(self) -> Rows:
        """Returns what was collected and begins anew."""
        kept = tuple(pa.array(column, kind) for column, kind in zip(self._kept, self._kinds, strict=True))
        rows = Rows(self._positions, self._ids, self._raws, self._texts, kept, tuple(self._dead_letters))
        self._clear()
        return rows

    def _default_id(self, position: int) -> str:
        return f"{self._source}:{position}"


class BlockBuilder:
    """Puts the rows of a range together into blocks.

    Args:
        range_index: The range.
    """

    def __init__(self, range_index: int) -> None:
        self._range_index = range_index
        self._clear()

    def _clear(self) -> None:
        self._pending: list[tuple[str, Rows]] = []
        self._n_read: Counter[str] = Counter()
        self._n_bytes = 0
        self._content_bytes = 0

    def add(self, source: str, rows: Rows, n_bytes: int) -> Iterator[RecordBlock]:
        """Takes rows; yields the block before them where both together would be too much.

        Args:
            n_bytes: Input bytes that `rows` stands for; a file without records has a call too.
        """
        n_pending, content_bytes = self._n_read.total(), rows.content_bytes()
        is_full = n_pending + rows.n_records > BLOCK_RECORDS or self._content_bytes + content_bytes > CHUNK_BYTES
        if n_pending and is_full:
            yield self.finish(is_last=False)
        self._pending.append((source, rows))
        self._n_read[source] += rows.n_records
        self._n_bytes += n_bytes
        self._content_bytes += content_bytes

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
            raw_records=list(chain.from_iterable(rows.raws for rows in parts)),
            texts=list(chain.from_iterable(rows.texts for rows in parts)),
            kept_fields=tuple(
                pa.concat_arrays(columns) for columns in zip(*(rows.kept for rows in parts), strict=True)
            ),
            dead_letters=tuple(chain.from_iterable(rows.dead_letters for rows in parts)),
            n_bytes=self._n_bytes,
        )
        self._clear()
        return block
