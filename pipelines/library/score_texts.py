"""Texts scored within other people's pipelines."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.typehints import typehints
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from saiten.model.errors import UsageError
from saiten.pipelines.library.scorer import Scorer, load_scorer
from saiten.pipelines.records import Code

# So many wait to be tokenized and scored together, or so long ones.
_BATCH_TEXTS, _BATCH_CHARS = 2048, 1 << 18


class TextScore(NamedTuple):
    """A text with its scores.

    Attributes:
        text: As it came.
        status: ``scored``; ``empty`` where the text has no token; ``dead`` where it cannot be scored.
        scores: By the name of the output; None unless scored.
        n_tokens: Before truncation; 0 for a dead text.
        n_oov: How many of them the model does not know.
        truncated: The text was longer than the model reads.
        code: Why a dead text is dead: a dead-letter code such as ``BAD_UNICODE``; else None.
        message: The same in words, without any of the text; else None.
        label: For exclusive classes, the one with the highest score; else None, as its score.
        label_score: Its score.
    """

    text: Any
    status: str
    scores: dict[str, float] | None
    n_tokens: int
    n_oov: int
    truncated: bool
    code: str | None = None
    message: str | None = None
    label: str | None = None
    label_score: float | None = None


@dataclass
class ScoreTexts(beam.PTransform):
    """Scores the strings of a `PCollection`, or the texts of ``(key, text)`` pairs.

    >>> with beam.Pipeline(runner="FnApiRunner") as pipeline:
    ...     scores = (
    ...         pipeline
    ...         | beam.Create([("a", "とても美味しいラーメンでした。"), ("b", ""), ("c", None)])
    ...         | saiten.ScoreTexts(bundle="bundles/reviews")
    ...     )
    ...     shown = scores | beam.MapTuple(lambda key, scored: print(key, scored.status, scored.code))
    a scored None
    b empty None
    c dead TEXT_MISSING

    Each element gives one: a `TextScore`, or ``(key, TextScore)``, in the window and with the timestamp of the
    element. A text that cannot be scored is no exception: it comes out as ``dead``, with the code that
    `saiten score` would give its dead letter. What is neither a string nor a pair ends the pipeline.

    Args:
        bundle: The bundle's directory. Each worker process loads what it finds there, once, and tries it.
        engine: ``packed``, ``keras``, or ``auto`` for packed where the bundle has it.
        trust_bundle: Let through layer classes that Saiten does not build.

    Raises:
        UsageError: There is no such engine.
        BundleError: On the workers: the bundle is refused.
    """

    bundle: str | os.PathLike[str]
    engine: str = "auto"
    trust_bundle: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ("auto", "packed", "keras"):
            raise UsageError(f"The engine is auto, packed or keras, not {self.engine!r}.")

    def expand(self, texts: beam.PCollection) -> beam.PCollection:
        score = beam.ParDo(_ScoreTextsDoFn(os.fspath(self.bundle), self.engine, self.trust_bundle))
        return texts | "Score" >> score.with_output_types(_output_type(texts.element_type))


def _output_type(element_type: Any) -> Any:
    """What Beam is told, so that it groups by key as before and checks the next step's types."""
    if element_type is str:
        return TextScore
    if isinstance(element_type, typehints.TupleConstraint) and len(element_type.tuple_types) == 2:
        return typehints.Tuple[element_type.tuple_types[0], TextScore]
    return Any


@dataclass
class _ScoreTextsDoFn(beam.DoFn):
    """Gathers texts within a Beam bundle: no element waits for one that comes later than that."""

    bundle: str
    engine: str
    trust_bundle: bool
    shared: Shared = field(default_factory=Shared)

    def setup(self) -> None:
        self._scorer: Scorer = self.shared.acquire(
            lambda: load_scorer(self.bundle, self.engine, trusted=self.trust_bundle)
        )
        names = ("scored", "empty", "dead")
        self._counters = {name: Metrics.counter("saiten", f"texts-{name}") for name in names}

    def start_bundle(self) -> None:
        self._waiting: list[WindowedValue] = []
        self._chars = 0

    def process(
        self, element: Any, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[WindowedValue]:
        if not (_is_keyed(element) or element is None or isinstance(element, str)):
            raise UsageError(f"ScoreTexts takes strings or (key, text), not {type(element).__name__}.")
        text = _text_of(element)
        self._waiting.append(WindowedValue(element, timestamp, (window,)))
        self._chars += len(text) if isinstance(text, str) else 0
        if len(self._waiting) >= _BATCH_TEXTS or self._chars >= _BATCH_CHARS:
            yield from self.finish_bundle()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        waiting = self._waiting
        self.start_bundle()
        scores = score_strings(self._scorer, [_text_of(each.value) for each in waiting])
        for each, scored in zip(waiting, scores, strict=True):
            self._counters[scored.status].inc()
            yield each.with_value((each.value[0], scored) if _is_keyed(each.value) else scored)


def _is_keyed(element: object) -> bool:
    return isinstance(element, tuple) and len(element) == 2


def _text_of(element: Any) -> object:
    return element[1] if _is_keyed(element) else element


def score_strings(scorer: Scorer, texts: Sequence[object]) -> list[TextScore]:
    """Returns one score a text, whatever the texts are."""
    scored = scorer.score([text if isinstance(text, str) else "" for text in texts])
    encoded, failures = scored.encoded, dict(scored.failures)
    for i, text in enumerate(texts):
        if text is None:
            failures[i] = (Code.TEXT_MISSING, "the text is None")
        elif not isinstance(text, str):
            failures[i] = (Code.TEXT_NOT_STRING, f"the text is {type(text).__name__}")
    columns = (encoded.n_tokens.tolist(), encoded.n_oov.tolist(), encoded.truncated.tolist())
    found = []
    for i, (text, row, is_empty, *counts) in enumerate(
        zip(texts, scored.scores.tolist(), scored.is_empty.tolist(), *columns, strict=True)
    ):
        if i in failures:
            code, message = failures[i]
            found.append(TextScore(text, "dead", None, 0, 0, False, str(code), message))
        elif is_empty:
            found.append(TextScore(text, "empty", None, *counts))
        else:
            scores = dict(zip(scorer.outputs, row, strict=True))
            found.append(TextScore(text, "scored", scores, *counts)._replace(**_label(scorer, scores)))
    return found


def _label(scorer: Scorer, scores: dict[str, float]) -> dict[str, Any]:
    """Returns a text's class and its score by their fields; nothing where the outputs are no exclusive classes."""
    if scorer.task != "classes":
        return {}
    label = max(scores, key=scores.__getitem__)
    return {"label": label, "label_score": scores[label]}
