"""Whether a run's scores can be relied on, in plain words, and why."""

from collections.abc import Iterator, Sequence

from saiten.model.counted import counted
from saiten.pipelines.reports.distributions import Compared, compare_scores, compare_texts
from saiten.pipelines.reports.drift import DriftLevel
from saiten.pipelines.reports.numbers import percent, short_number
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.statistics.run_statistics import RunStatistics
from saiten.pipelines.verdict import Finding, Level, Verdict

# Shares of all tokens: beyond what the training data had, so much more is worth a look, or too much.
_OOV_LOOK, _OOV_BAD = 0.05, 0.15
_TRUNCATED_LOOK = 0.1
# Scores that differ by so little of what they did on the training data tell nothing apart.
_NO_SPREAD = 0.05
_LEAST_FOR_SPREAD = 20
_NAMED = 3
_PSI = "PSI, the population stability index, is below 0.1 where the two are alike, and above 0.25 where they differ."


def outcome_sentence(manifest: RunManifest) -> str:
    """Returns what became of the records."""
    counts = manifest.counts
    if not counts.records:
        return "The input holds no records."
    if counts.records == 1:
        became = "was scored" if counts.scored else "is empty" if counts.empty else "could not be scored"
        return f"The only record {became}."
    if counts.scored == counts.records:
        return f"All {counts.records:,} records were scored."
    parts = [f"{counts.scored:,} of {counts.records:,} records {_were(counts.scored)} scored"]
    if counts.empty:
        parts.append(f"{counts.empty:,} {_are(counts.empty)} empty")
    if counts.dead:
        parts.append(f"{counts.dead:,} could not be scored")
    return "; ".join(parts) + "."


def verdict_of(manifest: RunManifest) -> Verdict:
    """Returns what the commit made of a run; judges it now where an older version left that out."""
    return manifest.verdict or judge_run(manifest)


def judge_run(manifest: RunManifest) -> Verdict:
    """Returns what speaks for and against a run's scores."""
    findings = [*_judge_counts(manifest)]
    if manifest.statistics and manifest.counts.scored:
        scores = compare_scores(manifest.statistics, manifest.reference)
        lengths, oov_rates = compare_texts(manifest.statistics, manifest.reference)
        findings += [*_judge_words(manifest.statistics, oov_rates), *_judge_lengths(manifest.statistics, lengths)]
        findings += _judge_scores(scores)
    return Verdict(tuple(sorted(findings, key=lambda finding: -finding.level)))


def _judge_counts(manifest: RunManifest) -> Iterator[Finding]:
    counts = manifest.counts
    if not counts.scored:
        yield Finding(Level.BAD, "No record was scored.")
    if counts.dead:
        codes = ", ".join(f"{code} {count:,}" for code, count in manifest.dead_letter_codes.items())
        share = percent(counts.dead / counts.records)
        yield Finding(Level.LOOK, f"{share} of the records could not be scored: {codes}.")
    if counts.duplicate_ids:
        about = "" if manifest.duplicate_ids_exact else "About "
        have, them = ("has", "it") if counts.duplicate_ids == 1 else ("have", "them")
        records = counted(counts.duplicate_ids, "record")
        yield Finding(Level.LOOK, f"{about}{records} {have} the id of another: a join by id doubles {them}.")


def _judge_words(statistics: RunStatistics, oov: Compared) -> Iterator[Finding]:
    rate = statistics.n_oov / max(1.0, statistics.n_tokens.total)
    usual = oov.training.mean if oov.training else 0.0
    of_training = f" (usual in texts like those of training: {percent(usual)})" if oov.training else ""
    sentence = f"{percent(rate)} of the tokens are words that the model does not know{of_training}."
    level = Level.BAD if rate > usual + _OOV_BAD else Level.LOOK if rate > usual + _OOV_LOOK else Level.GOOD
    yield Finding(level, sentence)


def _judge_lengths(statistics: RunStatistics, lengths: Compared) -> Iterator[Finding]:
    if lengths.training and lengths.drift and lengths.drift.level == DriftLevel.DIFFERENT:
        here, there = short_number(lengths.values.mean), short_number(lengths.training.mean)
        yield Finding(
            Level.LOOK,
            f"The texts are of another length than those of training: {here} tokens on average, there {there}.",
        )
    truncated = statistics.n_truncated / max(1, statistics.n_tokens.n)
    if truncated:
        level = Level.LOOK if truncated > _TRUNCATED_LOOK else Level.GOOD
        yield Finding(level, f"{percent(truncated)} of the texts were cut: they are longer than the model reads.")


def _judge_scores(scores: Sequence[Compared]) -> Iterator[Finding]:
    flat = [one for one in scores if _is_flat(one)]
    if flat:
        yield Finding(
            Level.BAD,
            f"All texts have nearly the same score ({_named(flat)}): "
            "their standard deviation is less than a twentieth of what it was on the training data.",
        )
    if not any(one.training for one in scores):
        yield Finding(Level.LOOK, "The bundle does not say what its training data was like: nothing to compare with.")
        return
    if not any(one.drift for one in scores):
        yield Finding(Level.LOOK, "Whether the scores are spread as on the training data cannot be told.")
        return
    by_level = {level: [one for one in scores if one.drift and one.drift.level == level] for level in DriftLevel}
    if different := by_level[DriftLevel.DIFFERENT]:
        yield Finding(
            Level.LOOK,
            f"The scores are spread otherwise than on the training data ({_named(different)}): "
            f"these texts are of another kind, or what they speak of has changed. {_PSI}",
        )
    if moved := by_level[DriftLevel.MOVED]:
        sentence = f"The scores have moved somewhat from those on the training data ({_named(moved)})."
        yield Finding(Level.LOOK, sentence if different else f"{sentence} {_PSI}")
    if too_few := by_level[DriftLevel.TOO_FEW]:
        yield Finding(
            Level.LOOK,
            f"The records are too few to tell the same of all scores: {_names(too_few)} may have moved or not."
            if different or moved
            else "These are too few records to tell whether they are like the training data.",
        )
    elif not different and not moved:
        yield Finding(Level.GOOD, "The scores are spread as on the training data.")


def _is_flat(scores: Compared) -> bool:
    """Whether hardly anything is told apart: a model that reads its padding ends so."""
    if not scores.training or scores.values.n < _LEAST_FOR_SPREAD:
        return False
    return scores.values.deviation < _NO_SPREAD * scores.training.std


def _named(scores: Sequence[Compared]) -> str:
    named = [f"{one.name}, PSI {one.drift.index:.2f}" if one.drift else one.name for one in scores[:_NAMED]]
    rest = len(scores) - len(named)
    return "; ".join(named) + (f"; and {rest} more" if rest else "")


def _names(scores: Sequence[Compared]) -> str:
    rest = len(scores) - _NAMED
    return ", ".join(one.name for one in scores[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
