"""Every odd input of the table becomes what the table says: nothing more, nothing less."""

import pathlib

import pytest

from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.reading.odd_inputs import CASES, OddInput


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_reads_as_tabled(case: OddInput, tmp_path: pathlib.Path) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content)
    if case.error is not None:
        with pytest.raises(case.error) as raised:
            list(iter_blocks(plan_work(str(path), case.options)))
        assert case.message in str(raised.value)
        assert type(raised.value) is case.error
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
