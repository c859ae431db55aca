"""What a row of the table came to."""

from collections.abc import Callable
from dataclasses import dataclass, field


class BrokenPromiseError(AssertionError):
    """A try did not come out as it must; the message says how."""


@dataclass
class Outcome:
    """The tries of one kind.

    Attributes:
        row: The row of the table.
        kind: What was tried.
        tries: How often.
        broken: How each try that did not hold came out.
        notes: Figures of the row.
    """

    row: str
    kind: str
    tries: int = 0
    broken: list[str] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)

    def attempt(self, check: Callable[[], object]) -> None:
        """Counts one try; `check` raises `BrokenPromiseError` where it does not hold."""
        self.tries += 1
        try:
            check()
        except BrokenPromiseError as error:
            self.broken.append(str(error))

    def note(self, name: str, amount: float = 1) -> None:
        """Adds to a figure."""
        self.notes[name] = self.notes.get(name, 0) + amount


def promise(holds: object, broken: str) -> None:
    """Raises `BrokenPromiseError` unless it holds."""
    if not holds:
        raise BrokenPromiseError(broken)
