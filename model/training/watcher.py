"""What a long training tells whoever watches it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class EpochReport:
    """One epoch of the network's training.

    Attributes:
        epoch: From 1.
        loss: Mean loss of its steps, summed over the network's parts; of numbers on standardised labels.
        held_out_loss: That of the scores of the held-out texts after the epoch: the log loss, or of numbers the
            loss that they are trained by, on standardised labels: by the squared error the labels' means alone would
            get 1.0. None where none are held out.
        is_best: No epoch so far was better; what this one gave is kept.
        seconds: How long it took.
    """

    epoch: int
    loss: float
    held_out_loss: float | None
    is_best: bool
    seconds: float


class TrainingWatcher(Protocol):
    """Is told what training is doing."""

    def begin(self, stage: str, total: int | None) -> None:
        """A stage begins; `total` is how many steps it has, None where that is not known."""
        ...

    def say(self, line: str) -> None:
        """Something is to be known, such as what the labels are taken for."""
        ...

    def advance(self, steps: int) -> None:
        """So many steps of the stage are done."""
        ...

    def end_epoch(self, report: EpochReport) -> None:
        """The network has seen every training text once more."""
        ...


class SilentWatcher:
    """Shows nothing."""

    def begin(self, stage: str, total: int | None) -> None:
        """Does nothing."""

    def say(self, line: str) -> None:
        """Does nothing."""

    def advance(self, steps: int) -> None:
        """Does nothing."""

    def end_epoch(self, report: EpochReport) -> None:
        """Does nothing."""
