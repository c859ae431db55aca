"""Records of one file, by column, on their way into blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from saiten.model.errors import RecordError
from saiten.pipelines.reading.field_values import id_of, make_converter, text_of
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.records import MAX_RAW_BYTES, Code, DeadLetter

READ_STAGE = "read"

# What a block holds at most, and how much of a file is read at a time.
BLOCK_RECORDS = 2048
CHUNK_BYTES = 512 * 1024


@dataclass(frozen=True)
class Rows:
    """Some records of one file; `texts` and the columns beside it have a row for each good one."""

    positions: Sequence[int]
    ids: Sequence[str]
    raw_records: Sequence[bytes]
    texts: Sequence[str]
    kept_fields: tuple[pa.Array, ...]
    dead_letters: tuple[DeadLetter, ...]

    @property
    def n_records(self) -> int:
        """Good and bad ones together."""
        return len(self.texts) + len(self.dead_letters)

    @property
    def memory_bytes(self) -> int:
        """About how much memory the rows take, good and bad."""
        dead = sum(len(letter.raw or b"") for letter in self.dead_letters)
        return sum(map(len, self.raw_records)) + dead + sum(int(column.nbytes) for column in self.kept_fields)


def too_large(n_bytes: int, max_bytes: int) -> tuple[str, str]:
    """Returns code and message of a record that is longer than `max_bytes`."""
    return Code.TOO_LARGE, f"The record has {n_bytes} bytes; at most {max_bytes} are read."


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
        self._types = [field.type or pa.string() for field in options.kept_fields]
        self._converters = [make_converter(field.type or pa.string(), field.name) for field in options.kept_fields]
        self._clear()

    def _clear(self) -> None:
        self._positions: list[int] = []
        self._ids: list[str] = []
        self._raw_records: list[bytes] = []
        self._texts: list[str] = []
        self._columns: list[list[object]] = [[] for _ in self._types]
        self._dead_letters: list[DeadLetter] = []

    def add(
        self,
        position: int,
        raw: bytes,
        text: object,
        record_id: object,
        kept_fields: Sequence[object],
        n_lines: int = 1,
    ) -> None:
        """Takes a record as it was read; its text, id and kept fields may be anything that JSON has.

        Args:
            kept_fields: One value for each, None where it is missing.
            n_lines: How many lines of the file it takes.
        """
        known_id = None
        try:
            known_id = id_of(record_id)
            converted = [convert(value) for convert, value in zip(self._converters, kept_fields, strict=True)]
            self._texts.append(text_of(text))
        except RecordError as error:
            self.add_dead_letter(position, raw, error.code, error.message, record_id=known_id, n_lines=n_lines)
            return
        self._positions.append(position)
        self._ids.append(self._default_id(position) if known_id is None else known_id)
        self._raw_records.append(raw)
        for column, value in zip(self._columns, converted, strict=True):
            column.append(value)

    def add_texts(
        self,
        positions: Sequence[int],
        raws: Sequence[bytes],
        texts: Sequence[str],
        errors: Mapping[int, tuple[str, str]],
    ) -> None:
        """Takes records that have no fields, but for those that have an error: these become dead letters."""
        for i, (code, message) in errors.items():
            self.add_dead_letter(positions[i], raws[i], code, message)
        if errors:
            good = [i for i in range(len(texts)) if i not in errors]
            positions, raws, texts = [positions[i] for i in good], [raws[i] for i in good], [texts[i] for i in good]
        self._positions.extend(positions)
        self._ids.extend([f"{self._source}:{position}" for position in positions])
        self._raw_records.extend(raws)
        self._texts.extend(texts)
        for column in self._columns:
            column.extend([None] * len(texts))

    def add_dead_letter(
        self,
        position: int,
        raw: bytes,
        code: str,
        message: str,
        *,
        record_id: str | None = None,
        raw_bytes: int | None = None,
        n_lines: int = 1,
    ) -> None:
        """Takes a record that cannot be scored.

        Args:
            raw: The record, or as much of it as is known.
            record_id: None where it is not known.
            raw_bytes: The record's true length where `raw` is only a part of it.
            n_lines: How many lines of the file it takes.
        """
        known_id = self._default_id(position) if record_id is None else record_id
        n_bytes = len(raw) if raw_bytes is None else raw_bytes
        head = raw[:MAX_RAW_BYTES]
        self._dead_letters.append(
            DeadLetter(self._source, position, known_id, READ_STAGE, code, message, head, n_bytes, n_lines)
        )

    def add_too_large(self, position: int, head: bytes, n_bytes: int, max_bytes: int) -> None:
        """Takes a record of which only the first bytes are known, because it has more than `max_bytes`."""
        self.add_dead_letter(position, head, *too_large(n_bytes, max_bytes), raw_bytes=n_bytes)

    def take(self) -> Rows:
        """Returns what was collected and begins anew."""
        columns = tuple(pa.array(column, type_) for column, type_ in zip(self._columns, self._types, strict=True))
        rows = Rows(self._positions, self._ids, self._raw_records, self._texts, columns, tuple(self._dead_letters))
        self._clear()
        return rows

    def _default_id(self, position: int) -> str:
        return f"{self._source}:{position}"
