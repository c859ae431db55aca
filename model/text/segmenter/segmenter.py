"""Texts to the bytes of their tokens, many at once."""

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from saiten.model.text.ragged import Int64Array, offsets_of, token_runs
from saiten.model.text.segmenter.dictionary_files import read_tables
from saiten.model.text.segmenter.pages import release_pages
from saiten.model.text.segmenter.renumbering import count_ids, no_uses, renumber
from saiten.model.text.segmenter.search import GAVE_UP, MAX_BYTES, segment_block
from saiten.model.text.segmenter.tables import ByteArray, Tables, Work

# Beyond one of these a text is MeCab's. Prose needs 50 nodes a token, a hundred at a place and 40 words from one.
_MAX_NODES, _MAX_LEFT, _MAX_FOUND = 1 << 19, 4_096, 1_024
# Ids get their numbers from so much of the first texts.
_RENUMBERED_BYTES = 1 << 16
# What is segmented at once; a token of one byte takes 12.
_RUN_BYTES = 1 << 20


@dataclass(frozen=True)
class Segmented:
    """The tokens of `n` texts.

    Attributes:
        text: uint8 [total], the texts in UTF-8, end to end.
        offsets: int64 [n + 1], where they begin and end.
        tokens: int32 [tokens, 3]: where each token of the texts begins and ends in its text, and the number of its word
            in the dictionaries, from ``tables.unknown_start`` on for one that is in none.
        counts: int32 [n], each text's tokens, or `GAVE_UP`: the text is MeCab's.
    """

    text: ByteArray
    offsets: Int64Array
    tokens: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    @property
    def has_given_up(self) -> bool:
        """Whether a text is MeCab's."""
        return bool((self.counts == GAVE_UP).any())

    @property
    def has_spaces(self) -> bool:
        """Whether a token holds a space; between tokens there is nothing else, where controls were made spaces."""
        n_within = int((self.tokens[:, 1] - self.tokens[:, 0]).sum())
        return int(np.count_nonzero(self.text == ord(" "))) != len(self.text) - n_within

    def strings(self, rows: Int64Array) -> pa.Array:
        """Returns some of the tokens as an array of strings; no text has been given up."""
        starts = np.repeat(self.offsets[:-1], self.counts)[rows] + self.tokens[rows, 0]
        offsets = offsets_of(self.tokens[rows, 1] - self.tokens[rows, 0])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], np.diff(offsets))
        buffers = (pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(self.text[places]))
        return pa.StringArray.from_buffers(len(rows), *buffers)

    def surfaces(self) -> Iterator[list[str] | None]:
        """Yields each text's tokens, None where the search gave up."""
        content, first = self.text.tobytes(), 0
        for start, count in zip(self.offsets.tolist(), self.counts.tolist(), strict=False):
            if count == GAVE_UP:
                yield None
            else:
                tokens = self.tokens[first : first + count, :2] + start
                yield [content[a:b].decode() for a, b in tokens.tolist()]
                first += count


class Segmenter:
    """Finds the tokens that MeCab finds with a dictionary and ``-Owakati``; for one thread at a time.

    Args:
        directory: The dictionary's folder.
        user_dictionary: A compiled one, or None.

    Attributes:
        tables: What was read.

    Raises:
        LeftToMeCabError: The dictionary is left to MeCab; the message says why.
    """

    def __init__(self, directory: pathlib.Path, user_dictionary: str | None) -> None:
        self.tables = read_tables(directory, user_dictionary)
        self._directory = directory
        self._work = _make_work(self.tables)
        self._sample: bytes | None = b""
        # Loads its machine code now: a worker gives the compiler's pages back when all is loaded.
        count_ids(self.tables, self._work, np.zeros(0, np.uint8), *no_uses(self.tables))

    def segment(self, texts: Sequence[bytes]) -> Segmented:
        """Segments texts, which must be UTF-8."""
        offsets = offsets_of([len(text) for text in texts])
        joined = np.frombuffer(b"".join(texts), np.uint8)
        if self._sample is not None:
            self._renumber(joined)
        counts = np.empty(len(texts), np.int32)
        parts = [np.empty((0, 3), np.int32)]
        for first, last in token_runs(offsets, _RUN_BYTES):
            tokens = np.empty((int(min(offsets[last] - offsets[first], (last - first) * MAX_BYTES)), 3), np.int32)
            n = segment_block(self.tables, self._work, joined, offsets[first : last + 1], tokens, counts[first:last])
            parts.append(tokens[:n].copy())
        return Segmented(joined, offsets, np.concatenate(parts), counts)

    def _renumber(self, text: ByteArray) -> None:
        self._sample = (self._sample or b"") + text[:_RENUMBERED_BYTES].tobytes()
        if len(self._sample) >= _RENUMBERED_BYTES:
            self.tables = renumber(self.tables, self._work, np.frombuffer(self._sample, np.uint8))
            self._sample = None
            release_pages(self._directory)  # most of what was read until now is asked for no more


def _make_work(tables: Tables) -> Work:
    n_left_ids = len(tables.costs) // tables.n_right
    return Work(
        heads=np.empty(MAX_BYTES + 1, np.int32),
        keys=np.empty(_MAX_NODES, np.int64),
        links=np.empty(_MAX_NODES, np.int64),
        spans=np.empty(_MAX_NODES, np.int64),
        left_keys=np.empty(_MAX_LEFT, np.int64),
        left_ids=np.empty(_MAX_LEFT, np.uint32),
        left_nodes=np.empty(_MAX_LEFT, np.int32),
        stamps=np.zeros(n_left_ids, np.int64),
        best=np.empty(n_left_ids, np.int64),
        found=np.empty((_MAX_FOUND, 2), np.uint64),
    )
