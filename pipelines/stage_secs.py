"""Where the time of a run went."""

import time
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


class Stopwatch:
    """Seconds since it was started."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def secs(self) -> float:
        """How many they are by now."""
        return time.perf_counter() - self._started
