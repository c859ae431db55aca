"""The sample that a newcomer sees: the same on every machine, with a few broken records, and readable."""

import csv
import json
import pathlib
import re
import subprocess
import sys
from collections import Counter

import pytest

from saiten.model.text.tokenizer import Tokenizer
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks

ROOT = pathlib.Path(__file__).parents[2]
SCORES = ["taste", "price", "service", "atmosphere", "cleanliness", "access", "volume", "overall"]


def make_sample(folder: pathlib.Path, *, seed: int) -> dict[str, bytes]:
    command = [
        sys.executable,
        str(ROOT / "scripts/make_sample.py"),
        f"--out={folder}",
        "--records=400",
        f"--seed={seed}",
    ]
    subprocess.run(command, check=True)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, seed=1)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    tmp_path: pathlib.Path, sample: pathlib.Path
) -> None:
    first = {path.name: path.read_bytes() for path in sorted(sample.iterdir())}
    assert make_sample(tmp_path / "again", seed=1) == first
    other = make_sample(tmp_path / "other", seed=2)
    assert {name for name in first if other[name] == first[name]} == set()


def test_every_training_record_has_a_text_and_eight_scores_from_1_to_5(
    sample: pathlib.Path, tokenizer: Tokenizer
) -> None:
    records = [json.loads(line) for line in (sample / "train.jsonl").read_bytes().splitlines()]
    assert [record["id"] for record in records] == [f"train-{i:05}" for i in range(400)]
    assert {tuple(record) for record in records} == {("id", "text", *SCORES)}
    assert {1 <= record[name] <= 5 for record in records for name in SCORES} == {True}
    lengths = sorted(len(tokenizer.tokenize(record["text"])) for record in records)
    assert lengths[0] in (3, 4)
    assert 20 < lengths[200] < 80
    assert 500 < lengths[-1] < 2500


def test_the_reviews_to_score_hold_one_broken_record_of_each_kind(sample: pathlib.Path) -> None:
    blocks = list(iter_blocks(plan_work(str(sample / "reviews.jsonl"), ReadOptions(id_field="id"))))
    codes = sorted(str(letter.code) for block in blocks for letter in block.dead_letters)
    assert codes == [
        "BAD_JSON",
        "BAD_UNICODE",
        "BAD_UTF8",
        "NOT_AN_OBJECT",
        "TEXT_MISSING",
        "TEXT_MISSING",
        "TEXT_NOT_STRING",
    ]
    ids = [record_id for block in blocks for record_id in block.ids]
    assert sorted(record_id for record_id in ids if not record_id.startswith("review-")) == ["empty", "spaces"]
    assert [record_id for record_id in ids if record_id.startswith("review-")] == [f"review-{i:05}" for i in range(100)]


@pytest.mark.parametrize("page", ["tutorial.md", "tutorial.ja.md"])
def test_the_tutorials_command_writes_its_two_tables(page: str, tmp_path: pathlib.Path) -> None:
    """Who has no reviews of their own goes on from here: with the columns that all later commands name."""
    (line,) = re.findall(r"^\$ python (.*make_sample.*)$", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
    assert line.endswith(" --out=.")
    subprocess.run([sys.executable, *line.removesuffix(".").split()[:-1], f"--out={tmp_path}"], cwd=ROOT, check=True)
    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    tables = {name: list(csv.reader(text.splitlines())) for name, text in texts.items()}
    assert {name: (rows[0], len(rows) - 1) for name, rows in tables.items()} == {
        "reviews.csv": (["id", "body", "taste", "service", "verdict"], 1_200),
        "new.csv": (["id", "body"], 300),
    }
    rows = tables["reviews.csv"][1:]
    assert all(body and 1 <= float(score) <= 5 for _, body, *scores, _ in rows for score in scores)
    of_each = Counter(verdict for *_, verdict in rows)
    assert of_each.keys() == {"good", "bad"}
    assert min(of_each.values()) > 400  # the notebook learns them
    assert [row[0] for row in tables["new.csv"][1:]] == [f"n{i}" for i in range(300)]
    assert all(row[1] for row in tables["new.csv"][1:])
