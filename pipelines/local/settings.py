"""What a run is asked for: the flags of `saiten score`, with types and judged. Imports nothing heavy."""

import dataclasses
import re
from dataclasses import dataclass

from saiten.model.errors import UsageError
from saiten.pipelines import defaults

# Beam's plain DirectRunner first tries to download a program; the in-process runner does not, so both mean that.
_LOCAL_RUNNERS = ("fnapi", "direct")
# A month: timers take no infinity.
_MAX_TIMEOUT_SECS = 30 * 24 * 3600
_MAX_WAIT_MS = 60_000
# What no run over files has.
_OF_STREAMS = ("subscription", "bundle_watch", "poll_secs", "window_secs", "max_batch_wait_ms")
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """What to score, with what, where to and how; each field is the flag of its name.

    Attributes:
        output: The run's directory; None where nothing is to be written.
        text_field: None is ``text``, where the input has fields.
        keep_fields: ``name`` or ``name:type``, between commas.
        no_label: For classes, without the columns of the highest one.
        top: For classes, how many of the highest are named.
        input: Empty where a subscription is read.
        workers: Local processes; None takes all cores where the input is worth it.
        beam_flags: What goes to Beam's own options.

    Raises:
        UsageError: A value is out of range, or two do not go together.
    """

    input: str = ""
    bundle: str
    output: str | None = None
    input_format: str = defaults.INPUT_FORMAT
    encoding: str = defaults.ENCODING
    quoting: str = defaults.QUOTING
    text_field: str | None = None
    id_field: str | None = None
    keep_fields: str = ""
    max_record_bytes: int = defaults.MAX_RECORD_BYTES
    table_files: bool = False
    no_label: bool = False
    top: int = 1
    engine: str = "auto"
    segmenter: str = "auto"
    trust_bundle: bool = False
    runner: str = "FnApiRunner"
    workers: int | None = None
    beam_flags: tuple[str, ...] = ()
    batch_timeout_secs: float = 600.0
    max_dead_letter_rate: float = 0.01
    no_raw: bool = False
    report_examples: bool = False
    overwrite: bool = False
    resume: bool = False
    no_wait: bool = False
    streaming: bool = False
    subscription: str | None = None
    poll_secs: float = defaults.POLL_SECS
    window_secs: float = defaults.WINDOW_SECS
    bundle_watch: str | None = None
    max_batch_wait_ms: float = defaults.MAX_BATCH_WAIT_MS
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.overwrite and self.resume:
            raise UsageError("--overwrite starts anew and --resume goes on: give one of them.")
        if self.top < 1 or (self.no_label and self.top > 1):
            raise UsageError(f"--top={self.top}: it is 1 or more, and goes without --no_label.")
        check_dead_letter_rate(self.max_dead_letter_rate)
        if not 0 < self.batch_timeout_secs <= _MAX_TIMEOUT_SECS:
            raise UsageError(
                f"--batch_timeout_secs must be above 0 and at most {_MAX_TIMEOUT_SECS:,}, "
                f"not {self.batch_timeout_secs:g}."
            )
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers must be 1 or more, not {self.workers}.")
        if self.workers is not None and not self.is_local:
            raise UsageError(f"--workers is for local runs; {self.runner} has flags of its own for that.")
        _check_stream(self)
        if self.no_wait and self.is_local:
            raise UsageError("--no_wait is for a --runner elsewhere: a local run ends with its command.")

    @property
    def is_local(self) -> bool:
        """Whether the runner works on this machine; Beam takes its name in any case, with or without "Runner"."""
        return self.runner.lower().removesuffix("runner") in _LOCAL_RUNNERS

    @property
    def run_directory(self) -> str:
        """The output directory.

        Raises:
            UsageError: None is given.
        """
        if self.output is None:
            raise UsageError("--output is needed: the directory for the scores.")
        return self.output


def check_dead_letter_rate(rate: float) -> None:
    """Refuses a rate that is no share, NaN included.

    Raises:
        UsageError: In one sentence.
    """
    if not 0 <= rate <= 1:
        raise UsageError(f"--max_dead_letter_rate is a share from 0 to 1, not {rate:g}.")


def _check_stream(settings: ScoreSettings) -> None:
    """Refuses what a stream cannot do, and what only a stream can.

    Raises:
        UsageError: In one sentence.
    """
    if not settings.streaming:
        defaults = {field.name: field.default for field in dataclasses.fields(settings)}
        for flag in (flag for flag in _OF_STREAMS if getattr(settings, flag) != defaults[flag]):
            raise UsageError(f"--{flag} is for input without end: say --streaming too.")
        return
    if bool(settings.input) == bool(settings.subscription):
        raise UsageError("--streaming reads --input, files as they arrive, or --subscription: give one of the two.")
    if settings.subscription and not _SUBSCRIPTION.fullmatch(settings.subscription):
        raise UsageError(f"--subscription is projects/PROJECT/subscriptions/NAME, not {settings.subscription!r}.")
    if settings.overwrite:
        raise UsageError("--overwrite: a stream writes no window again; --resume goes on, or give another --output.")
    times = {"poll_secs": settings.poll_secs, "window_secs": settings.window_secs}
    for flag, secs in times.items():
        if not 1 <= secs <= _MAX_TIMEOUT_SECS:
            raise UsageError(f"--{flag} must be from 1 to {_MAX_TIMEOUT_SECS:,}, not {secs:g}.")
    if not 0 <= settings.max_batch_wait_ms <= _MAX_WAIT_MS:
        raise UsageError(f"--max_batch_wait_ms must be from 0 to {_MAX_WAIT_MS:,}, not {settings.max_batch_wait_ms:g}.")
