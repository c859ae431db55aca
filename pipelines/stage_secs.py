"""Where the time of a run went."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StageSecs:
    """Seconds by the clock that records spent in each stage."""

    read: float = 0.0
    encode: float = 0.0
    infer: float = 0.0
    write: float = 0.0

    def __add__(self, other: "StageSecs") -> "StageSecs":
        return StageSecs(
            self.read + other.read, self.encode + other.encode, self.infer + other.infer, self.write + other.write
        )
