"""Labelled text of any size: segmented once, then read from disk as often as it is needed.

A corpus in its folder:

    segmented.txt   a text a line, one space between tokens
    keys.u64        uint64 [n], a seeded hash of each text, which decides what is held out
    labels.f64      float64 [n, columns]
    token_ids.i32   int32 [total], once the vocabulary is known

Only offsets and labels are held in memory.
"""

import hashlib
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from saiten.model.errors import RecordError, UsageError
from saiten.model.text.encoder import Encoder, text_blocks
from saiten.model.text.ragged import BoolArray, DoubleArray, FloatArray, Int64Array, IntArray, gather, offsets_of
from saiten.model.text.segmented import tokens_of
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.training.held_out import Keys, Split
from saiten.model.training.targets import Label, LabelReader
from saiten.model.training.watcher import TrainingWatcher

LabelledText = tuple[str, Label]

# Texts kept as they are, for the bundle's golden records.
_MAX_SAMPLES = 256
_MAX_SAMPLE_CHARS = 20_000


@dataclass(frozen=True)
class SegmentedCorpus:
    """Segmented texts on disk.

    Attributes:
        path: ``segmented.txt``.
        labels: float64 [n, columns], as the `LabelReader` gave them.
        keys: uint64 [n], a seeded hash of each text.
        n_records: How many of them, from the first on, are not of the validation input.
        skipped: How many texts were left out, by reason: ``EMPTY``, ``LABEL_MISSING`` or a dead-letter code.
        samples: Some of the texts as they came.
    """

    path: pathlib.Path
    labels: DoubleArray
    keys: Keys
    n_records: int
    skipped: dict[str, int]
    samples: list[str]

    def lines(self, rows: BoolArray | None = None) -> Iterator[str]:
        """Yields every segmented text, or those of some rows, bool [n]."""
        lines = read_lines(self.path)
        return lines if rows is None else (line for line, taken in zip(lines, rows, strict=True) if taken)

    def mask(self, numbers: Int64Array) -> BoolArray:
        """Returns bool [n], the rows of some numbers."""
        rows = np.zeros(len(self.labels), np.bool_)
        rows[numbers] = True
        return rows


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus as token ids; texts without any are left out.

    Attributes:
        token_ids: int32 [total], a memory map.
        offsets: int64 [n + 1].
        targets: float32 [n, columns].
        held_out: bool [n].
        n_tokens: int32 [n], tokens before truncation.
        n_oov: int32 [n], those of them that are not in the vocabulary.
        rows: int64 [n], which of the segmented texts they are.
    """

    token_ids: IntArray
    offsets: Int64Array
    targets: FloatArray
    held_out: BoolArray
    n_tokens: IntArray
    n_oov: IntArray
    rows: Int64Array

    def gather(self, rows: Int64Array) -> tuple[IntArray, Int64Array]:
        """Returns the token ids and offsets of some texts, end to end."""
        return gather(self.token_ids, self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows])


def segment_corpus(
    records: Iterable[LabelledText],
    validation: Iterable[LabelledText],
    tokenizer: Tokenizer,
    reader: LabelReader,
    folder: pathlib.Path,
    *,
    seed: int,
    watcher: TrainingWatcher,
) -> SegmentedCorpus:
    """Segments labelled texts to disk, in one pass, holding one text at a time.

    Raises:
        UsageError: A label will not do, or no record has a token and a label.
    """
    watcher.begin("segmenting", None)
    skipped: Counter[str] = Counter()
    samples: list[str] = []
    hash_key = seed.to_bytes(8, "little")
    path = folder / "segmented.txt"
    n_texts = [0, 0]
    with (
        path.open("w", encoding="utf-8", newline="\n") as texts,
        (folder / "keys.u64").open("wb") as keys,
        (folder / "labels.f64").open("wb") as labels,
    ):
        for side, labelled in enumerate((records, validation)):
            for text, segmented, row in _segment_records(labelled, tokenizer, reader, skipped, watcher):
                texts.write(segmented + "\n")
                keys.write(hashlib.blake2b(segmented.encode(), digest_size=8, key=hash_key).digest())
                labels.write(row.tobytes())
                n_texts[side] += 1
                if len(samples) < _MAX_SAMPLES and len(text) <= _MAX_SAMPLE_CHARS:
                    samples.append(text)
    if not n_texts[0]:
        raise UsageError("No text to train on is left: every one is empty, cannot be tokenized or has no label.")
    label_rows = np.fromfile(folder / "labels.f64", np.float64).reshape(-1, reader.width)
    hashes = np.fromfile(folder / "keys.u64", np.uint64)
    return SegmentedCorpus(path, label_rows, hashes, n_texts[0], dict(skipped), samples)


def _segment_records(
    records: Iterable[LabelledText],
    tokenizer: Tokenizer,
    reader: LabelReader,
    skipped: Counter[str],
    watcher: TrainingWatcher,
) -> Iterator[tuple[str, str, DoubleArray]]:
    """Yields text, segmented text and label of the good records, and counts the others."""
    for number, (text, label) in enumerate(records):
        watcher.advance(1)
        row = reader.row(label, number)
        if np.isnan(row).all():
            skipped["LABEL_MISSING"] += 1
            continue
        try:
            segmented = tokenizer.segment(text)
        except RecordError as error:
            skipped[error.code] += 1
            continue
        if segmented:
            yield text, segmented, row
        else:
            skipped["EMPTY"] += 1


def segment_texts(
    texts: Iterable[str], tokenizer: Tokenizer, path: pathlib.Path, watcher: TrainingWatcher
) -> tuple[int, Counter[str]]:
    """Segments unlabelled texts to a file, a text a line.

    Returns how many, and how many were left out, by reason: ``EMPTY`` or a dead-letter code.
    """
    written, skipped = 0, Counter[str]()
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for i, text in enumerate(texts):
            if not i:  # of texts that there are not, nothing is said
                watcher.begin("segmenting further text", None)
            watcher.advance(1)
            try:
                segmented = tokenizer.segment(text)
            except RecordError as error:
                skipped[error.code] += 1
                continue
            if segmented:
                out.write(segmented + "\n")
                written += 1
            else:
                skipped["EMPTY"] += 1
    return written, skipped


def count_words(lines: Iterable[str]) -> Counter[str]:
    """Counts the words of segmented texts; memory grows with the distinct words only."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(tokens_of(line))
    return counts


def encode_corpus(
    corpus: SegmentedCorpus,
    targets: FloatArray,
    split: Split,
    encoder: Encoder,
    folder: pathlib.Path,
    watcher: TrainingWatcher,
) -> EncodedCorpus:
    """Looks up the ids of a corpus, block by block, into a memory map.

    Args:
        corpus: The texts.
        targets: float32 [n, columns].
        split: Which of them are used for what.
        encoder: Gives the ids.
        folder: Holds the memory map.
        watcher: Is told of the progress.

    Raises:
        UsageError: No training text has a word of the vocabulary.
    """
    used = split.training | split.held_out
    watcher.begin("encoding", int(used.sum()))
    lengths, n_tokens, n_oov = ([np.zeros(0, dtype)] for dtype in (np.int64, np.int32, np.int32))
    path = folder / "token_ids.i32"
    with path.open("wb") as file:
        for block in text_blocks(corpus.lines(used)):
            encoded = encoder.encode_segmented(block)
            file.write(encoded.token_ids.tobytes())
            for column, values in ((lengths, encoded.lengths), (n_tokens, encoded.n_tokens), (n_oov, encoded.n_oov)):
                column.append(values)
            watcher.advance(len(block))
    all_lengths = np.concatenate(lengths)
    has_ids = all_lengths > 0
    held_out = split.held_out[used][has_ids]
    if not len(held_out) or held_out.all():
        raise UsageError("No training text has a word of the vocabulary; give a smaller --min_count.")
    return EncodedCorpus(
        np.memmap(path, np.int32, "r"),
        offsets_of(all_lengths[has_ids]),
        targets[used][has_ids],
        held_out,
        np.concatenate(n_tokens)[has_ids],
        np.concatenate(n_oov)[has_ids],
        np.flatnonzero(used)[has_ids],
    )


def read_lines(path: pathlib.Path) -> Iterator[str]:
    """Yields the lines of a segmented file without their ends."""
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from (line.removesuffix("\n") for line in file)
