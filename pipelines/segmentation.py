"""Who found the words of a run's texts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Segmentation:
    """How texts were segmented.

    Attributes:
        texts: How many by each segmenter, ``compiled`` or ``mecab``.
        n_witnessed: How many of the compiled one's MeCab segmented too. None differed: a run ends where one does.
    """

    texts: Mapping[str, int] = field(default_factory=dict)
    n_witnessed: int = 0

    def __add__(self, other: "Segmentation") -> "Segmentation":
        return Segmentation(dict(Counter(self.texts) + Counter(other.texts)), self.n_witnessed + other.n_witnessed)
