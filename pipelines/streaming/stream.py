"""What a stream is: decided before its pipeline is built, carried along by its steps."""

import time
from dataclasses import dataclass, field

from saiten.pipelines import defaults
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.records import EncodedBlock, RecordBlock, ScoredBlock
from saiten.pipelines.run.layout import Run
from saiten.pipelines.steps.deadline import Deadline
from saiten.pipelines.steps.scoring_bundle import ScoringBundle


@dataclass(frozen=True)
class Stream:
    """All that the steps need.

    Attributes:
        reading: How files and messages are read, with a type for every kept field.
        bundle: What scores, until another one takes its place.
        deadline: How long a block may take.
        input: Files, directories and globs that are watched, absolute; empty where messages are read.
        subscription: Whose messages are read, or None.
        poll_secs: How often files and bundles are looked for.
        window_secs: How much time one set of files covers.
        max_wait_ms: How long a message waits for others.
        bundle_watch: A pattern, absolute, under which new bundles appear, or None.
        started: Seconds since the epoch; the first look.
    """

    run: Run
    reading: ReadOptions
    bundle: ScoringBundle
    deadline: Deadline
    input: str = ""
    subscription: str | None = None
    poll_secs: float = defaults.POLL_SECS
    window_secs: float = defaults.WINDOW_SECS
    max_wait_ms: float = defaults.MAX_BATCH_WAIT_MS
    bundle_watch: str | None = None
    started: float = field(default_factory=time.time)

    def window_of(self, seconds: float) -> float:
        """Returns when the window begins that a time lies in."""
        return seconds // self.window_secs * self.window_secs


@dataclass(frozen=True)
class UnscoredBlock:
    """Records on their way to a window.

    Attributes:
        ack_ids: What acknowledges the messages that they were.
    """

    records: RecordBlock
    ack_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class BundledBlock:
    """The same as ids of one bundle's vocabulary, which that bundle's model has to score."""

    encoded: EncodedBlock
    bundle: ScoringBundle
    ack_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowBlock:
    """Scored records for a window; without any it only says that the window is there.

    Attributes:
        bundle_id: Of the bundle that scored them.
        raw_records: Each row as it was read, where dead letters hold that: it may turn out to be late.
    """

    scored: ScoredBlock | None = None
    bundle_id: str = ""
    raw_records: tuple[bytes, ...] = ()
    ack_ids: tuple[str, ...] = ()
