"""The report shows a run, and lets nothing of a record act in a browser."""

import json
import pathlib
import re
from html.parser import HTMLParser

import pytest

from saiten.model.bundle.bundle import Bundle
from saiten.pipelines.commands.main import main

HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def report_of(bundle: Bundle, folder: pathlib.Path, *flags: str) -> str:
    records = [{"text": "良い。"}, {"text": "とても美味しい。"}, {"text": ""}, {"text": None, "note": HOSTILE}]
    source = folder / "<b>name.jsonl"
    source.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    output = folder / "out"
    arguments = [f"--input={source}", f"--bundle={bundle.path}", f"--output={output}", "--max_dead_letter_rate=1"]
    assert main(["score", *arguments, "--quiet", "--overwrite", *flags]) == 3
    return (output / "report.html").read_text(encoding="utf-8")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page.split("</style>")[1]).split())


def test_counts_codes_distributions_and_files_are_there(tiny_bundle: Bundle, tmp_path: pathlib.Path) -> None:
    page = report_of(tiny_bundle, tmp_path)
    shown = text_of(page)
    assert "4 records 2 scored 1 empty 1 dead letters" in shown
    assert "TEXT_MISSING 1" in shown
    for name in ("score_taste", "score_service", "n_tokens", "share of OOV tokens"):
        assert name in shown
    assert "&lt;b&gt;name.jsonl 4 2 1 1" in shown
    assert page.count("<svg") == 4


@pytest.mark.parametrize("flags", [(), ("--report_examples",)])
def test_texts_are_shown_only_when_asked_for_and_never_act(
    tiny_bundle: Bundle, tmp_path: pathlib.Path, flags: tuple[str, ...]
) -> None:
    page = report_of(tiny_bundle, tmp_path, *flags)
    tags = _Tags()
    tags.feed(page)
    assert not tags.seen & {"script", "b script", "iframe", "img", "a"}
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert ("&lt;script&gt;alert(1)&lt;/script&gt;" in page) == bool(flags)
    assert ("良い" in page) is False, "a scored text is in the report"
