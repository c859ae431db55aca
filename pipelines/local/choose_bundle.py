"""The bundle that a run scores with, as far as the launcher has to know it."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.reference import Reference
from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.steps.scoring_bundle import ScoringBundle, opened_bundle
from saiten.pipelines.terminal import say

# Of more outputs nobody looks at every distribution.
_MOST_DISTRIBUTIONS = 100


@dataclass(frozen=True)
class ChosenBundle:
    """A bundle that was opened, and judged with its engine.

    Attributes:
        scoring: As the steps carry it.
        outputs: Names of the model's outputs.
        n_labels: So many of the highest classes are named; 0 where the outputs are no classes.
        reference: What its training data was like, where that is known.
        score_ranges: By output, the least and the largest score to be expected.
    """

    scoring: ScoringBundle
    outputs: tuple[str, ...]
    n_labels: int
    reference: Reference | None
    score_ranges: dict[str, tuple[float, float]]

    def with_threads(self, threads: int) -> "ChosenBundle":
        """Returns the bundle with so many of TensorFlow's threads in each process."""
        return dataclasses.replace(self, scoring=dataclasses.replace(self.scoring, threads=threads))


def choose_bundle(settings: ScoreSettings) -> ChosenBundle:
    """Opens the bundle, with its dictionary checked whole, and chooses and judges the engine.

    Raises:
        BundleError: It is missing or refused.
        UsageError: More classes are to be named than it has.
    """
    with opened_bundle(settings.bundle, trusted=settings.trust_bundle) as bundle:
        bundle.check_dictionary()
        engine = bundle.engine_name(settings.engine)
        bundle.check_engine(engine)
        if engine == "keras" and settings.engine == "auto":
            say(f"scores with the keras engine, which takes longer than the packed one: {bundle.why_not_packed}")
        path = storage.absolute(settings.bundle)
        scoring = ScoringBundle(path, bundle.bundle_id, engine, settings.trust_bundle, segmenter=settings.segmenter)
        reference = bundle.reference()
        n_labels = _count_labels(settings, bundle)
        return ChosenBundle(scoring, tuple(bundle.outputs), n_labels, reference, _score_ranges(bundle, reference))


def _count_labels(settings: ScoreSettings, bundle: StoredBundle) -> int:
    is_classes = bundle.manifest.task == "classes"
    n_classes = len(bundle.outputs) if is_classes else 0
    if settings.top > max(1, n_classes):
        kind = f"has {n_classes} classes" if is_classes else f"has no exclusive classes but {bundle.manifest.task}"
        raise UsageError(f"--top={settings.top}: {settings.bundle} {kind}.")
    return settings.top if is_classes and not settings.no_label else 0


def _score_ranges(bundle: StoredBundle, reference: Reference | None) -> dict[str, tuple[float, float]]:
    """Returns the ends of the scores of the training data, or of the golden records."""
    outputs = bundle.outputs[:_MOST_DISTRIBUTIONS]
    if reference and reference.scores.keys() >= set(outputs):
        histograms = (reference.scores[output].histogram for output in outputs)
        return {name: (own.edges[0], own.edges[-1]) for name, own in zip(outputs, histograms, strict=True)}
    golden = np.array([record.scores for record in bundle.golden() if record.scores]).reshape(-1, len(bundle.outputs))
    ends = zip(golden.min(axis=0, initial=np.inf), golden.max(axis=0, initial=-np.inf), strict=True)
    known = [(float(low), float(high)) if low <= high else (0.0, 1.0) for low, high in ends]
    return dict(zip(outputs, known, strict=False))
