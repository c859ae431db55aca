"""The page about people's own models says what comes of each of them: scores as `model.predict` gave, or a sentence."""

import re

import pytest

from tests.people.refused import INDICES, MODELS
from tests.people.table import PAGE, page

CELLS = re.compile(r"^\| (.+) \|$", re.MULTILINE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.thorough
def test_the_page_says_what_comes_of_each_model() -> None:
    """Each row is tried here, its scores compared with `model.predict`; `python -m tests.people.table` writes them."""
    written = PAGE.read_text(encoding="utf-8")
    assert page() == written
    rows = [row.split(" | ") for row in CELLS.findall(written.split("<!-- tried -->", 1)[1])]
    scored, refused = ([row for row in rows if len(row) == width][2:] for width in (5, 2))
    assert len(scored) + len(refused) >= 80
    assert {row[-1] for row in scored} == {"packed", "keras"}
    assert len(refused) == len(MODELS) + len(INDICES)
    assert not [row for row in refused if len(row[-1]) > 300 or row[-1] in ("packed", "keras")]
