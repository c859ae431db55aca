"""What came of a training, on a terminal: figures, findings, and one line in numbers."""

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console

from saiten.model.bundle.bundle_files import TRAINING_PAGE
from saiten.model.counted import counted
from saiten.model.training.findings import baseline_line, coverage_line
from saiten.pipelines.commands.training.texts import Texts
from saiten.pipelines.commands.training.view import print_metrics
from saiten.pipelines.reports.training_verdict import judge_training
from saiten.pipelines.terminal import say

if TYPE_CHECKING:
    from saiten.model.training.train import TrainingResult


def show_figures(training: dict[str, Any], console: Console) -> None:
    """Prints the held-out figures, and the baseline's beside them."""
    if training["metrics"]:
        print_metrics(console, training["metrics"])
    if comparison := training.get("baseline"):
        console.print()
        print_metrics(console, comparison["metrics"], "the linear baseline on them")


def say_findings(trained: "TrainingResult", directory: str, *, is_quiet: bool) -> None:
    """Says what to make of a training, and what would help; quietly only how the baseline compares."""
    training, bundle = trained.training, trained.bundle
    if not is_quiet:
        engines = bundle.engines.rstrip(".")  # the reason why there is one alone is a sentence
        say(f"scores with {engines}; {os.path.join(directory, TRAINING_PAGE)} shows the training")
        say(coverage_line(training))
        verdict = judge_training(training, len(bundle.outputs))
        for finding in verdict.findings if verdict else ():
            say(finding.sentence)
    elif comparison := training.get("baseline"):
        say(baseline_line(comparison))


def summary_line(training: dict[str, Any], texts: Texts, bundle: str) -> str:
    """Returns what happened in numbers, one line."""
    records, validation, further = texts.labelled, texts.validation, texts.further
    data, epochs = training["data"], training["epochs"]
    codes = _codes(records.bad + validation.bad + Counter(data["skipped"]))
    further_codes = _codes(further.bad + Counter(data["further_skipped"]))
    missing = _codes(records.missing + validation.missing)
    best = max(report["epoch"] for report in epochs if report["is_best"]) if data["held_out"] else 0
    n_refit = training["settings"]["refit_epochs"]
    held_out = f"{data['held_out']:,} held out ({data['held_out_by']})" if data["held_out"] else "none held out"
    return (
        f"{counted(records.n_read + validation.n_read, 'record')} read, "
        f"{data['used'] - data['held_out']:,} trained on, {held_out}{f', {codes}' if codes else ''}"
        f"{f'; missing labels: {missing}' if missing else ''}"
        f"{f'; left out of the further text: {further_codes}' if further_codes else ''}; "
        f"{_best_epoch(len(epochs), best, n_refit)}; in {bundle}"
    )


def _best_epoch(n: int, best: int, n_refit: int) -> str:
    """Returns which epoch is kept, and how many came behind it; `best` is 0 where none could be told apart."""
    kept = f"best of {n:,} epochs is {best}" if n > 1 and best else counted(n, "epoch")
    return f"{kept}, then {n_refit} on all texts" if n_refit else kept


def _codes(counts: Counter[str]) -> str:
    """Returns what was counted, by name; ``""`` where nothing was."""
    return ", ".join(f"{code} {count:,}" for code, count in sorted(counts.items()) if count)
