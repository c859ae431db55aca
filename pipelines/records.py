"""What flows between the steps: ranges of work, blocks of records, dead letters.

A block travels whole, and carries its dead letters along: at every step

    records read = rows of the block + its dead letters

which `Block.check_counts` enforces, so that no step can lose a record unseen.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pyarrow as pa

from saiten.model.errors import CountMismatchError
from saiten.model.text.encoder import EncodedTexts
from saiten.model.text.ragged import BoolArray, FloatArray, IntArray
from saiten.pipelines.segmentation import Segmentation
from saiten.pipelines.stage_secs import StageSecs

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
    LATE = "LATE"


@dataclass(frozen=True)
class FileSlice:
    """A part of one input file.

    Attributes:
        path, source: Where it lies, and its name in the output: the path below the folder that all inputs share.
        start: First byte, packed if the file is compressed; first row of a Parquet file.
        end: One behind the last byte or row.
        first_row: Row number of the slice's first row (CSV, TSV).
        size, modified: The file's, in bytes and as the file system tells it, when the work was planned.
        format, compression: Their names; None where the file is not compressed.
        codec, line_end: Python's name for its encoding, and a carriage return where there is no line feed.
    """

    path: str
    source: str
    start: int
    end: int
    first_row: int
    size: int
    modified: str
    format: str = "text"
    compression: str | None = None
    codec: str = "utf-8"
    line_end: str = "\n"


@dataclass(frozen=True)
class WorkRange:
    """The unit of writing and resuming: its rows end in parts of their own."""

    index: int
    slices: tuple[FileSlice, ...]


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be scored.

    Attributes:
        stage: ``read``, ``encode``, ``infer``, or ``window``.
        message: What is wrong, without any of the record's text.
        raw, raw_bytes: Its first bytes, at most `MAX_RAW_BYTES`, or None; how long it was.
        n_lines: How many lines it took: so often it counts in the share of dead letters.
    """

    source: str
    position: int
    id: str
    stage: str
    code: str
    message: str
    raw: bytes | None
    raw_bytes: int
    n_lines: int = 1


@dataclass(frozen=True)
class SourceSpan:
    """Records of a block that follow each other and are of one file.

    Attributes:
        source: The file's name in the output.
        n_read, n_rows: How many were read, and are rows of the block; the others are among its dead letters.
    """

    source: str
    n_read: int
    n_rows: int


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some hundreds of records of one range, by column, in the order of the input: what every step needs of them.

    Attributes:
        range_index, is_last: Which range they are of, and whether no block of it follows.
        spans: The files they are of, each once; a file without records may be among them.
        positions: Offset of each record's first byte in the uncompressed file, or its row number.
        ids: Each record's id, or ``source:position``.
        kept_fields: The kept fields, one array each, with a value for each row.
        dead_letters: The block's records that left it on the way.
        n_bytes: Input bytes this block stands for, for progress.
        stage_secs, segmentation: How long it took so far, and who found the words of its texts.
    """

    range_index: int
    is_last: bool
    spans: tuple[SourceSpan, ...]
    positions: Sequence[int]
    ids: Sequence[str]
    kept_fields: tuple[pa.Array, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    n_bytes: int = 0
    stage_secs: StageSecs = field(default_factory=StageSecs)
    segmentation: Segmentation = field(default_factory=Segmentation)

    @property
    def n_read(self) -> int:
        """How many records were read into this block, good or bad."""
        return sum(span.n_read for span in self.spans)

    @property
    def sources(self) -> list[str]:
        """The source of each row."""
        return [source for span in self.spans for source in [span.source] * span.n_rows]

    def check_counts(self) -> None:
        """Raises `CountMismatchError` where a record of the block is neither row nor dead letter, or is both."""
        dead = Counter(letter.source for letter in self.dead_letters)
        lost = [span for span in self.spans if span.n_read != span.n_rows + dead.pop(span.source, 0)]
        n_rows = sum(span.n_rows for span in self.spans)
        if lost or dead or not n_rows == len(self.ids) == len(self.positions):
            n_left = len(self.positions) + len(self.dead_letters)
            raise CountMismatchError(f"Range {self.range_index}: {self.n_read} records read, {n_left} still there.")


@dataclass(frozen=True, kw_only=True)
class RecordBlock(Block):
    """A block of texts.

    Attributes:
        texts: What is to be scored, one for each row.
        raw_records: Each row as it was read: a record that dies on the way takes it along.
    """

    texts: Sequence[str]
    raw_records: Sequence[bytes]

    def move_to_dead_letters(self, failures: Mapping[int, tuple[str, str]], stage: str) -> "RecordBlock":
        """Returns the block with the failed records moved to its dead letters.

        Args:
            failures: Code and message by row.
            stage: Where they failed.
        """
        if not failures:
            return self
        sources, raws = self.sources, self.raw_records
        dead = []
        for i, (code, message) in sorted(failures.items()):
            where = (sources[i], self.positions[i], self.ids[i])
            dead.append(DeadLetter(*where, stage, code, message, raws[i][:MAX_RAW_BYTES], len(raws[i])))
        alive = [i for i in range(len(self.texts)) if i not in failures]
        return dataclasses.replace(self._with_rows(alive), dead_letters=(*self.dead_letters, *dead))

    def first_records(self, count: int) -> "RecordBlock":
        """Returns the block cut to `count` records: its first rows, and dead letters if it has too few of those."""
        block = self._with_rows(range(min(count, len(self.texts))))
        letters = self.dead_letters[: count - len(block.texts)]
        dead = Counter(letter.source for letter in letters)
        spans = (dataclasses.replace(span, n_read=span.n_rows + dead[span.source]) for span in block.spans)
        return dataclasses.replace(block, dead_letters=letters, spans=tuple(spans))

    def _with_rows(self, rows: Sequence[int]) -> "RecordBlock":
        ends = np.cumsum([span.n_rows for span in self.spans])
        n_rows = np.bincount(np.searchsorted(ends, rows, "right"), minlength=len(ends)).tolist()
        return dataclasses.replace(
            self,
            spans=tuple(dataclasses.replace(span, n_rows=n) for span, n in zip(self.spans, n_rows, strict=True)),
            positions=[self.positions[i] for i in rows],
            ids=[self.ids[i] for i in rows],
            texts=[self.texts[i] for i in rows],
            raw_records=[self.raw_records[i] for i in rows],
            kept_fields=tuple(column.take(pa.array(rows, pa.int64())) for column in self.kept_fields),
        )


@dataclass(frozen=True)
class EncodedBlock:
    """A block whose texts have become ids; `encoded` has a row for each of `block`.

    RunInference calls it a batch, and asks for its length. `oov_words` says in how many texts each OOV word stands.
    """

    block: RecordBlock
    encoded: EncodedTexts
    oov_words: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.block.texts)


@dataclass(frozen=True, kw_only=True)
class ScoredBlock(Block):
    """A block with its scores, and without the texts; every row is scored or empty.

    Attributes:
        scores: float32 [n, outputs], finite; rows of empty texts are 0 and mean nothing.
        is_empty: bool [n], no token was left to score.
        n_tokens: int32 [n], before truncation.
        n_oov: int32 [n].
        truncated: bool [n].
        raw_bytes: How long the rows were as they were read, all together.
        oov_words: In how many of its texts each OOV word stands.
    """

    scores: FloatArray
    is_empty: BoolArray
    n_tokens: IntArray
    n_oov: IntArray
    truncated: BoolArray
    raw_bytes: int
    oov_words: Mapping[str, int] = field(default_factory=dict)
