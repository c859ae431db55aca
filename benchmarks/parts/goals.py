"""The table: what is compared with what, and how far it may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.parts.measurements import Measurements
from benchmarks.parts.trials import Trial

MULTIPLES = (1, 2, 4, 8, 16)
_LARGEST = MULTIPLES[-1]
# Files that a worker cannot begin to read in the middle without more ado.
# 117,872 articles: whole runs are compared, and starting takes three seconds of each.
_CUT_TIMES = 16
_CUT_ENDINGS = (".csv", ".csv.gz", ".jsonl.gz", ".jsonl.zst", ".parquet")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: What costs.
        measured: How it was measured.
        values: One a round.
        unit: ``x`` (a ratio), ``s`` or ``MB``.
        limit: What must be kept.
        goal: What is aimed at, where that is more than the limit.
        at_least: The limit is a lower one.
        note: The figures behind the ratio.
    """

    what: str
    measured: str
    values: tuple[float, ...]
    unit: str
    limit: float
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """The middle one of the values."""
        return median(self.values)

    @property
    def verdict(self) -> str:
        """``goal``, ``within`` the limit, or ``missed``."""
        sign = -1 if self.at_least else 1
        if sign * self.median > sign * self.limit:
            return "missed"
        return "goal" if self.goal is None or sign * self.median <= sign * self.goal else "within"

    def to_dict(self) -> dict[str, Any]:
        """Returns the row as JSON holds it."""
        return {**asdict(self), "median": self.median, "verdict": self.verdict}


@dataclass(frozen=True)
class Group:
    """Rows that are measured together.

    Attributes:
        rows: Makes them of the measurements.
        trials: What has to be run for them, sides in turn, given the number of workers.
        probes: Which programs of `benchmarks.probes` have to run, with their corpora.
    """

    rows: Callable[[Measurements, int], Sequence[Row]] = lambda _measured, _workers: ()
    trials: Callable[[int], Sequence[Trial]] = lambda _workers: ()
    probes: Sequence[tuple[str, str]] = ()


def _marginal(corpus: str, what: str, limit: float, goal: float) -> Group:
    def trials(workers: int) -> list[Trial]:
        return [Trial(side, corpus, times, workers) for times in (1, 4) for side in ("saiten", "floor")]

    def rows(measured: Measurements, workers: int) -> list[Row]:
        one, floor_one, four, floor_four = trials(workers)
        ratios = measured.combine(lambda a, b, c, d: (c - a) / (d - b), one, floor_one, four, floor_four)
        note = "; ".join(
            f"{small.side} {measured.median(small):.1f} and {measured.median(large):.1f} s"
            for small, large in ((one, four), (floor_one, floor_four))
        )
        how = f"4 x {corpus}.txt less {corpus}.txt, against the same of floor"
        return [Row(what, how, tuple(ratios), "x", limit, goal, note=note)]

    return Group(rows, trials)


def _whole_trials(workers: int) -> list[Trial]:
    return [Trial(side, "news", 1, workers) for side in ("saiten", "script")]


def _whole(measured: Measurements, workers: int) -> list[Row]:
    ours, script = _whole_trials(workers)
    note = f"saiten {measured.median(ours):.1f} s, script {measured.median(script):.1f} s"
    ratios = measured.combine(lambda a, b: a / b, ours, script)
    return [Row("a whole run", "news.txt, start to _SUCCESS, against script", tuple(ratios), "x", 0.5, 0.4, note=note)]


def _model(measured: Measurements, _workers: int) -> list[Row]:
    probe = measured.probes["engine news"]
    ratios = [ours / theirs for ours, theirs in zip(probe["packed"], probe["keras"], strict=True)]
    ours, theirs = (1e6 * median(probe[side]) / probe["tokens"] for side in ("packed", "keras"))
    how = f"{probe['texts']} texts as they arrive, one thread, against compiled Keras on sorted batches of 32"
    note = f"{ours:.2f} us a token, Keras {theirs:.2f} us"
    return [Row("the model alone", how, tuple(ratios), "x", 1 / 4, 1 / 6, note=note)]


def _worker_trials(_workers: int) -> list[Trial]:
    pairs = [(times, workers) for times in (1, 4) for workers in (1, 2)]
    return [Trial(side, "news", times, workers) for side in ("saiten", "floor") for times, workers in pairs]


def _second_worker(measured: Measurements, workers: int) -> list[Row]:
    trials = _worker_trials(workers)
    ratios, floor = (measured.combine(lambda a, b, c, d: (c - a) / (d - b), *side) for side in (trials[:4], trials[4:]))
    alone, both = (measured.median(trials[2 + i]) - measured.median(trials[i]) for i in range(2))
    note = (
        f"three times news.txt more: {alone:.1f} s with one worker, {both:.1f} s with two; floor {median(floor):.2f} x"
    )
    how = "4 x news.txt less news.txt, one worker against two"
    return [Row("a second worker", how, tuple(ratios), "x", 1.8, at_least=True, note=note)]


def _cut_trials(ending: str) -> list[Trial]:
    return [Trial("saiten", "news", _CUT_TIMES, workers, ending) for workers in (1, 2)]


def _cut(measured: Measurements, _workers: int) -> list[Row]:
    rows = []
    for ending in _CUT_ENDINGS:
        alone, both = _cut_trials(ending)
        ratios = measured.combine(lambda a, b: a / b, alone, both)
        note = f"{measured.median(alone):.1f} s and {measured.median(both):.1f} s"
        how = f"{_CUT_TIMES} x news{ending}, start to _SUCCESS, one worker against two"
        rows.append(Row(f"a second worker, {ending}", how, tuple(ratios), "x", 1.8, at_least=True, note=note))
    return rows


def _row_group(measured: Measurements, _workers: int) -> list[Row]:
    probe = measured.probes["row_group news"]
    small, large = (peak / 1e6 for peak in probe["launcher_bytes"])
    how = f"peak with a row group of {probe['articles'][1]:,} articles against one of {probe['articles'][0]:,}"
    return [Row("a launcher's memory", how, (large / small,), "x", 1.1, note=f"{small:.0f} and {large:.0f} MB")]


def _memory_trials(workers: int) -> list[Trial]:
    return [Trial("saiten", "news", times, workers) for times in (1, _LARGEST)]


def _memory(measured: Measurements, workers: int) -> list[Row]:
    once, large = _memory_trials(workers)
    peaks = tuple(value / 1e6 for value in measured.values(once, "worker_bytes"))
    rows = [Row("memory of a worker", "peak resident set, news.txt", peaks, "MB", 350, 300)]
    for process in ("worker", "launcher"):
        before, after = (measured.median(trial, f"{process}_bytes") / 1e6 for trial in (once, large))
        note = f"{before:.0f} and {after:.0f} MB"
        how = f"peak on {_LARGEST} x news.txt against news.txt"
        rows.append(Row(f"growth of a {process}'s memory", how, (after / before,), "x", 1.1, note=note))
    return rows


def _start(measured: Measurements, _workers: int) -> list[Row]:
    return [
        Row("start", "`saiten --help`", tuple(measured.values(Trial("help"))), "s", 0.5),
        Row(
            "start",
            "`saiten score` on ten lines, whole process",
            tuple(measured.values(Trial("saiten"))),
            "s",
            2.5,
            1.5,
        ),
    ]


def growth_trials(workers: int) -> list[Trial]:
    """Returns Saiten's runs on multiples of news.txt."""
    return [Trial("saiten", "news", times, workers) for times in MULTIPLES]


GROUPS: Mapping[str, Group] = {
    "long": _marginal("news", "one more token, long texts", 0.75, 0.6),
    "short": _marginal("sentences", "one more record, short texts", 0.9, 0.7),
    "whole": Group(_whole, _whole_trials),
    "model": Group(_model, probes=[("engine", "news")]),
    "workers": Group(_second_worker, _worker_trials),
    "cut": Group(_cut, lambda _: [trial for ending in _CUT_ENDINGS for trial in _cut_trials(ending)]),
    "row_group": Group(_row_group, probes=[("row_group", "news")]),
    "memory": Group(_memory, _memory_trials),
    "start": Group(_start, lambda _: [Trial("help"), Trial("saiten")]),
    "growth": Group(trials=growth_trials),
    "stages": Group(probes=[("stages", "news"), ("stages", "sentences")]),
    "difference": Group(probes=[("difference", "news"), ("difference", "sentences")]),
}


def make_rows(measured: Measurements) -> list[Row]:
    """Returns the table's rows for the groups that were measured."""
    groups, workers = measured.about["groups"], measured.about["workers"]
    return [row for name in groups for row in GROUPS[name].rows(measured, workers)]
