"""A plot stands in a page by itself: no script, no style, nothing from elsewhere, and it says what it shows."""

import re
import xml.etree.ElementTree as ET

import pytest
from markupsafe import Markup

from saiten.pipelines.reports.plots import charts

LABEL = 'scores of <taste> & "service"'
PLOTS = {
    "histogram": charts.histogram([0.0, 0.5, 1.0], {"run": [0.25, 0.75], "training": [0.5, 0.5]}, label=LABEL),
    "bars": charts.bars(["1", "2–3"], {"run": [0.25, 0.75]}, label=LABEL),
    "lines": charts.lines({"loss": [(1, 0.5), (2, 0.25)]}, label=LABEL),
    "scatter": charts.scatter([(1.0, 2.0), (2.0, 1.5)], label=LABEL),
    "nothing": charts.histogram([0.0, 1.0], {"run": [0.0]}, label=LABEL),
    "no points": charts.scatter([], label=LABEL),
}


@pytest.mark.parametrize("svg", PLOTS.values(), ids=PLOTS.keys())
def test_a_plot_needs_nothing_from_elsewhere(svg: Markup) -> None:
    root = ET.fromstring(svg)
    tags = {str(element.tag) for element in root.iter()}
    assert tags <= {"svg", "defs", "g", "path", "rect", "circle", "text"}
    assert not re.search(r"https?:|<!--|\bid=|style=|javascript", svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", LABEL)


def test_a_bar_is_as_high_as_its_share() -> None:
    bars = [rect for rect in ET.fromstring(PLOTS["histogram"]).iter("rect") if "reactive" in rect.get("class", "")]
    heights = [float(bar.get("height", "nan")) for bar in bars]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 3, 2, 2])


def test_shares_are_marked_with_few_round_numbers() -> None:
    texts = [text.text for text in ET.fromstring(PLOTS["histogram"]).iter("text")]
    assert [text for text in texts if text and text.endswith("%")] == ["0 %", "20 %", "40 %", "60 %", "80 %"]
