"""Words to ids."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from functools import cached_property

from saiten.model.errors import BundleError

PAD_ID = 0
OOV_ID = 1
PAD_WORD = "<pad>"
OOV_WORD = "<oov>"


class Vocabulary:
    """The words a model knows; a word's id is its position.

    Attributes:
        words: Word by id. None where an id has no word (ids of an existing model may have
            gaps). Id 0 is padding and never a word's.
        oov_id: The id of words that are not in it, or None where those are dropped.
    """

    def __init__(self, words: Sequence[str | None], oov_id: int | None) -> None:
        if not words:
            raise BundleError("A vocabulary needs at least id 0, the padding; make the bundle anew.")
        if oov_id is not None and not 0 < oov_id < len(words):
            raise BundleError(
                f"The OOV id {oov_id} is not an id of the vocabulary (1 to {len(words) - 1}); make the bundle anew."
            )
        self.words = list(words)
        self.oov_id = oov_id
        named = [word for word in self.searchable() if word is not None]
        if len(set(named)) < len(named):
            raise BundleError("The vocabulary names a word twice; make the bundle anew.")

    def searchable(self) -> list[str | None]:
        """Returns the words that a text can hold, by id: padding and OOV cannot be reached by spelling their names."""
        return [None if i in (PAD_ID, self.oov_id) else word for i, word in enumerate(self.words)]

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id by word, of the words that a text can hold; made when it is first asked for."""
        return {word: i for i, word in enumerate(self.searchable()) if word is not None}

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, min_count: int = 1, size: int | None = None) -> "Vocabulary":
        """Builds a vocabulary of the commonest words, by count, then by code point.

        Args:
            counts: How often each word occurs.
            min_count: Words that occur less often are left out.
            size: At most so many ids, padding and OOV included.
        """
        common = sorted((word for word in counts if counts[word] >= min_count), key=lambda word: (-counts[word], word))
        if size is not None:
            common = common[: max(0, size - 2)]
        return cls([PAD_WORD, OOV_WORD, *common], OOV_ID)

    def save(self, path: pathlib.Path) -> None:
        """Writes the words as a JSON array of strings; position = id."""
        path.write_text(json.dumps(self.words, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: pathlib.Path, oov_id: int | None) -> "Vocabulary":
        """Reads what `save` wrote.

        Raises:
            BundleError: The file is not a JSON array of strings and nulls.
        """
        try:
            words = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{path} is not JSON; make the bundle anew.") from error
        if not isinstance(words, list) or not all(word is None or isinstance(word, str) for word in words):
            raise BundleError(f"{path} is not a JSON array of strings; make the bundle anew.")
        if any(word is not None and not _is_unicode(word) for word in words):
            raise BundleError(f"{path} holds half of a surrogate pair, which no text can hold; make the bundle anew.")
        return cls(words, oov_id)


def _is_unicode(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
