"""Puts the measured figures together: a table for docs/quality.md, the JSON that is kept, and the figure.

    python -m benchmarks.quality.summary OUT COST.json benchmarks/results/quality.json docs/quality.svg

OUT holds what `benchmarks.quality.run` and `.unmasked` wrote, COST.json what `benchmarks.quality.cost` printed.
"""

import json
import pathlib
import statistics
import sys
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# As published for this corpus by their authors, on splits of their own.
_BERT = 0.958
_WAYS = {
    "unmasked": "the article's recipe, without mask",
    "article": "the article's recipe",
    "bert": "BERT, as published",
    "baseline": "TF-IDF and a linear model",
    "default": "Saiten's default",
}
_FIGURES = ("accuracy", "macro_f1", "log_loss", "calibration_error", "spearman", "mse")
_BLUE, _GREY, _RED = "#2f6fb0", "#b9c4d0", "#c0392b"


def collect(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Returns figures by corpus and way: of each the median of the seeds, the least and the largest."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for path in sorted(folder.glob("*-*-[0-9].json")):
        measured = json.loads(path.read_text(encoding="utf-8"))
        figures = measured["figures"]
        shown = {**figures.get("mean", {}), **figures}
        values = {name: _number(shown[name]) for name in _FIGURES if shown.get(name) is not None}
        if "seconds" in measured:
            values["seconds"] = measured["seconds"]
        found.setdefault((measured["corpus"], measured["way"]), []).append(values)
    together: dict[str, dict[str, Any]] = {}
    for (corpus, way), all_values in found.items():
        names = all_values[0].keys()
        spread = {name: sorted(values[name] for values in all_values) for name in names}
        figures = {name: [statistics.median(each), each[0], each[-1]] for name, each in spread.items()}
        together.setdefault(corpus, {})[way] = {"seeds": len(all_values), **figures}
    return together


def _number(value: Any) -> float:
    return float(value["value"] if isinstance(value, dict) else value)


def table(together: dict[str, dict[str, Any]]) -> str:
    """Returns the figures as Markdown: the median of the seeds, and from the least to the largest."""
    lines = ["| corpus | way | seeds | accuracy | macro-F1 | log loss | mean Spearman |", "| --- " * 7 + "|"]
    for corpus, ways in together.items():
        for way in (name for name in _WAYS if name in ways):
            figures = ways[way]
            cells = [_cell(figures.get(name)) for name in ("accuracy", "macro_f1", "log_loss", "spearman")]
            lines.append(f"| {corpus} | {_WAYS[way]} | {figures['seeds']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: list[float] | None) -> str:
    if values is None:
        return ""
    median, least, largest = (f"{value:.3f}" for value in values)
    return median if least == largest else f"{median} ({least} to {largest})"


def draw(articles: dict[str, Any], cost: dict[str, Any]) -> Figure:
    """Returns the figure: accuracy on the news by way, and what a token costs where that was measured."""
    shown = {way: articles[way]["accuracy"][0] for way in _WAYS if way in articles} | {"bert": _BERT}
    ways = [way for way in _WAYS if way in shown]
    microseconds = {
        "article": cost["microseconds_a_token"]["lstm32"],
        "default": cost["microseconds_a_token"]["bundle"],
    }
    figure = Figure(figsize=(9, 3), layout="constrained")
    accuracy, costs = figure.subplots(1, 2, width_ratios=[2.2, 1], sharey=True)
    colours = {"default": _BLUE, "unmasked": _RED}
    for place, way in enumerate(ways):
        accuracy.barh(place, shown[way], color=colours.get(way, _GREY), height=0.62)
        accuracy.text(shown[way] + 0.01, place, f"{shown[way]:.3f}", va="center", fontsize=9)
        if way in microseconds:
            costs.barh(place, microseconds[way], color=colours.get(way, _GREY), height=0.62)
            costs.text(microseconds[way] * 1.03, place, f"{microseconds[way]:.2f}", va="center", fontsize=9)
        else:
            costs.text(0, place, " not measured", va="center", fontsize=9, color="#8a8f98")
    accuracy.set_yticks(range(len(ways)), [_WAYS[way] for way in ways])
    accuracy.set_xlim(0, 1.12)
    costs.set_xlim(0, max(microseconds.values()) * 1.3)
    for axes, title in ((accuracy, "accuracy, livedoor news, texts never seen"), (costs, "µs a token, the model")):
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Prints the table and writes the JSON and the figure."""
    folder, cost_path, json_path, figure_path = map(pathlib.Path, sys.argv[1:])
    together, cost = collect(folder), json.loads(cost_path.read_text(encoding="utf-8"))
    json_path.write_text(json.dumps({"figures": together, "cost": cost}, indent=1) + "\n", encoding="utf-8")
    print(table(together))
    # Text stays text, and the same figures give the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "saiten"}):
        draw(together["articles"], cost).savefig(figure_path, metadata={"Date": None})


if __name__ == "__main__":
    main()
