"""A file that a person may well have, and what becomes of it."""

from dataclasses import dataclass, field

from saiten.model.errors import SaitenError
from saiten.pipelines.reading.options import ReadOptions

GOOD = '{"text": "良い"}\n'
SMALL = ReadOptions(max_record_bytes=10)
WITH_ID = ReadOptions(id_field="id")


@dataclass(frozen=True)
class OddInput:
    """A file and what becomes of it.

    Attributes:
        rows: Position and text of each record that is read.
        dead: Position and code of each that is not.
        ids: The rows' ids, where they are not ``file:position``.
        error: What the plan or the reading raises, and words of its message.
    """

    name: str
    file: str
    content: bytes
    rows: tuple[tuple[int, str], ...] = ()
    dead: tuple[tuple[int, str], ...] = ()
    ids: tuple[str, ...] | None = None
    error: type[SaitenError] | None = None
    message: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)

    def expected_rows(self) -> list[tuple[int, str, str]]:
        """Position, id and text of each row."""
        ids = self.ids or [f"{self.file}:{position}" for position, _ in self.rows]
        return [(position, id_, text) for (position, text), id_ in zip(self.rows, ids, strict=True)]
