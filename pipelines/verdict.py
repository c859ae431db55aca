"""What is made of something in plain words: findings, the gravest of which counts."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How much a finding speaks against the scores."""

    GOOD = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True)
class Finding:
    """One thing that speaks for or against the scores, in a sentence or two."""

    level: Level
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What to make of a run.

    Attributes:
        findings: What speaks against the scores first.
    """

    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The gravest of its findings."""
        return max((finding.level for finding in self.findings), default=Level.GOOD)

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        return {
            Level.GOOD: "Nothing speaks against these scores.",
            Level.LOOK: "Look at the points below before you use these scores.",
            Level.BAD: "Don't rely on these scores yet.",
        }[self.level]
