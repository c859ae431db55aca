"""Draws the masking study, and writes its table.

    python -m benchmarks.masking.plot benchmarks/results/masking.json docs/masking.svg docs/masking.md

The page's part between two comments is replaced; the rest is written by hand.
"""

import json
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BEGIN, END = "<!-- masking: begin -->", "<!-- masking: end -->"
_KINDS = {
    "with the mask": (True, None, "#2f6fb0"),
    "without, padded before": (False, "before", "#8a8f98"),
    "without, padded behind": (False, "behind", "#c0392b"),
}
_PANELS = {
    "accuracy": "held-out texts that get their class",
    "spread": "spread of the scores between texts\n(deviation, as a share of the labels')",
}

Row = Mapping[str, Any]


def rows_of(rows: Sequence[Row], kind: str) -> list[Row]:
    """Returns the rows of one of the three kinds, by width; with the mask those padded behind stand for both."""
    has_mask, padding, _ = _KINDS[kind]
    chosen = [row for row in rows if row["mask"] == has_mask and row["padding"] == (padding or "behind")]
    return sorted(chosen, key=lambda row: (row["width"], row["seed"]))


def draw(rows: Sequence[Row]) -> Figure:
    """Returns the figure: a point for each seed, a line through their means."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for name, axes in zip(_PANELS, figure.subplots(1, 2), strict=True):
        for kind in _KINDS:
            _draw_kind(axes, rows_of(rows, kind), name, kind)
        axes.set_xscale("log")
        widths = sorted({row["width"] for row in rows})
        axes.set_xticks(widths, [f"{width:,}" for width in widths])
        axes.minorticks_off()
        axes.set_xlabel("padded to so many tokens")
        axes.set_title(_PANELS[name], fontsize=10)
        axes.set_ylim(0, 1)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=9)
    return figure


def _draw_kind(axes: Axes, rows: Sequence[Row], name: str, kind: str) -> None:
    colour = _KINDS[kind][2]
    widths = sorted({row["width"] for row in rows})
    means = [_mean([row[name] for row in rows if row["width"] == width]) for width in widths]
    axes.plot(widths, means, color=colour, label=kind, linewidth=1.8)
    axes.plot([row["width"] for row in rows], [row[name] for row in rows], "o", color=colour, markersize=3.5)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yields the lines of the table: accuracy and spread, a figure for each seed."""
    yield "| | padded to | held-out accuracy | spread of the scores |\n| --- | --- | --- | --- |"
    for kind in _KINDS:
        chosen = rows_of(rows, kind)
        for width in sorted({row["width"] for row in chosen}):
            of_width = [row for row in chosen if row["width"] == width]
            accuracies, spreads = (", ".join(_shown(row[name]) for row in of_width) for name in _PANELS)
            yield f"| {kind} | {width:,} | {accuracies} | {spreads} |"
    masked = [row for row in rows if row["mask"]]
    furthest = max(masked, key=lambda row: float(row["largest"]))
    ulps = furthest["ulps_99_percent"]
    moved = f"by {furthest['largest']:.2g} at most, 99 % of them by {ulps:g} units of the last place or less"
    how_far = moved if furthest["largest"] else "not at all, not by one unit of the last place"
    yield f"\nWith the mask, over {len(masked)} combinations of seed, width and padding, scores moved {how_far}."


def _shown(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1e}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def main(arguments: Sequence[str]) -> None:
    """Draws a result to a file and writes its table into a page."""
    result, picture, page = map(pathlib.Path, arguments)
    rows = json.loads(result.read_text(encoding="utf-8"))["rows"]
    mpl.rcParams["svg.hashsalt"] = "saiten"  # the same rows give the same file
    draw(rows).savefig(picture, dpi=120, metadata={"Date": None} if picture.suffix == ".svg" else None)
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    lines = "\n".join(table(rows))
    page.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m benchmarks.masking.plot RESULT.json PICTURE.svg PAGE.md")
    main(sys.argv[1:])
