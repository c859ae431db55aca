"""`training.html` of a bundle: what a training came to, and how good its scores are on texts it has not seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from saiten.model.evaluation.evaluation import LabelledScores, groups_by_length, groups_by_oov_share
from saiten.model.evaluation.metrics import calibration_curve, main_figure
from saiten.model.text.ragged import Int64Array
from saiten.pipelines.reports.figure_names import FIGURES
from saiten.pipelines.reports.numbers import percent, short_number
from saiten.pipelines.reports.page import render
from saiten.pipelines.reports.plots.charts import lines, scatter
from saiten.pipelines.reports.training_verdict import CALLED, judge_training

_SHOWN_PLOTS = 12
_MOST_POINTS = 400
_MOST_CLASSES_CONFUSED = 20
_SHOWN_CONFUSIONS = 10
# How many texts of each class, by row, were taken for each.
Counts = Sequence[Sequence[int]]


def training_report(training: Mapping[str, Any], held_out: LabelledScores | None) -> bytes:
    """Returns the page; no text is in it, but the commonest words that the vocabulary does not have.

    Args:
        training: What the manifest says of it.
        held_out: Scores and labels of the held-out texts, where there are any.
    """
    metrics = training["metrics"]
    comparison = training.get("baseline")
    name, value = main_figure(metrics) if metrics else ("", None)
    counts = held_out.confusion() if held_out else None
    return render(
        "training.html.jinja",
        training=training,
        verdict=judge_training(training, len(held_out.outputs) if held_out else 0),
        figure=CALLED.get(name, name),
        value=value,
        curves=list(_learning_curves(training["epochs"])),
        names={"texts": "texts"} | {name: called for name, (called, _) in FIGURES.items()},
        rows=list(_figure_rows(metrics)) if metrics else [],
        baseline=list(_figure_rows(comparison["metrics"])) if comparison else [],
        plots=list(_plots(held_out)) if held_out else [],
        confusion=_confusion(held_out, counts) if held_out and counts else None,
        confused=list(_most_confused(held_out, counts)) if held_out and counts else [],
        groups=_groups(held_out) if held_out else {},
        number=short_number,
        percent=percent,
    )


def _learning_curves(epochs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Markup]]:
    """Yields what each curve is called, and the curve: on one scale the larger loss would make a line of the other.

    One epoch makes no curve.
    """
    if len(epochs) < 2:
        return
    for name, key in (("Training loss", "loss"), ("Held-out loss", "held_out_loss")):
        points = [(float(one["epoch"]), one[key]) for one in epochs]
        if any(loss is None for _, loss in points):
            continue
        label = f"{name} by epoch, over {len(epochs)} epochs: from {points[0][1]:.4g} to {points[-1][1]:.4g}"
        yield name, lines({name: points}, counts=True, label=label)


def _figure_rows(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float | None]]]:
    """Yields names and figures: of each output and their mean, or of all texts at once."""
    outputs = metrics.get("outputs", {})
    yield from outputs.items()
    together = {name: value for name, value in metrics.items() if not isinstance(value, dict)}
    yield ("mean" if outputs else "all"), {**metrics.get("mean", {}), **together}


def _plots(held_out: LabelledScores) -> Iterator[tuple[str, Markup, str]]:
    """Yields what is drawn of the held-out texts: name, plot, and what its axes are."""
    if held_out.task == "classes":
        numbers = held_out.targets[:, 0].astype(np.int64)
        is_right = held_out.scores.argmax(axis=1) == numbers
        yield _calibration("all classes", calibration_curve(held_out.scores.max(axis=1), is_right))
        return
    for i, name in list(enumerate(held_out.outputs))[:_SHOWN_PLOTS]:
        known = ~np.isnan(held_out.targets[:, i])
        scores, labels = held_out.scores[known, i], held_out.targets[known, i]
        if not len(scores):
            continue
        if held_out.task == "labels":
            yield _calibration(name, calibration_curve(scores, labels > 0))
        else:
            shown = np.linspace(0, len(scores) - 1, min(len(scores), _MOST_POINTS)).astype(np.int64)
            points = list(zip(labels[shown].tolist(), scores[shown].tolist(), strict=True))
            label = f"{name}: scores of {len(points)} held-out texts by their labels"
            yield name, scatter(points, label=label), "label; score; the line: equal"


def _calibration(name: str, curve: Sequence[tuple[float, float, int]]) -> tuple[str, Markup, str]:
    points = [(given, happened) for given, happened, _ in curve]
    said = ", ".join(f"{percent(given)} came true in {percent(happened)}" for given, happened in points)
    plot = lines({"held out": points, "perfect": [(0.0, 0.0), (1.0, 1.0)]}, label=f"Calibration of {name}: {said}")
    return name, plot, "probability; share of the texts in which it came true"


def _confusion(held_out: LabelledScores, counts: Counts) -> list[tuple[str, list[tuple[int, float]]]] | None:
    """Returns by true class how many texts were taken for each, and as a share of the class."""
    if len(counts) > _MOST_CLASSES_CONFUSED:
        return None
    return [
        (name, [(n, n / max(1, sum(row))) for n in row]) for name, row in zip(held_out.outputs, counts, strict=True)
    ]


def _most_confused(held_out: LabelledScores, counts: Counts) -> Iterator[tuple[str, str, int]]:
    """Yields true class, what it was taken for, and how often, the commonest first."""
    wrong = np.array(counts)
    np.fill_diagonal(wrong, 0)
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_SHOWN_CONFUSIONS]:
        row, column = np.unravel_index(place, wrong.shape)
        if wrong[row, column]:
            yield held_out.outputs[row], held_out.outputs[column], int(wrong[row, column])


def _groups(held_out: LabelledScores) -> dict[str, list[tuple[str, int, float | None]]]:
    """Returns the main figure by length and by share of OOV words: the group's name, its texts, the figure."""

    def figure(rows: Int64Array) -> float | None:
        return main_figure(held_out.figures(rows))[1]

    by_length, by_share = groups_by_length(held_out), groups_by_oov_share(held_out)
    return {
        "tokens": [(_up_to(most, "{:,.0f}"), len(rows), figure(rows)) for most, rows in by_length],
        "OOV words": [(_up_to(most, "{:.0%}"), len(rows), figure(rows)) for most, rows in by_share],
    }


def _up_to(most: float | None, layout: str) -> str:
    if not most:
        return "more" if most is None else "none"
    return f"up to {layout.format(most)}"
