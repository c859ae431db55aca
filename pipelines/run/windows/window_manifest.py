"""`windows/<start>.json`: what a window of a stream says of itself, and what decides which parts count.

DIR/scores/window-<start>-<number>-<attempt>.parquet
DIR/dead_letters/window-<start>-<number>-<attempt>.parquet
DIR/windows/<start>.json           the window, complete when it appears
DIR/windows/<start>-late-<n>.json  records that came later than that, as dead letters
"""

import re
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.run.json_file import read_json, to_json
from saiten.pipelines.run.layout import WINDOWS_FOLDER
from saiten.pipelines.run.notes import contended
from saiten.pipelines.run.range_summary import Part, SourceCount
from saiten.pipelines.run.run_manifest import counts_line

_START = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"\d{8}T\d{6}Z(-late-\d+)?\.json")


@dataclass(frozen=True)
class WindowPart:
    """A Parquet file of a window, and which bundle scored it."""

    part: Part
    bundle_id: str


@dataclass(frozen=True, kw_only=True)
class WindowManifest:
    """What a window says of itself when it is whole.

    Attributes:
        run_id: Of the job that wrote it.
        start, end: Seconds since the epoch.
        number: 0 for the window itself, from 1 on for what came late.
        committed: When it was written, in seconds since the epoch.
        counts: ``records = scored + empty + dead``.
        duplicates: Records of messages or files that came more than once, beyond the first; not among the records.
        dead_letter_codes: How many of each.
        sources: The files, or the subscription, that its records are of.
        parts: The files that count.
    """

    run_id: str
    start: float
    end: float
    number: int
    committed: float
    counts: SourceCount
    duplicates: int = 0
    dead_letter_codes: dict[str, int] = field(default_factory=dict)
    sources: dict[str, SourceCount] = field(default_factory=dict)
    parts: tuple[WindowPart, ...] = ()

    @property
    def name(self) -> str:
        """Its name, which sorts by time."""
        late = f"-late-{self.number}" if self.number else ""
        return f"{start_name(self.start)}{late}"

    @property
    def lag_secs(self) -> float:
        """How long after its end it was there; an engine that knows that no more can come need not wait for that."""
        return max(0.0, self.committed - self.end)

    @property
    def line(self) -> str:
        """What it came to, in words."""
        outcome = counts_line(self.counts, dict(sorted(self.dead_letter_codes.items())))
        return f"window {self.name}: {outcome}; {self.lag_secs:.1f} s behind its end"


def start_name(start: float) -> str:
    """Returns what a window is called that begins then."""
    return time.strftime(_START, time.gmtime(start))


def write_window_manifest(output: str, manifest: WindowManifest) -> bool:
    """Makes a window visible, once.

    Returns:
        False where another attempt at it was faster: its manifest stands.
    """
    return contended.create(storage.join(output, WINDOWS_FOLDER, f"{manifest.name}.json"), to_json(manifest))


def manifests_of(output: str, start: float) -> list[WindowManifest]:
    """Returns what is written of the window that begins then, the window itself first."""
    names = storage.list_named(storage.join(output, WINDOWS_FOLDER), start_name(start))
    found = [read_window_manifest(path) for path in names if _NAME.fullmatch(path.rpartition("/")[2])]
    return sorted(found, key=lambda manifest: manifest.number)


def read_window_manifest(path: str) -> WindowManifest:
    """Returns a window's manifest.

    Raises:
        UsageError: It is none.
    """
    try:
        found = read_json(path, WindowManifest)
    except ValueError as error:
        raise UsageError(f"{path} is no manifest of a window: {error}.") from error
    if found is None:
        raise UsageError(f"{path} is gone.")
    return found


class Windows:
    """The windows of an output directory as they appear; each is read once.

    Args:
        output: The output directory.
    """

    def __init__(self, output: str) -> None:
        self._folder = storage.join(output, WINDOWS_FOLDER)
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def new(self) -> Iterator[WindowManifest]:
        """Yields those that have appeared since the last look, in order."""
        # Without its ending, because a window comes before what was late for it.
        for path in sorted(storage.list_named(self._folder, ""), key=lambda path: path.removesuffix(".json")):
            if path not in self._seen and _NAME.fullmatch(path.rpartition("/")[2]):
                yield read_window_manifest(path)
                self._seen.add(path)


class FilesOfWindows:
    """Which file is in which window of a stream of files.

    Args:
        output: The output directory.
    """

    def __init__(self, output: str) -> None:
        self._windows = Windows(output)
        self._starts: dict[str, float] = {}

    def all(self) -> Set[str]:
        """Returns the files that the windows hold by now."""
        for manifest in self._windows.new():
            for source in manifest.sources:
                self._starts.setdefault(source, manifest.start)
        return self._starts.keys()

    def of_others(self, start: float) -> Set[str]:
        """Returns those that other windows hold than the one that begins then."""
        self.all()
        return {source for source, other in self._starts.items() if other != start}
