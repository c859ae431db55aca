"""Texts to token ids, and the batches that an engine computes.

Token ids of many texts lie end to end in one array: see `saiten.model.text.ragged`.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from saiten.model.errors import RecordError, UsageError
from saiten.model.text.pieces import cut_all
from saiten.model.text.ragged import NOT_FOUND, BoolArray, Int64Array, IntArray, gather, offsets_of
from saiten.model.text.segmented import INNER_SPACE
from saiten.model.text.tokenizer import Tokenizer
from saiten.model.text.vocabulary import PAD_ID, Vocabulary

# Ids go by how common a word is. Arrow takes 2 ms to build a table of so many, and 37 ms for 300,000.
_HEAD_WORDS = 65_536
# What is looked up at once: a column of Arrow's holds 2 GiB, and a character takes up to 4 bytes.
_BLOCK_TEXTS = 1_024
_BLOCK_CHARS = 16 * 1024 * 1024


def text_blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yields the texts, as many at a time as `Encoder` looks up at once: few where they are as long as books."""
    block: list[str] = []
    n_chars = 0
    for text in texts:
        if len(block) == _BLOCK_TEXTS or (block and n_chars + len(text) > _BLOCK_CHARS):
            yield block
            block, n_chars = [], 0
        block.append(text)
        n_chars += len(text)
    if block:
        yield block


@dataclass(frozen=True)
class EncodedTexts:
    """The token ids of `n` texts.

    Attributes:
        token_ids: int32 [total], the texts' ids end to end; never `PAD_ID`.
        offsets: int64 [n + 1]; text `i` is ``token_ids[offsets[i]:offsets[i + 1]]``.
        n_tokens: int32 [n], tokens before truncation, OOV included.
        n_oov: int32 [n], those of `n_tokens` that are not in the vocabulary, dropped or not.
        truncated: bool [n].
        oov_tokens: The OOV tokens end to end, strings, `n_oov` of each text; None where they were not looked up.
    """

    token_ids: IntArray
    offsets: Int64Array
    n_tokens: IntArray
    n_oov: IntArray
    truncated: BoolArray
    oov_tokens: pa.Array | None = None

    @property
    def lengths(self) -> Int64Array:
        """int64 [n], the number of ids of each text; 0 where no token is left."""
        return np.diff(self.offsets)

    def without(self, rows: Sequence[int]) -> "EncodedTexts":
        """Returns the others' ids; those rows have none."""
        names = ("offsets", "n_tokens", "n_oov", "truncated")
        return dataclasses.replace(self, **{name: np.delete(getattr(self, name), rows) for name in names})


class Encoder:
    """Tokenizes texts and looks their ids up; the one path of training and scoring.

    Args:
        tokenizer: Makes the tokens.
        vocabulary: Gives the ids; where its `oov_id` is None, OOV words are dropped.
        max_sequence_length: Longer sequences are truncated.
        truncating: ``pre`` drops a long text's beginning (as `pad_sequences` does), ``post`` its end.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: Vocabulary, max_sequence_length: int, truncating: str) -> None:
        if truncating not in ("pre", "post"):
            raise UsageError(f"Truncating is pre or post, not {truncating!r}.")
        if max_sequence_length < 1:
            raise UsageError(f"max_sequence_length must be 1 or more, not {max_sequence_length}.")
        self.vocabulary = vocabulary
        self.max_sequence_length = max_sequence_length
        self.truncating = truncating
        words = vocabulary.searchable()
        self._head = pa.array(words[:_HEAD_WORDS], pa.string())
        self._tail = {word: i for i, word in enumerate(words[_HEAD_WORDS:], _HEAD_WORDS) if word is not None}
        self._words = words
        self.use_tokenizer(tokenizer)

    def use_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Goes over to another tokenizer."""
        self.tokenizer = tokenizer
        self._numbers = None
        if tokenizer.compiled and not tokenizer.changes_words:
            from saiten.model.text.segmenter.word_numbers import WordNumbers

            self._numbers = WordNumbers(tokenizer.compiled.tables, self._words)

    def encode(self, texts: Sequence[str]) -> EncodedTexts:
        """Encodes texts, all of which must be good.

        Raises:
            RecordError: A text cannot be tokenized; `encode_all` sorts those out.
        """
        encoded, errors = self.encode_all(texts)
        if errors:
            raise errors[min(errors)]
        return encoded

    def encode_all(self, texts: Sequence[str]) -> tuple[EncodedTexts, dict[int, RecordError]]:
        """Encodes texts; a bad one costs only itself.

        Returns:
            The texts' ids, none for a failed one, and the errors by position.
        """
        if self._numbers is None:
            segmented, errors = self.tokenizer.segment_all(texts)
            return self.encode_segmented(segmented), errors
        pieces, n_pieces, errors = cut_all(texts, self.tokenizer.config.normalization)
        found = self.tokenizer.segment_cut(pieces)
        if found.has_given_up or found.has_spaces:
            segmented, errors = self.tokenizer.segment_all(texts)
            return self.encode_segmented(segmented), errors
        counts = np.diff(offsets_of(found.counts)[offsets_of(n_pieces)])
        token_ids, unknown = self._numbers.ids_of(found)
        # A few hundred of a block: Arrow would build its table for them.
        ids = self.vocabulary.ids
        token_ids[unknown] = [ids.get(word, NOT_FOUND) for word in found.strings(unknown).to_pylist()]
        return self._assemble(token_ids, counts, found.strings), errors

    def by_mecab(self) -> "Encoder":
        """Returns the same encoder, but that MeCab finds its words."""
        other = copy.copy(self)
        other.use_tokenizer(self.tokenizer.by_mecab())
        return other

    def encode_segmented(self, segmented: Sequence[str]) -> EncodedTexts:
        """Looks up the ids of texts as `saiten.model.text.segmented` has them.

        A whole block at once through Arrow's hash look-up, a third of the cost of a dict's. Arrow builds its
        table anew for every block, so it holds the commonest words only; a dict has the others.
        """
        counts = np.array([text.count(" ") + 1 if text else 0 for text in segmented], np.int64)
        # As bytes: a str that gives Arrow its UTF-8 holds that as well from then on.
        texts = pa.array([text.encode() for text in segmented if text], pa.binary()).view(pa.string())
        tokens = pc.split_pattern(texts, " ").flatten()
        if self.tokenizer.keeps_spaces:
            tokens = pc.replace_substring(tokens, INNER_SPACE, " ")
        del texts
        return self._assemble(self._look_up(tokens), counts, lambda rows: tokens.take(pa.array(rows)))

    def _look_up(self, tokens: pa.Array) -> IntArray:
        token_ids = np.array(pc.index_in(tokens, value_set=self._head).fill_null(NOT_FOUND), np.int32)
        if self._tail:
            rest = np.flatnonzero(token_ids == NOT_FOUND)
            token_ids[rest] = [self._tail.get(word, NOT_FOUND) for word in tokens.take(pa.array(rest)).to_pylist()]
        return token_ids

    def _assemble(
        self, token_ids: IntArray, counts: Int64Array, strings_of: Callable[[Int64Array], pa.Array]
    ) -> EncodedTexts:
        oov = np.flatnonzero(token_ids == NOT_FOUND)
        token_ids[oov] = self.vocabulary.oov_id or PAD_ID
        offsets = offsets_of(counts)
        n_oov = np.diff(np.searchsorted(oov, offsets))
        if self.vocabulary.oov_id is None:
            token_ids = np.delete(token_ids, oov)
            offsets = offsets_of(counts - n_oov)
        token_ids, offsets, truncated = self._truncate(token_ids, offsets)
        n_tokens, n_oov = counts.astype(np.int32), n_oov.astype(np.int32)
        return EncodedTexts(token_ids, offsets, n_tokens, n_oov, truncated, strings_of(oov))

    def _truncate(self, token_ids: IntArray, offsets: Int64Array) -> tuple[IntArray, Int64Array, BoolArray]:
        lengths = np.diff(offsets)
        truncated = lengths > self.max_sequence_length
        if not truncated.any():
            return token_ids, offsets, truncated
        kept = np.minimum(lengths, self.max_sequence_length)
        starts = offsets[:-1] if self.truncating == "post" else offsets[1:] - kept
        return *gather(token_ids, starts, kept), truncated


def pad(
    token_ids: IntArray, offsets: Int64Array, rows: Int64Array, sequence_length: int, padding: str = "post"
) -> IntArray:
    """Returns the chosen rows as a matrix, padded with `PAD_ID`.

    >>> pad(np.int32([7, 12, 7]), np.int64([0, 1, 3]), np.array([0, 1]), 3)
    array([[ 7,  0,  0],
           [12,  7,  0]], dtype=int32)

    Args:
        sequence_length: At least the longest of the rows.
        padding: ``post`` puts the zeros behind, ``pre`` before. A masked model gives the same scores.
    """
    matrix = np.full((len(rows), sequence_length), PAD_ID, np.int32)
    for i, row in enumerate(rows):
        sequence = token_ids[offsets[row] : offsets[row + 1]]
        if padding == "post":
            matrix[i, : len(sequence)] = sequence
        else:
            matrix[i, sequence_length - len(sequence) :] = sequence
    return matrix


def cut_batches(lengths: Int64Array, max_cells: int, max_rows: int) -> Iterator[Int64Array]:
    """Yields the positions of the texts of each batch, shortest texts first, so that little is padded.

    Texts of length 0 are in no batch. The same lengths always give the same batches.

    Args:
        lengths: int64 [n].
        max_cells: No batch pads to more cells (rows times longest), but for one single longer text.
        max_rows: No batch has more rows.
    """
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and end - start < max_rows and (end + 1 - start) * lengths[order[end]] <= max_cells:
            end += 1
        yield order[start:end]
        start = end
