"""Draws measurements: goals, growth of time and memory, cost by stage.

    python -m benchmarks.plot RESULT.json docs/performance.svg

The ending says the format; what was not measured is left out.
"""

import pathlib
import sys
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.parts.goals import growth_trials, make_rows
from benchmarks.parts.measurements import Measurements
from benchmarks.report import figure_text, stage_costs
from saiten.model.errors import SaitenError

_BLUE, _GREY, _RED = "#2f6fb0", "#8a8f98", "#c0392b"
# A row that is further off is cut there, with its figure beside it.
_WIDEST_SHARE = 2.0
_STAGE_COLOURS = ("#b9c4d0", _BLUE, "#7fb3d5", "#e0a030", "#9b7fb5")


def draw(measured: Measurements) -> Figure:
    """Returns a figure with four panels, those without measurements empty."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    ((goals, stages), (times, memory)) = figure.subplots(2, 2, width_ratios=[1.25, 1])
    groups = measured.about["groups"]
    _draw_goals(goals, measured)
    for name, axes, draw_panel in (
        ("stages", stages, _draw_stages),
        ("growth", times, _draw_times),
        ("growth", memory, _draw_memory),
    ):
        if name in groups:
            draw_panel(axes, measured)
        else:
            axes.axis("off")
    for axes in (goals, stages, times, memory):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_goals(axes: Axes, measured: Measurements) -> None:
    """Each row's median and spread as a share of its limit, so that 1 is the limit and less is better."""
    rows = make_rows(measured)
    for place, row in enumerate(rows):
        shares = [row.limit / value if row.at_least else value / row.limit for value in row.values]
        share = row.limit / row.median if row.at_least else row.median / row.limit
        axes.barh(place, share, color=_RED if row.verdict == "missed" else _BLUE, height=0.6)
        axes.plot([min(shares), max(shares)], [place, place], color="black", linewidth=1)
        axes.text(_WIDEST_SHARE * 1.02, place, figure_text(row.median, row.unit), va="center", fontsize=9)
        if row.goal is not None:
            axes.plot(row.goal / row.limit, place, marker="|", markersize=14, color="black")
    axes.axvline(1, color=_GREY, linestyle="--", linewidth=1)
    names = [f"{row.what}: {row.measured.strip('`')}" if row.what == "start" else row.what for row in rows]
    axes.set_yticks(range(len(rows)), [name.removesuffix(", whole process").replace("`", "") for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, _WIDEST_SHARE)
    axes.set_title("Cost as a share of what is allowed (1); line: spread, mark: goal", fontsize=10)


def _draw_stages(axes: Axes, measured: Measurements) -> None:
    corpora = ("news", "sentences")
    left = [0.0, 0.0]
    by_corpus = [stage_costs(measured, corpus) for corpus in corpora]
    for stage, colour in zip(by_corpus[0], _STAGE_COLOURS, strict=False):
        costs = [costs[stage] for costs in by_corpus]
        axes.barh(["articles", "sentences"], costs, left=left, label=stage, color=colour, height=0.5)
        left = [start + cost for start, cost in zip(left, costs, strict=True)]
    axes.set_xlabel("microseconds a token, one process without Beam")
    axes.set_title("Where the time goes", fontsize=10)
    axes.legend(ncols=len(by_corpus[0]), fontsize=8, loc="upper center", frameon=False, handlelength=1, columnspacing=1)
    axes.set_ylim(1.5, -0.8)


def _draw_times(axes: Axes, measured: Measurements) -> None:
    trials = growth_trials(measured.about["workers"])
    sizes, seconds = [trial.times for trial in trials], [measured.median(trial) for trial in trials]
    axes.plot(sizes, seconds, marker="o", color=_BLUE)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xticks(sizes)
    axes.set_xlabel("times news.txt")
    axes.set_ylabel("seconds to _SUCCESS")
    axes.set_title("Time by size of the corpus", fontsize=10)


def _draw_memory(axes: Axes, measured: Measurements) -> None:
    trials = growth_trials(measured.about["workers"])
    for process, colour in (("worker", _BLUE), ("launcher", _GREY)):
        peaks = [measured.median(trial, f"{process}_bytes") / 1e6 for trial in trials]
        axes.plot([trial.times for trial in trials], peaks, marker="o", color=colour, label=process)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xticks([trial.times for trial in trials])
    axes.set_xlabel("times news.txt")
    axes.set_ylabel("peak resident set, MB")
    axes.set_title("Memory by size of the corpus", fontsize=10)
    axes.legend(frameon=False)


def main(arguments: Sequence[str]) -> int:
    """Draws a result to a file; returns the exit code."""
    result, picture = map(pathlib.Path, arguments)
    # The same measurements give the same file: no date in it, and ids that are not random.
    mpl.rcParams["svg.hashsalt"] = "saiten"
    try:
        figure = draw(Measurements.load(result))
    except SaitenError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    figure.savefig(picture, dpi=120, metadata={"Date": None} if picture.suffix == ".svg" else None)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m benchmarks.plot RESULT.json PICTURE.svg")
    sys.exit(main(sys.argv[1:]))
