"""A run's manifest as reports are made of it, and a page as those hear it who do not see it."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import numpy as np

from saiten.model.bundle.reference import LENGTH_EDGES, OOV_RATE_EDGES, Distribution, Reference, ReferenceHistogram
from saiten.pipelines.run.run_manifest import InputReport, RunCounts, RunManifest
from saiten.pipelines.stage_secs import StageSecs
from saiten.pipelines.statistics.histogram import Histogram, score_edges
from saiten.pipelines.statistics.run_statistics import RunStatistics


def make_scores(n: int, mean: float, deviation: float) -> Any:
    return np.clip(np.random.default_rng(3).normal(mean, deviation, n), 1.0, 5.0)


def make_reference() -> Reference:
    """Of 2,000 texts of 20 tokens each, 4 % of them OOV, with scores around 3."""

    def distribution(values: Any, edges: Any) -> Distribution:
        counts, _ = np.histogram(values, edges)
        histogram = ReferenceHistogram(tuple(map(float, edges)), tuple(map(int, counts)))
        return Distribution(float(np.mean(values)), float(np.std(values)), histogram)

    return Reference(
        texts=2_000,
        scores={"taste": distribution(make_scores(2_000, 3.0, 0.5), np.linspace(1, 5, 51))},
        n_tokens=distribution(np.tile([10, 20, 30], 700), LENGTH_EDGES),
        oov_rate=distribution(np.tile([0.02, 0.04, 0.06], 700), OOV_RATE_EDGES),
    )


def make_statistics(
    *,
    n: int = 1_000,
    mean: float = 3.0,
    deviation: float = 0.5,
    length: int = 20,
    oov_rate: float = 0.04,
    n_truncated: int = 0,
    **others: Any,
) -> RunStatistics:
    """Of `n` records like those of `make_reference`, but for what is given."""
    scores, n_tokens, oov_rates = Histogram(score_edges(1, 5)), Histogram(LENGTH_EDGES), Histogram(OOV_RATE_EDGES)
    scores.add(make_scores(n, mean, deviation))
    n_tokens.add(np.resize([length - 10, length, length + 10], n))
    oov_rates.add(np.resize([oov_rate - 0.02, oov_rate, oov_rate + 0.02], n))
    n_oov = round(oov_rate * n_tokens.total)
    return RunStatistics({"taste": scores}, n_tokens, oov_rates, n_oov, n_truncated, **others)


def make_manifest(**changes: Any) -> RunManifest:
    """Of a run of 1,000 records that are like the training data, but for what is given."""
    fields = {
        "run_id": "20260101T000000Z-aaaaaaaa",
        "bundle_id": "b" * 64,
        "outputs_scored": ("taste",),
        "engine": "packed",
        "settings": {"text_field": "text", "id_field": None, "keep_fields": []},
        "versions": {"python": "3.11"},
        "seconds": 2.0,
        "counts": RunCounts(1_000, 1_000),
        "inputs": (InputReport("a.txt", bytes=60_000, records=1_000, scored=1_000),),
        "outputs": (),
        "statistics": make_statistics(stage_secs=StageSecs(0.5, 2.0, 1.0, 0.5)),
        "reference": make_reference(),
    }
    return RunManifest(**{**fields, **changes})


class HeardPage(HTMLParser):
    """What is in a page: how often each tag, and what its elements say of themselves."""

    VOID = frozenset({"meta", "path", "rect", "circle"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.unlabelled: list[str] = []
        self.pictures: list[str] = []
        self.landmarks: list[str] = []
        self._texts: dict[str, str] = {}
        self._read: str | None = None
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags[tag] += 1
        assert not any(name.startswith("on") or name in ("src", "href") for name in attributes)
        self._read = attributes.get("id")
        self.ids += [self._read] if self._read else []
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th" and "scope" not in attributes:
            self.unlabelled.append("th")
        if attributes.get("role") == "img":
            self.pictures.append(attributes.get("aria-label") or "")
        if tag == "section" or attributes.get("role") == "region":
            label = attributes.get("aria-label")
            self.landmarks.append(label or f"#{attributes.get('aria-labelledby')}")
        if attributes.get("role") in ("img", "region") and not attributes.get("aria-label"):
            self.unlabelled.append(tag)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._read:
            self._texts[self._read] = data
        self._read = None

    def check(self) -> None:
        """Fails where a heading is left out, a picture or a table has no name, or an id or a place is there twice.

        Places are what a screen reader lists to go to: named sections, and tables that can be scrolled.
        """
        places = [self._texts.get(name[1:], name) for name in self.landmarks if name != "#None"]
        assert [name for name, n in Counter(places).items() if n > 1] == []
        assert self.headings[0] == 1
        assert self.headings.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in zip(self.headings, self.headings[1:], strict=False))
        assert self.unlabelled == []
        assert len(self.ids) == len(set(self.ids))
        assert self.tags["table"] == self.tags["caption"]
        assert not self.tags.keys() & {"script", "iframe", "img", "a"}
