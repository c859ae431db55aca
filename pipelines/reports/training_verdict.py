"""How good a trained model is, in plain words, from what its bundle's manifest says of the training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from saiten.model.counted import counted
from saiten.model.evaluation.metrics import main_figure
from saiten.model.training.findings import baseline_line, hints
from saiten.pipelines.reports.numbers import percent
from saiten.pipelines.verdict import Finding, Level, Verdict

# Held-out figures below these say that the scores hardly follow the labels, or only loosely.
_HARDLY, _LOOSELY = 0.2, 0.5
# A macro-F1 of so many times that of one who always says the same is hardly better.
_NO_BETTER = 1.3
_FEW_HELD_OUT = 100
# How main figures are called.
CALLED = {"mean spearman": "mean Spearman correlation", "mean f1": "mean F1", "accuracy": "accuracy"}


@dataclass(frozen=True)
class _Data:
    used: int
    held_out: int


@dataclass(frozen=True)
class _Metrics:
    texts: int
    accuracy: float | None = None
    macro_f1: float | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    mean: dict[str, float] = field(default_factory=dict)
    outputs: dict[str, dict[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Coverage:
    vocabulary: float
    truncated: float


@dataclass(frozen=True)
class _Training:
    data: _Data
    settings: dict[str, Any]
    epochs: list[dict[str, Any]]
    coverage: _Coverage
    metrics: _Metrics | None = None
    baseline: dict[str, Any] | None = None


def judge_training(training: Mapping[str, Any], n_outputs: int) -> Verdict | None:
    """Returns what speaks for and against a model; None where its bundle says nothing that can be read.

    A bundle of a model that was trained elsewhere says nothing, and whatever a stranger's one says is not believed
    before its types are right.
    """
    try:
        known = msgspec.convert(training, _Training)
        findings = [*_judge_figures(known, n_outputs)]
        findings += [Finding(Level.LOOK, sentence) for sentence in hints(training)]
        if known.baseline:
            findings.append(_judge_baseline(known.baseline))
    except (msgspec.ValidationError, KeyError, TypeError, ValueError):
        return None
    return Verdict(tuple(sorted(findings, key=lambda finding: -finding.level)))


def _judge_figures(known: _Training, n_outputs: int) -> Iterator[Finding]:
    metrics = known.metrics
    if metrics is None:
        yield Finding(Level.LOOK, "No text was held out: how good the scores are is not known.")
        return
    if metrics.macro_f1 is not None and metrics.accuracy is not None:
        sentence = f"{percent(metrics.accuracy)} of {_held_out(metrics)} get their class."
        if metrics.macro_f1 <= _NO_BETTER / max(1, n_outputs):
            yield Finding(Level.BAD, f"{sentence} That is hardly better than always saying the same class.")
        else:
            yield Finding(Level.LOOK if metrics.macro_f1 < _LOOSELY else Level.GOOD, sentence)
    else:
        yield _judge_mean(metrics)
    if metrics.texts < _FEW_HELD_OUT:
        yield Finding(Level.LOOK, f"These are the figures of only {_held_out(metrics)}: they are rough.")


def _held_out(metrics: _Metrics) -> str:
    return counted(metrics.texts, "held-out text")


def _judge_mean(metrics: _Metrics) -> Finding:
    figures = {"accuracy": metrics.accuracy} if metrics.accuracy is not None else {}
    name, value = main_figure({"mean": metrics.mean, **figures})
    what = f"On {_held_out(metrics)}"
    if value is None:
        why = "their labels are all the same, or their scores are"
        return Finding(Level.BAD, f"{what} it cannot be told whether the scores follow the labels: {why}.")
    figure = f"{CALLED.get(name, name)} {value:.3f}; 1 would be perfect"
    if name == "accuracy":
        return Finding(Level.LOOK if value < _LOOSELY else Level.GOOD, f"{what} the highest score is right: {figure}.")
    if value < _HARDLY:
        return Finding(Level.BAD, f"{what} the scores hardly follow the labels: {figure}.")
    if value < _LOOSELY:
        return Finding(Level.LOOK, f"{what} the scores follow the labels loosely: {figure}.")
    return Finding(Level.GOOD, f"{what} the scores follow the labels: {figure}.")


def _judge_baseline(comparison: Mapping[str, Any]) -> Finding:
    line = baseline_line(comparison)
    is_better = comparison["difference"] is not None and comparison["difference"][0] > 0
    return Finding(Level.BAD if is_better else Level.GOOD, f"{line[:1].upper()}{line[1:]}.")
