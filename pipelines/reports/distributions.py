"""A run's scores, lengths and OOV rates beside those of the training data: figures."""

from dataclasses import dataclass

from saiten.model.bundle.reference import Distribution, Reference
from saiten.pipelines.reports.drift import Drift, drift_from
from saiten.pipelines.statistics.histogram import Histogram
from saiten.pipelines.statistics.run_statistics import RunStatistics


@dataclass(frozen=True)
class Compared:
    """Values of a run beside those of the training data.

    Attributes:
        name: Of the output, or of what was measured.
        values: The run's.
        training: None where the training data is not known.
        drift: None where the two cannot be compared.
    """

    name: str
    values: Histogram
    training: Distribution | None
    drift: Drift | None


def compare_scores(statistics: RunStatistics, reference: Reference | None) -> list[Compared]:
    """Returns the scores of each output beside those of the training data."""
    known = reference.scores if reference else {}
    return [_compare(name, values, known.get(name)) for name, values in statistics.scores.items()]


def compare_texts(statistics: RunStatistics, reference: Reference | None) -> tuple[Compared, Compared]:
    """Returns the texts' lengths and their OOV rates beside those of the training data."""
    return (
        _compare("tokens", statistics.n_tokens, reference.n_tokens if reference else None),
        _compare("OOV rate", statistics.oov_rate, reference.oov_rate if reference else None),
    )


def _compare(name: str, values: Histogram, training: Distribution | None) -> Compared:
    return Compared(name, values, training, drift_from(training.histogram, values) if training else None)
