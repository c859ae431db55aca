"""The report shows a run, can be read by everybody, and lets nothing of a record act in a browser."""

import dataclasses
import json
import pathlib
import re

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.code_meanings import MEANINGS
from saiten.pipelines.commands.main import main
from saiten.pipelines.records import Code
from saiten.pipelines.reports.run_report import run_report
from saiten.pipelines.run.run_manifest import InputReport, RunCounts
from saiten.pipelines.stage_secs import StageSecs
from saiten.pipelines.statistics.histogram import Histogram, score_edges
from saiten.pipelines.statistics.run_statistics import DeadLetterExample
from tests.helpers.reports import HeardPage, make_manifest, make_statistics

# Of words that the tiny bundle knows, and one without any.
TEXTS = ("もう行きません！", "とても美味しいラーメンでした。", "")
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def report_of(bundle: StoredBundle, folder: pathlib.Path, *flags: str) -> str:
    records = [*({"text": text} for text in TEXTS), {"text": None, "note": HOSTILE}]
    source = folder / "<b>name.jsonl"
    source.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    output = folder / "out"
    arguments = [f"--input={source}", f"--bundle={bundle.path}", f"--output={output}", "--max_dead_letter_rate=1"]
    assert main(["score", *arguments, "--quiet", "--overwrite", *flags]) == 3
    return (output / "report.html").read_text(encoding="utf-8")


def text_of(page: str | bytes) -> str:
    page = page.decode() if isinstance(page, bytes) else page
    return " ".join(re.sub("<[^>]*>", " ", page.split("</style>")[1]).split())


def test_a_run_is_told_from_its_outcome_to_its_versions(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> None:
    page = report_of(tiny_bundle, tmp_path)
    shown = text_of(page)
    assert shown.startswith("2 of 4 records were scored; 1 is empty; 1 could not be scored. Saiten run 20")
    assert "Look at the points below before you use these scores." in shown
    assert "! Look: 25 % of the records could not be scored: TEXT_MISSING 1." in shown
    assert "&lt;b&gt;name.jsonl 4 2 1 1" in shown
    before = sum(len(f'{{"text": "{text}"}}'.encode()) + 1 for text in TEXTS)
    place = f"&lt;b&gt;name.jsonl:{before}"
    assert f"TEXT_MISSING 1 {MEANINGS['TEXT_MISSING']} {place}: The text is missing or null." in shown
    for name in ("taste", "service", "Tokens of a text", "OOV rate", "Time by stage", "apache-beam 2"):
        assert name in shown
    assert page.count("<svg") == 4


@pytest.mark.parametrize("flags", [(), ("--report_examples",)])
def test_texts_are_shown_only_when_asked_for_and_never_act(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, flags: tuple[str, ...]
) -> None:
    page = report_of(tiny_bundle, tmp_path, *flags)
    assert not HeardPage(page).tags.keys() & {"script", "b", "iframe", "img", "a"}
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert ("&lt;script&gt;alert(1)&lt;/script&gt;" in page) == bool(flags)
    assert "行きません" not in page


def test_everybody_can_read_it() -> None:
    """Headings in steps, headers of tables that say of what, names for pictures and for what can be scrolled."""
    counts = RunCounts(1_000, 990, 3, 7, 2)
    statistics = make_statistics(oov_words={"鱧": 12}, stage_secs=StageSecs(1, 2, 3, 4))
    page = HeardPage(
        run_report(make_manifest(counts=counts, statistics=statistics, dead_letter_codes={"X": 7})).decode()
    )
    page.check()
    assert page.tags["table"] == page.tags["caption"] == 6


def test_on_paper_no_table_is_cut_off_where_it_would_be_scrolled() -> None:
    """Rules for paper hold only behind those for the screen: once they stood before, and columns were missing."""
    style = run_report(make_manifest()).decode().partition("<style>")[2].partition("</style>")[0]
    on_screen, _, on_paper = style.rpartition("@media print {")
    assert ".scroll { overflow-x: auto; }" in on_screen
    assert ".scroll { overflow: visible; }" in on_paper
    assert ":root { color-scheme: light;" in on_paper


def test_figures_stand_in_tables_and_not_in_pictures_alone() -> None:
    shown = text_of(run_report(make_manifest(statistics=make_statistics(mean=3.9, oov_words={"鱧": 12, "蓴菜": 10}))))
    row = re.search(r"taste differs (\d\.\d+) (3\.9\d*) 0\.\d+ 2\.\d+ 3\.\d+ 5 3\.\d+ ", shown)
    assert row, shown
    assert re.search(r"tokens as in training 0\.00 19\.99 8\.167 10\.18 19\.49 29\.79 20", shown), shown
    assert re.search(r"OOV rate as in training 0\.00 4 % 1\.6\d % ", shown), shown
    assert "鱧 12 蓴菜 10" in shown


def test_time_is_told_by_stage() -> None:
    shown = text_of(run_report(make_manifest()))
    assert "reading 0.5 12.5 % tokenizing 2 50 % the model 1 25 % writing 0.5 12.5 %" in shown
    assert "records a second, from start to commit 500" in shown


def test_an_estimate_is_called_one() -> None:
    counts = RunCounts(1_000, 1_000, duplicate_ids=3_000)
    shown = text_of(run_report(make_manifest(counts=counts, duplicate_ids_exact=False)))
    assert "repeated ids, estimated 3,000" in shown


def test_its_size_does_not_grow_with_files_outputs_or_codes() -> None:
    many = {f"output-{i}": Histogram(score_edges(0, 1)) for i in range(100)}
    for histogram in many.values():
        histogram.add([0.1, 0.9])
    statistics = dataclasses.replace(
        make_statistics(oov_words={f"word-{i}": 20 for i in range(500)}),
        scores=many,
        dead_letters={"BAD_JSON": [DeadLetterExample(f"{i}", 1, "not JSON") for i in range(5)]},
    )
    inputs = tuple(InputReport(f"{i:05}.txt", dead=i % 7) for i in range(20_000))
    manifest = make_manifest(inputs=inputs, statistics=statistics, outputs_scored=tuple(many))
    page = run_report(manifest)
    assert len(page) < 400_000
    assert page.count(b"<svg") == 14
    assert "the 100 with the most dead letters of 20,000" in text_of(page)


def test_a_run_without_records_or_of_an_older_version_has_a_report_too() -> None:
    for manifest in (
        make_manifest(counts=RunCounts(), inputs=(), statistics=None, reference=None),
        make_manifest(statistics=None),
        make_manifest(reference=None),
        make_manifest(statistics=make_statistics(n=1)),
        make_manifest(seconds=0.0),
    ):
        assert b"nan" not in run_report(manifest)


def test_each_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Code)
