"""What ten lines of scikit-learn reach on the same texts: TF-IDF of words and pairs of words, and a linear model."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from saiten.model.evaluation.intervals import difference_interval
from saiten.model.evaluation.metrics import evaluate, main_figure
from saiten.model.task import Task
from saiten.model.text.ragged import FloatArray, Int64Array

# Figures of probabilities; a linear support vector machine gives none.
_OF_PROBABILITIES = ("log_loss", "calibration_error")


def score_by_baseline(
    training: Iterable[str],
    held_out: Iterable[str],
    targets: FloatArray,
    task: Task,
    n_outputs: int,
    *,
    balanced: bool = False,
    seed: int = 0,
) -> FloatArray:
    """Trains the linear model and returns the held-out texts' scores, float32 [n, outputs].

    Classes and labels by a linear support vector machine, scores 1 and 0; numbers by ridge regression. It holds the
    counts of all training texts in memory.

    Args:
        training: Segmented texts, one space between tokens.
        held_out: The same.
        targets: float32 [training texts, columns], as for `saiten.model.evaluation.metrics.evaluate`.
        task: Of the labels.
        n_outputs: Scores of a text.
        balanced: All classes count the same.
        seed: Of the order in which the machine looks at texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, dtype=np.float32)
    features, others = vectorizer.fit_transform(training), vectorizer.transform(held_out)

    def classifier() -> Any:
        return LinearSVC(class_weight="balanced" if balanced else None, random_state=seed)

    if task == "classes":
        chosen = classifier().fit(features, targets[:, 0].astype(np.int64)).predict(others)
        return np.asarray(np.eye(n_outputs)[chosen], np.float32)
    make: Callable[[], Any] = classifier if task == "labels" else lambda: Ridge(random_state=seed)
    columns = []
    for target in targets.T:
        is_known = ~np.isnan(target)
        known = target[is_known]
        if len(np.unique(known)) < 2:
            columns.append(np.full(others.shape[0], known[0] if len(known) else 0.0))
        else:
            columns.append(make().fit(features[is_known], known).predict(others))
    return np.stack(columns, axis=1).astype(np.float32)


def compare_with_baseline(
    scores: FloatArray, baseline: FloatArray, targets: FloatArray, task: Task, outputs: tuple[str, ...]
) -> dict[str, Any]:
    """Compares the network's scores of the held-out texts, [n, outputs], with the baseline's.

    Returns:
        JSON-able: `metrics` of the baseline; `figure`, the name of what is compared, `network` and `baseline`, what
        they reach, and the interval of the `difference`, above 0 where the baseline is better (None where a side has
        no such figure).
    """

    def main(of: FloatArray) -> Callable[[Int64Array], float | None]:
        return lambda rows: main_figure(evaluate(task, of[rows], targets[rows], outputs))[1]

    metrics = evaluate(task, baseline, targets, outputs)
    everything = np.arange(len(targets))
    interval = difference_interval(main(scores), main(baseline), len(targets))
    return {
        "metrics": without_probabilities(metrics),
        "figure": main_figure(metrics)[0],
        "network": main(scores)(everything),
        "baseline": main(baseline)(everything),
        "difference": None if interval is None else list(interval),
    }


def _words_and_pairs(line: str) -> list[str]:
    words = line.split(" ")
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def without_probabilities(metrics: dict[str, Any]) -> dict[str, Any]:
    """Returns the metrics without those of probabilities, of which the baseline's scores are none."""
    return {
        name: without_probabilities(value) if isinstance(value, dict) else value
        for name, value in metrics.items()
        if name not in _OF_PROBABILITIES
    }
