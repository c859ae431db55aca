"""What flows between the steps: ranges of work, blocks of records, dead letters.

A block travels whole, and carries its dead letters along: at every step

    records read = texts still in the block + its dead letters

which `RecordBlock.check` enforces, so that no step can lose a record unseen.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from saiten.model.errors import CountMismatchError
from saiten.model.text.encoder import EncodedTexts
from saiten.model.text.ragged import BoolArray, FloatArray, IntArray

MAX_RAW_BYTES = 64 * 1024


class Code(StrEnum):
    """Why a record could not be scored."""

    BAD_UTF8 = "BAD_UTF8"
    BAD_UNICODE = "BAD_UNICODE"
    BAD_JSON = "BAD_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    BAD_CSV_ROW = "BAD_CSV_ROW"
    BAD_FIELD = "BAD_FIELD"
    TEXT_MISSING = "TEXT_MISSING"
    TEXT_NOT_STRING = "TEXT_NOT_STRING"
    TOO_LARGE = "TOO_LARGE"
    TOKENIZER_ERROR = "TOKENIZER_ERROR"
    NOT_FINITE = "NOT_FINITE"
    MODEL_ERROR = "MODEL_ERROR"


@dataclass(frozen=True)
class FileSlice:
    """A part of one input file.

    Attributes:
        path: Where it lies.
        source: Its name in the output: the path below the deepest folder that all inputs share.
        start: First byte (text, JSONL) or row group (Parquet); 0 for a file that stays whole.
        end: One behind the last byte or row group; the file's size where it stays whole.
        first_row: Row number of the slice's first row (Parquet only).
        size: The file's size in bytes when the work was planned.
        modified: Its time of change when the work was planned, as the file system tells it.
    """

    path: str
    source: str
    start: int
    end: int
    first_row: int
    size: int
    modified: str


@dataclass(frozen=True)
class WorkRange:
    """The unit of writing and resuming: its rows end in parts of their own."""

    index: int
    slices: tuple[FileSlice, ...]


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be scored.

    Attributes:
        stage: ``read``, ``encode`` or ``infer``.
        message: What is wrong, without any of the record's text.
        raw: The record's first bytes, at most `MAX_RAW_BYTES`; None where they are not kept.
        raw_bytes: How long the record was.
    """

    source: str
    position: int
    id: str
    stage: str
    code: str
    message: str
    raw: bytes | None
    raw_bytes: int


@dataclass(frozen=True)
class RecordBlock:
    """Some hundreds of records of one range, by column, in the order of the input.

    Attributes:
        range_index: Which range they are of.
        is_last: No block of this range follows.
        n_read: How many records of each source were read into this block, good or bad.
        sources: The source of each text.
        positions: Offset of each record's first byte in the uncompressed file, or its row number.
        ids: Each record's id, or ``source:position``.
        raws: Each record as it was read.
        texts: What is to be scored.
        kept: The kept fields, one array each, as long as `texts`.
        dead_letters: The block's records that left it on the way.
        n_bytes: Input bytes this block stands for, for progress.
    """

    range_index: int
    is_last: bool
    n_read: Mapping[str, int]
    sources: Sequence[str]
    positions: Sequence[int]
    ids: Sequence[str]
    raws: Sequence[bytes]
    texts: Sequence[str]
    kept: tuple[pa.Array, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    n_bytes: int = 0

    def bury(self, failures: Mapping[int, tuple[str, str]], stage: str) -> "RecordBlock":
        """Returns the block with the failed records moved to its dead letters.

        Args:
            failures: Code and message by position in the block.
            stage: Where they failed.
        """
        if not failures:
            return self
        dead = [
            DeadLetter(
                self.sources[i],
                self.positions[i],
                self.ids[i],
                stage,
                code,
                message,
                self.raws[i][:MAX_RAW_BYTES],
                len(self.raws[i]),
            )
            for i, (code, message) in sorted(failures.items())
        ]
        alive = [i for i in range(len(self.texts)) if i not in failures]
        return dataclasses.replace(self._take(alive), dead_letters=(*self.dead_letters, *dead))

    def head(self, count: int) -> "RecordBlock":
        """Returns the block cut to `count` records: its first texts, and dead letters if it has too few of those."""
        block = self._take(range(min(count, len(self.texts))))
        letters = self.dead_letters[: count - len(block.texts)]
        n_read = Counter(block.sources) + Counter(letter.source for letter in letters)
        return dataclasses.replace(block, dead_letters=letters, n_read=n_read)

    def _take(self, rows: Sequence[int]) -> "RecordBlock":
        return dataclasses.replace(
            self,
            sources=[self.sources[i] for i in rows],
            positions=[self.positions[i] for i in rows],
            ids=[self.ids[i] for i in rows],
            raws=[self.raws[i] for i in rows],
            texts=[self.texts[i] for i in rows],
            kept=tuple(column.take(pa.array(rows, pa.int64())) for column in self.kept),
        )

    def check(self) -> None:
        """Raises `CountMismatchError` where a record of the block is neither text nor dead letter."""
        there = Counter(self.sources) + Counter(letter.source for letter in self.dead_letters)
        read = Counter({source: count for source, count in self.n_read.items() if count})
        if there != read or not len(self.texts) == len(self.ids) == len(self.positions) == len(self.raws):
            raise CountMismatchError(
                f"Range {self.range_index}: {sum(read.values())} records read, {sum(there.values())} still there."
            )


@dataclass(frozen=True)
class EncodedBlock:
    """A block whose texts have become ids; `encoded` has a row for each of `block.texts`.

    It is what RunInference calls a batch, so it has a length: its number of texts.
    """

    block: RecordBlock
    encoded: EncodedTexts

    def __len__(self) -> int:
        return len(self.block.texts)


@dataclass(frozen=True)
class ScoredBlock:
    """A block with its scores; every array has a row for each of `block.texts`.

    Attributes:
        block: The records that are scored or empty.
        scores: float32 [n, outputs], finite; rows of empty texts are 0 and mean nothing.
        is_empty: bool [n], no token was left to score.
        n_tokens: int32 [n], before truncation.
        n_oov: int32 [n].
        truncated: bool [n].
    """

    block: RecordBlock
    scores: FloatArray
    is_empty: BoolArray
    n_tokens: IntArray
    n_oov: IntArray
    truncated: BoolArray
