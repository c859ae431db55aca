"""Every odd input of the table becomes what the table says: nothing more, nothing less."""

import functools
import pathlib
import re

import pytest

from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.reading.odd_inputs import CASES, OddInput

_FORMATS_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "formats.md"


@functools.cache
def _documented_refusals() -> list[re.Pattern[str]]:
    section = _FORMATS_PAGE.read_text("utf-8").partition("## When a file is refused")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    # What a message names is in capitals there, and what it has in common with the row above is left out.
    names = r"\b(?!JSON|CSV|TSV|UTF|Parquet)[A-Z]+\b|…"
    return [re.compile(re.sub(names, ".*", re.escape(message)), re.DOTALL) for message in messages]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_reads_as_tabled(case: OddInput, tmp_path: pathlib.Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content)
    if case.error is not None:
        with pytest.raises(case.error) as raised:
            list(iter_blocks(plan_work(str(path), case.options)))
        assert case.message in str(raised.value)
        assert type(raised.value) is case.error
        assert any(pattern.fullmatch(str(raised.value)) for pattern in _documented_refusals()), str(raised.value)
        return
    blocks = list(iter_blocks(plan_work(str(path), case.options)))
    for block in blocks:
        block.check_counts()
    assert [row for block in blocks for row in zip(block.positions, block.ids, block.texts, strict=True)] == (
        case.expected_rows()
    )
    dead = [letter for block in blocks for letter in block.dead_letters]
    assert [(letter.position, letter.code) for letter in dead] == list(case.dead)
    assert {letter.stage for letter in dead} <= {"read"}
    assert sum(block.n_bytes for block in blocks) == len(case.content)


def test_names_are_told_apart() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 100


def test_a_refusal_that_is_not_documented_is_found() -> None:
    assert len(_documented_refusals()) >= 20
    assert not any(pattern.fullmatch("a.csv cannot be read.") for pattern in _documented_refusals())
