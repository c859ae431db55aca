"""Values of any kind as rows of a page, and what else is on one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saiten.pipelines.verdict import Verdict

MAX_LISTED = 20

Row = tuple[str, str]


@dataclass(frozen=True)
class InspectPage:
    """What `saiten inspect` shows.

    Attributes:
        headline: What it is, in a sentence.
        verdict: Whether to rely on it; None where nothing is known.
        rows: Its sizes and settings.
        metrics: Held-out figures, as `train` gives them.
        details: What only `--all` shows.
        content: The manifest, JSON-able.
    """

    headline: str
    verdict: Verdict | None
    rows: Sequence[Row]
    metrics: Mapping[str, Any] | None
    details: Sequence[Row]
    content: Mapping[str, Any]


def nested_rows(name: str, value: Any) -> Iterable[Row]:
    """Gives settings that belong together one row, nested ones a row each; leaves out what is not set."""
    if not isinstance(value, Mapping):
        if value not in (None, "", []):
            yield name, shortened(value)
        return
    plain = {key: item for key, item in value.items() if not isinstance(item, Mapping) and item not in (None, "", [])}
    if plain:
        yield name, ", ".join(f"{key} {shortened(item)}" for key, item in plain.items())
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from nested_rows(f"{name}.{key}", item)


def shortened(value: Any) -> str:
    """Returns a value as it fits into a line."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(shortened, value[:MAX_LISTED])) + (", …" if len(value) > MAX_LISTED else "")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
