"""Labelled text of any size: segmented once, then read from disk as often as it is needed.

A corpus in its folder:

    segmented.txt   a text a line, one space between tokens
    keys.u64        uint64 [n], a seeded hash of each text, which decides what is held out
    labels.f64      float64 [n, outputs]
    token_ids.i32   int32 [total], once the vocabulary is known

Only offsets and labels are held in memory: 8 bytes a text and 4 a label.
"""

import hashlib
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from saiten.model.errors import RecordError, UsageError
from saiten.model.text.encoder import Encoder
from saiten.model.text.ragged import BoolArray, DoubleArray, FloatArray, Int64Array, IntArray, gather, offsets_of
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.training.watcher import TrainingWatcher

# Texts encoded at once.
_BLOCK = 1_024

# Texts kept as they are, for the bundle's golden records.
_MAX_SAMPLES = 256
_MAX_SAMPLE_CHARS = 20_000


@dataclass(frozen=True)
class SegmentedCorpus:
    """Segmented texts on disk.

    Attributes:
        path: ``segmented.txt``.
        labels: float64 [n, outputs].
        held_out: bool [n].
        skipped: How many texts were left out, by reason: ``EMPTY`` or a dead-letter code.
        samples: Some of the texts as they came.
    """

    path: pathlib.Path
    labels: DoubleArray
    held_out: BoolArray
    skipped: dict[str, int]
    samples: list[str]

    def lines(self) -> Iterator[str]:
        """Yields every segmented text."""
        return read_lines(self.path)

    def training_lines(self) -> Iterator[str]:
        """Yields the segmented texts that are not held out."""
        return (line for line, held in zip(self.lines(), self.held_out, strict=True) if not held)


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus as token ids; texts without any are left out.

    Attributes:
        token_ids: int32 [total], a memory map.
        offsets: int64 [n + 1].
        labels: float32 [n, outputs].
        held_out: bool [n].
        n_tokens: int32 [n], tokens before truncation.
        n_oov: int32 [n], those of them that are not in the vocabulary.
    """

    token_ids: IntArray
    offsets: Int64Array
    labels: FloatArray
    held_out: BoolArray
    n_tokens: IntArray
    n_oov: IntArray

    def gather(self, rows: Int64Array) -> tuple[IntArray, Int64Array]:
        """Returns the token ids and offsets of some texts, end to end."""
        return gather(self.token_ids, self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows])


def segment_corpus(
    records: Iterable[tuple[str, Sequence[float]]],
    tokenizer: Tokenizer,
    folder: pathlib.Path,
    *,
    n_outputs: int,
    validation_fraction: float,
    seed: int,
    watcher: TrainingWatcher,
) -> SegmentedCorpus:
    """Segments labelled texts to disk, in one pass, holding one text at a time.

    The held-out share is chosen by a seeded hash of the text, so equal texts are never on both
    sides, and a text stays on its side whatever else is in the corpus but near the limit.

    Raises:
        UsageError: A label is not finite, there are not `n_outputs` of them, or no text has a token.
    """
    watcher.begin("segmenting", None)
    skipped: Counter[str] = Counter()
    samples: list[str] = []
    hash_key = seed.to_bytes(8, "little")
    path = folder / "segmented.txt"
    with (
        path.open("w", encoding="utf-8", newline="\n") as texts,
        (folder / "keys.u64").open("wb") as keys,
        (folder / "labels.f64").open("wb") as labels,
    ):
        for text, segmented, row in _segment_records(records, tokenizer, n_outputs, skipped, watcher):
            texts.write(segmented + "\n")
            keys.write(hashlib.blake2b(segmented.encode(), digest_size=8, key=hash_key).digest())
            labels.write(row.tobytes())
            if len(samples) < _MAX_SAMPLES and len(text) <= _MAX_SAMPLE_CHARS:
                samples.append(text)
    label_rows = np.fromfile(folder / "labels.f64", np.float64).reshape(-1, n_outputs)
    if not len(label_rows):
        raise UsageError("No text to train on is left: every one is empty or cannot be tokenized.")
    held_out = choose_held_out(np.fromfile(folder / "keys.u64", np.uint64), validation_fraction)
    return SegmentedCorpus(path, label_rows, held_out, dict(skipped), samples)


def _segment_records(
    records: Iterable[tuple[str, Sequence[float]]],
    tokenizer: Tokenizer,
    n_outputs: int,
    skipped: Counter[str],
    watcher: TrainingWatcher,
) -> Iterator[tuple[str, str, DoubleArray]]:
    """Yields text, segmented text and labels of the good records, and counts the others."""
    for number, (text, values) in enumerate(records):
        watcher.advance(1)
        row = _check_labels(values, n_outputs, number)
        try:
            segmented = tokenizer.segment(text)
        except RecordError as error:
            skipped[error.code] += 1
            continue
        if segmented:
            yield text, segmented, row
        else:
            skipped["EMPTY"] += 1


def choose_held_out(keys: npt.NDArray[np.uint64], fraction: float) -> BoolArray:
    """Returns which texts are held out: those with the smallest keys.

    >>> choose_held_out(np.uint64([9, 3, 7, 3]), 0.25)
    array([False,  True, False,  True])
    """
    if not 0 <= fraction < 1:
        raise UsageError(f"The validation fraction must be at least 0 and less than 1, not {fraction}.")
    count = round(len(keys) * fraction)
    if not count:
        return np.zeros(len(keys), np.bool_)
    held_out = keys <= np.partition(keys, count - 1)[count - 1]
    if held_out.all():
        raise UsageError(f"With a validation fraction of {fraction} no text is left to train on; give a smaller one.")
    return np.asarray(held_out, np.bool_)


def segment_texts(
    texts: Iterable[str], tokenizer: Tokenizer, path: pathlib.Path, watcher: TrainingWatcher
) -> tuple[int, Counter[str]]:
    """Segments unlabelled texts to a file, a text a line.

    Returns:
        How many, and how many were left out, by reason: ``EMPTY`` or a dead-letter code.
    """
    watcher.begin("segmenting further text", None)
    written, skipped = 0, Counter[str]()
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for text in texts:
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
        counts.update(line.split(" "))
    return counts


def encode_corpus(
    corpus: SegmentedCorpus, encoder: Encoder, folder: pathlib.Path, watcher: TrainingWatcher
) -> EncodedCorpus:
    """Looks up the ids of a corpus, block by block, into a memory map.

    Raises:
        UsageError: No training text has a word of the vocabulary.
    """
    watcher.begin("encoding", len(corpus.labels))
    lengths, n_tokens, n_oov = ([np.zeros(0, dtype)] for dtype in (np.int64, np.int32, np.int32))
    path = folder / "token_ids.i32"
    lines = corpus.lines()
    with path.open("wb") as file:
        while block := list(islice(lines, _BLOCK)):
            encoded = encoder.encode_segmented(block)
            file.write(encoded.token_ids.tobytes())
            for column, values in ((lengths, encoded.lengths), (n_tokens, encoded.n_tokens), (n_oov, encoded.n_oov)):
                column.append(values)
            watcher.advance(len(block))
    all_lengths = np.concatenate(lengths)
    used = all_lengths > 0
    held_out = corpus.held_out[used]
    if not len(held_out) or held_out.all():
        raise UsageError("No training text has a word of the vocabulary; give a smaller --min_count.")
    return EncodedCorpus(
        np.memmap(path, np.int32, "r"),
        offsets_of(all_lengths[used]),
        corpus.labels[used].astype(np.float32),
        held_out,
        np.concatenate(n_tokens)[used],
        np.concatenate(n_oov)[used],
    )


def read_lines(path: pathlib.Path) -> Iterator[str]:
    """Yields the lines of a segmented file without their ends."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n")


def _check_labels(values: Sequence[float], n_outputs: int, number: int) -> DoubleArray:
    row = np.asarray(values, np.float64)
    if row.shape != (n_outputs,) or not np.isfinite(row).all():
        raise UsageError(f"Record {number} needs {n_outputs} finite labels, not {row.tolist()}.")
    return row
