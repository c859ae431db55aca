"""How many dead letters are too many."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from saiten.model.counted import counted
from saiten.model.errors import TooManyDeadLettersError
from saiten.pipelines.records import Code, DeadLetter

# So few are soon read to the end, and then a higher rate commits them without scoring again.
_MIN_RECORDS = 1_000
_NAMED_CODES = 3


@dataclass
class DeadLetterTally:
    """Records and dead letters, counted.

    Attributes:
        codes: How many dead letters of each code.
        further_lines: How many lines the dead letters took beyond one each: lines that may have been records.
        examples: One ``source:position`` of each code.
    """

    records: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    further_lines: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def dead(self) -> int:
        """All dead letters."""
        return sum(self.codes.values())

    @property
    def commonest_codes(self) -> dict[str, int]:
        """How many dead letters of each code, the commonest first."""
        return dict(sorted(self.codes.items(), key=lambda item: -item[1]))

    def add(self, records: int, letters: Iterable[DeadLetter]) -> None:
        """Counts a block."""
        self.records += records
        for letter in letters:
            self.codes[letter.code] = self.codes.get(letter.code, 0) + 1
            self.further_lines += letter.n_lines - 1
            self.examples.setdefault(letter.code, f"{letter.source}:{letter.position}")

    def merge(self, other: "DeadLetterTally") -> None:
        """Adds another count."""
        self.records += other.records
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count
        self.further_lines += other.further_lines
        self.examples = {**other.examples, **self.examples}

    def refuse_too_many(self, max_rate: float) -> None:
        """Refuses a whole run.

        Raises:
            TooManyDeadLettersError: More than `max_rate` of the records are dead; names the commonest codes.
        """
        # Divided, not multiplied: 29 of 100 are no more than 0.29.
        if self.records and self._rate() > max_rate:
            raise TooManyDeadLettersError(
                f"{self.dead:,} of {counted(self.records, 'record')} {self._are()}{self._named_lines()}, more than "
                f"--max_dead_letter_rate={max_rate:g} allows: {self._named_codes()}. Nothing is committed."
            )

    def refuse_hopeless(self, max_rate: float, most_to_come: float) -> None:
        """Refuses a run that goes on: `refuse_too_many` is exact, so to be late costs time, to be early a good run.

        Args:
            most_to_come: How many records the rest of the input can hold at the very most.

        Raises:
            TooManyDeadLettersError: There are too many even if all that are to come are good.
        """
        most = self.records + most_to_come
        if self.records >= _MIN_RECORDS and self._rate(most_to_come) > max_rate:
            raise TooManyDeadLettersError(
                f"{self.dead:,} of the first {self.records:,} records {self._are()}{self._named_lines()}, more than "
                f"--max_dead_letter_rate={max_rate:g} allows even if all others are good, for there are {most:,.0f} "
                f"at most: {self._named_codes()}. Nothing is committed."
            )

    def _rate(self, most_to_come: float = 0) -> float:
        """The dead letters' share; each counts as many records as it took lines."""
        return (self.dead + self.further_lines) / (self.records + self.further_lines + most_to_come)

    def _are(self) -> str:
        return "is a dead letter" if self.dead == 1 else "are dead letters"

    def _named_lines(self) -> str:
        return f" of {self.dead + self.further_lines:,} lines" if self.further_lines else ""

    def _named_codes(self) -> str:
        commonest = list(self.commonest_codes.items())[:_NAMED_CODES]
        named = ", ".join(f"{code} {count:,} (such as {self.examples[code]})" for code, count in commonest)
        is_encoding = commonest[0][0] == Code.BAD_UTF8
        return f"{named}; perhaps it is in another --encoding, such as cp932" if is_encoding else named
