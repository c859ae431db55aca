"""Who found the words of a run's texts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from saiten.model.counted import counted


@dataclass(frozen=True)
class Segmentation:
    """How texts were segmented.

    Attributes:
        texts: How many by each segmenter, ``compiled`` or ``mecab``.
        n_witnessed: How many of the compiled one's MeCab segmented too. None differed: a run ends where one does.
        n_left_to_mecab: How many of the compiled one's it left to MeCab, in whole or in part.
    """

    texts: Mapping[str, int] = field(default_factory=dict)
    n_witnessed: int = 0
    n_left_to_mecab: int = 0

    def __add__(self, other: "Segmentation") -> "Segmentation":
        return Segmentation(
            dict(Counter(self.texts) + Counter(other.texts)),
            self.n_witnessed + other.n_witnessed,
            self.n_left_to_mecab + other.n_left_to_mecab,
        )

    @property
    def sentence(self) -> str:
        """What a person is told; ``""`` where nothing was segmented, or an older version did not say by whom."""
        compiled, by_mecab = (self.texts.get(name, 0) for name in ("compiled", "mecab"))
        if not compiled:
            return f"MeCab found the words of {_all(by_mecab)}." if by_mecab else ""
        others = f", and MeCab those of {counted(by_mecab, 'other')}" if by_mecab else ""
        whose = counted(compiled, "text") if by_mecab else _all(compiled)
        is_one = compiled == 1
        helped = f", with MeCab's help{'' if is_one else f' in {self.n_left_to_mecab:,} of them'}"
        found = f"The compiled segmenter found the words of {whose}{helped if self.n_left_to_mecab else ''}{others}."
        again = "it" if is_one else f"{self.n_witnessed:,} of these texts"
        return found + (f" As a witness, MeCab cut {again} again into the same words." if self.n_witnessed else "")


def _all(n: int) -> str:
    return "the only text" if n == 1 else f"all {n:,} texts"
