"""Reads word vectors in word2vec's own formats, text and binary. Runs no code from the file, as pickles do.

Text: a header line ``words dimensions``, then a line a word, ``word number number ...``.
Binary: the same header, then for each word its UTF-8, a space, and float32 numbers, little end
first, with or without a newline behind (word2vec.c writes one, gensim does not).
"""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from saiten.model.counted import counted
from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray
from saiten.model.text.vocabulary import Vocabulary

_MAX_HEADER_BYTES = 100
_MAX_WORD_BYTES = 4_096
_MAX_DIMENSIONS = 4_096
# word2vec's numbers in text have 12 characters; this allows for any float64.
_MAX_NUMBER_BYTES = 32


class _MalformedError(ValueError):
    """What is wrong with a file, and where."""


def read_vectors(path: pathlib.Path, vocabulary: Vocabulary) -> FloatArray:
    """Returns the vectors of the vocabulary's words, float32 [V, D]; NaN rows where the file has none.

    The whole file is checked, also the words that are not kept; only the kept ones are held in memory.

    Raises:
        UsageError: The file cannot be read, is neither format, or has a wrong size, a repeated word, a NaN or infinity.
    """
    with _opened(path) as (file, n_words, n_dimensions):
        return _collect(_entries(file, n_words, n_dimensions), vocabulary, n_dimensions)


def read_dimensions(path: pathlib.Path) -> int:
    """Returns how many dimensions a file's vectors have; reads its beginning and no more.

    Raises:
        UsageError: As `read_vectors`; so is a file of another kind, such as one of gensim's own.
    """
    with _opened(path) as (_file, _n_words, n_dimensions):
        return n_dimensions


@contextmanager
def _opened(path: pathlib.Path) -> Iterator[tuple[IO[bytes], int, int]]:
    """Gives the file behind its header, and how many words of how many dimensions that promises."""
    try:
        with path.open("rb") as file:
            n_words, n_dimensions = _read_header(file)
            if path.stat().st_size < n_words * 2 * n_dimensions:
                raise _MalformedError(f"its header promises {counted(n_words, 'word')}, more than the file can hold")
            yield file, n_words, n_dimensions
    except OSError as error:
        raise UsageError(f"The vectors {path} cannot be read: {error.strerror}.") from error
    except _MalformedError as error:
        raise UsageError(
            f"{path} is not a word2vec text or binary file: {error}. gensim writes one by save_word2vec_format."
        ) from error


def _read_header(file: IO[bytes]) -> tuple[int, int]:
    header = file.readline(_MAX_HEADER_BYTES)
    fields = header.split()
    if not header.endswith(b"\n") or len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise _MalformedError("its first line does not say how many words and dimensions it has")
    n_words, n_dimensions = int(fields[0]), int(fields[1])
    if not n_words or not 0 < n_dimensions <= _MAX_DIMENSIONS:
        raise _MalformedError(f"its header says {counted(n_words, 'word')} of {counted(n_dimensions, 'dimension')}")
    return n_words, n_dimensions


def _entries(file: IO[bytes], n_words: int, n_dimensions: int) -> Iterator[tuple[bytes, FloatArray]]:
    start = file.tell()
    first_line = file.readline(_MAX_WORD_BYTES + _MAX_NUMBER_BYTES * n_dimensions)
    file.seek(start)
    read = _read_text if _is_text(first_line, n_dimensions) else _read_binary
    yield from read(file, n_words, n_dimensions)
    if file.read(_MAX_HEADER_BYTES).strip():
        raise _MalformedError(f"something follows the {counted(n_words, 'word')} that its header promises")


def _is_text(line: bytes, n_dimensions: int) -> bool:
    fields = line.rstrip().rsplit(b" ", n_dimensions)
    if len(fields) != n_dimensions + 1:
        return False
    try:
        [float(field) for field in fields[1:]]
    except ValueError:
        return False
    return True


def _read_text(file: IO[bytes], n_words: int, n_dimensions: int) -> Iterator[tuple[bytes, FloatArray]]:
    for number in range(1, n_words + 1):
        line = file.readline(_MAX_WORD_BYTES + _MAX_NUMBER_BYTES * n_dimensions)
        if not line:
            raise _MalformedError(f"it ends after {number - 1} of {counted(n_words, 'word')}")
        word, *numbers = line.rstrip().rsplit(b" ", n_dimensions)
        if len(numbers) != n_dimensions:
            raise _MalformedError(f"word {number} has not {counted(n_dimensions, 'number')}")
        try:
            values = [float(field) for field in numbers]
        except ValueError as error:
            raise _MalformedError(f"word {number} has something else among its numbers") from error
        with np.errstate(over="ignore"):  # too large becomes infinite, which is refused
            yield word, np.array(values, np.float32)


def _read_binary(file: IO[bytes], n_words: int, n_dimensions: int) -> Iterator[tuple[bytes, FloatArray]]:
    n_bytes = 4 * n_dimensions
    for number in range(1, n_words + 1):
        word = bytearray()
        while (byte := file.read(1)) != b" ":
            if not byte or len(word) > _MAX_WORD_BYTES:
                raise _MalformedError(f"it ends after {number - 1} of {counted(n_words, 'word')}, or is no binary file")
            word += byte
        numbers = file.read(n_bytes)
        if len(numbers) < n_bytes:
            raise _MalformedError(f"it ends within word {number} of {n_words}")
        yield bytes(word).lstrip(b"\n"), np.frombuffer(numbers, "<f4").astype(np.float32)


def _collect(entries: Iterator[tuple[bytes, FloatArray]], vocabulary: Vocabulary, n_dimensions: int) -> FloatArray:
    vectors = np.full((len(vocabulary), n_dimensions), np.nan, np.float32)
    seen = set()
    for number, (raw, vector) in enumerate(entries, start=1):
        if not np.isfinite(vector).all():
            raise _MalformedError(f"word {number} has a NaN or an infinity, or is beyond float32")
        if raw in seen:
            raise _MalformedError(f"word {number} has been there before")
        seen.add(raw)
        try:
            word_id = vocabulary.ids.get(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise _MalformedError(f"word {number} is not UTF-8") from error
        if word_id is not None:
            vectors[word_id] = vector
    return vectors
