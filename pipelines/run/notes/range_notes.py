"""What is finished of a run that goes on, by the notes that lie beside its output."""

from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json
from saiten.pipelines.run.layout import RANGE_NOTE
from saiten.pipelines.run.notes.dead_letter_rate import DeadLetterTally
from saiten.pipelines.run.range_summary import RangeNote


class FinishedRanges:
    """The finished ranges of a run; each note is read once, however often they are looked at.

    Args:
        folder: The run's work folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        self._tally = DeadLetterTally()

    def __len__(self) -> int:
        return len(self._seen)

    def tally(self) -> DeadLetterTally:
        """Returns the records and dead letters of all that are finished by now."""
        paths = storage.list_named(self._folder, RANGE_NOTE)
        for path in paths:
            note = None if path in self._seen or not path.endswith(".json") else read_json(path, RangeNote)
            if note:
                self._seen.add(path)
                self._tally.merge(note.summary.tally)
        return self._tally
