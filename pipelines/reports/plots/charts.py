"""Plots as SVG that stands in a page: without script or style of its own, read by what `label` says.

pygal draws them. Colours come from the page (`page.html.jinja`), so that they follow its light and its dark mode.
"""

import itertools
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pygal
from markupsafe import Markup

from saiten.pipelines.reports.numbers import percent, short_number

# pygal's finder of map plug-ins speaks a protocol that Python has given up: each later import would warn of it.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_WIDTH, _HEIGHT = 340, 190
_MOST_TICKS = 5
_MOST_NAMES = 10
# What is for a mouse and a script, or repeats the text beside it.
_DROPPED_TAGS = {"script", "style", "desc", "title"}
_DROPPED_CLASSES = {"plot text-overlay", "plot tooltip-overlay", "titles", "background"}

Point = tuple[float, float]


def histogram(edges: Sequence[float], series: Mapping[str, Sequence[float]], *, label: str) -> Markup:
    """Draws the shares of values between edges, one series over the other.

    Args:
        edges: Increasing.
        series: By name, shares from 0 to 1, one for each bin.
        label: What there is to see, for those who do not see it.
    """
    chart = pygal.Histogram(**_settings(), formatter=None, x_value_formatter=short_number)
    bins = list(itertools.pairwise(edges))
    for name, shares in series.items():
        chart.add(name, [(share, low, high) for share, (low, high) in zip(shares, bins, strict=True)])
    chart.y_labels = _ticks(max((share for shares in series.values() for share in shares), default=0.0))
    return _svg(chart, label, y_text=percent)


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]], *, label: str) -> Markup:
    """Draws shares from 0 to 1 as bars side by side, a group for each name."""
    chart = pygal.Bar(**_settings())
    # Where there are many, every second has room.
    chart.x_labels = [name if len(names) <= _MOST_NAMES or i % 2 == 0 else "" for i, name in enumerate(names)]
    for name, shares in series.items():
        chart.add(name, list(shares))
    chart.y_labels = _ticks(max((share for shares in series.values() for share in shares), default=0.0))
    return _svg(chart, label, y_text=percent)


def lines(series: Mapping[str, Sequence[Point]], *, label: str, counts: bool = False) -> Markup:
    """Draws points that are joined, a line for each name; along the bottom at whole numbers, where it `counts`."""
    chart = pygal.XY(**_settings(), dots_size=2, x_value_formatter=short_number)
    if counts:
        most = int(max(x for points in series.values() for x, _ in points))
        chart.x_labels = list(range(1, most + 1, math.ceil(most / _MOST_NAMES)))
    for name, points in series.items():
        chart.add(name, list(points))
    return _svg(chart, label, y_text=short_number)


def scatter(points: Sequence[Point], *, label: str) -> Markup:
    """Draws points, and the line on which both of their numbers are equal."""
    chart = pygal.XY(**_settings(), stroke=False, dots_size=1.5, x_value_formatter=short_number)
    chart.add("records", list(points))
    ends = [number for point in points for number in point]
    if ends:
        low, high = min(ends), max(ends)
        chart.add("equal", [(low, low), (high, high)], stroke=True, show_dots=False)
    return _svg(chart, label, y_text=short_number)


def _settings() -> dict[str, Any]:
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "show_legend": False,
        "css": [],
        "js": [],
        "margin": 4,
        "margin_right": 14,
        "max_scale": 6,
        "truncate_label": -1,
        "show_x_guides": False,
    }


def _ticks(most: float) -> list[float]:
    """Returns at most six round shares, from 0 to the first that no bar is above."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most))
    step = next(size * power for size in (0.2, 0.5, 1, 2) if most / (size * power) <= _MOST_TICKS)
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def _svg(chart: Any, label: str, y_text: Callable[[float], str]) -> Markup:
    chart.value_formatter = y_text
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            tag = str(child.tag).rpartition("}")[2]
            if tag in _DROPPED_TAGS or child.get("class") in _DROPPED_CLASSES or not isinstance(child.tag, str):
                parent.remove(child)
    for name in ("id", "xmlns"):
        root.attrib.pop(name, None)
    root.attrib.update({"class": "plot-area", "role": "img", "aria-label": label})
    return Markup(ET.tostring(root, encoding="unicode"))
