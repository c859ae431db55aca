"""`report.html` of a run: what came out, and whether to rely on it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from saiten.pipelines import storage
from saiten.pipelines.code_meanings import MEANINGS
from saiten.pipelines.reports.distributions import Compared, compare_scores, compare_texts
from saiten.pipelines.reports.numbers import percent, short_number
from saiten.pipelines.reports.page import render
from saiten.pipelines.reports.plots.distributions import plot_lengths, plot_oov_rates, plot_scores
from saiten.pipelines.reports.verdict import outcome_sentence, verdict_of
from saiten.pipelines.run.layout import REPORT
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.stage_secs import StageSecs
from saiten.pipelines.statistics.run_statistics import RunStatistics

_SHOWN_FILES = 100
_SHOWN_PLOTS = 12
_SHOWN_WORDS = 60
_SHOWN_LABELS = 50
_STAGES = {"read": "reading", "encode": "tokenizing", "infer": "the model", "write": "writing"}


def write_report(output: str, manifest: RunManifest) -> None:
    """Writes the report of the run that the manifest describes."""
    storage.write_atomic(storage.join(output, REPORT), run_report(manifest))


def run_report(manifest: RunManifest) -> bytes:
    """Returns a run's report; its size does not grow with the number of records.

    Of records it shows their places, and what `RunStatistics` may name of them.
    """
    statistics, reference = manifest.statistics or RunStatistics(), manifest.reference
    scores = compare_scores(statistics, reference) if manifest.counts.scored else []
    lengths, oov_rates = compare_texts(statistics, reference)
    files = sorted(manifest.inputs, key=lambda file: (-file.dead, file.source))
    return render(
        "run.html.jinja",
        manifest=manifest,
        outcome=outcome_sentence(manifest),
        verdict=verdict_of(manifest),
        files=files[:_SHOWN_FILES],
        hidden_files=files[_SHOWN_FILES:],
        meanings=MEANINGS,
        examples=statistics.dead_letters,
        statistics=statistics,
        reference=reference,
        scores=scores,
        score_plots=list(_plots_of_most_moved(scores)),
        lengths=lengths,
        oov_rates=oov_rates,
        length_plot=plot_lengths(lengths),
        oov_plot=plot_oov_rates(oov_rates),
        oov_words=dict(list(statistics.oov_words.items())[:_SHOWN_WORDS]),
        stages=list(_stages(statistics.stage_secs)),
        labels=list(_labels(manifest))[:_SHOWN_LABELS],
        settings=_settings(manifest),
        number=short_number,
        percent=percent,
    )


def _plots_of_most_moved(scores: Sequence[Compared]) -> Iterator[tuple[Compared, Markup]]:
    """Yields the outputs that are drawn with their plots, in the model's order."""
    by_drift = sorted(scores, key=lambda one: -one.drift.index if one.drift else 0.0)
    drawn = {one.name for one in by_drift[:_SHOWN_PLOTS]}
    yield from ((one, plot_scores(one)) for one in scores if one.name in drawn)


def _stages(secs: StageSecs) -> Iterator[tuple[str, float, float]]:
    """Yields each stage's name, seconds, and share of all of them."""
    by_stage = asdict(secs)
    total = sum(by_stage.values())
    if total:
        yield from ((name, by_stage[stage], by_stage[stage] / total) for stage, name in _STAGES.items())


def _labels(manifest: RunManifest) -> Iterator[tuple[str, int, float, float | None]]:
    """Yields each class with how many records have it, their share, and the share to be expected by the training."""
    counts = manifest.statistics.labels if manifest.statistics else {}
    usual = manifest.reference.scores if manifest.reference else {}
    total = sum(counts.values())
    for name, n in sorted(counts.items(), key=lambda item: -item[1]):
        yield name, n, n / total, usual[name].mean if name in usual else None


def _settings(manifest: RunManifest) -> dict[str, Any]:
    given = {name: value for name, value in manifest.settings.items() if value not in (None, "", [])}
    return given | {"max_dead_letter_rate": manifest.max_dead_letter_rate} | manifest.versions
