"""Where a bundle's outputs are exclusive classes, each row says which, in every form that scores are shown in."""

import json
import pathlib

import numpy as np
import pyarrow as pa
import pytest

import saiten
from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.library.score_texts import score_strings
from saiten.pipelines.library.scorer import load_scorer
from saiten.pipelines.run.schema import scores_schema, scores_table
from saiten.pipelines.statistics.run_statistics import StatisticsCounter, StatisticsPlan
from tests.helpers.fakes import make_scored_block
from tests.helpers.scoring import TEXTS, rows, score

Output = pytest.CaptureFixture[str]
NAMES = ("food", "inn", "station")


def labelled(found: dict[str, object], top: int = 1) -> list[tuple[object, object]]:
    ranks = ["", *(f"_{rank}" for rank in range(2, top + 1))]
    return [(found[f"label{rank}"], found[f"label_score{rank}"]) for rank in ranks]


def test_each_row_names_the_highest_class_and_its_score(
    class_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert score(class_bundle, reviews, tmp_path / "out", "--top=3") == 0
    table = saiten.read_scores(tmp_path / "out")
    assert table.schema.names == [
        "id", "score_food", "score_inn", "score_station", "label", "label_score", "label_2", "label_score_2", "label_3",
        "label_score_3", "n_tokens", "n_oov", "truncated", "status", "source", "position",
    ]  # fmt: skip
    found = table.to_pylist()
    for row in found:
        expected = sorted(((row[f"score_{name}"], name) for name in NAMES if row["status"] == "scored"), reverse=True)
        assert labelled(row, 3) == ([(name, value) for value, name in expected] or [(None, None)] * 3)
        assert row["status"] == "empty" or sum(row[f"score_{name}"] for name in NAMES) == pytest.approx(1, abs=1e-6)
    assert [row["status"] for row in found].count("scored") == 3
    assert "label_2" not in rows(tmp_path / "out", "dead_letters")


def test_labels_can_be_left_out_and_a_run_is_resumed_with_the_same_ones_only(
    class_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: Output
) -> None:
    assert score(class_bundle, reviews, tmp_path / "out", "--no_label") == 0
    assert not [name for name in saiten.read_scores(tmp_path / "out").schema.names if name.startswith("label")]
    assert score(class_bundle, reviews, tmp_path / "out", "--resume") == 2
    assert "--resume: the committed run has another top (0, now 1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("--top=4", "has 3 classes."),
        ("--top=0", "it is 1 or more, and goes without --no_label."),
        ("--keep_fields=label", "or give --no_label to do without the scores' own."),
    ],
)
def test_labels_that_there_cannot_be_are_refused(
    flag: str, problem: str, class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    records = tmp_path / "a.jsonl"
    records.write_text('{"text": "良い", "label": "food"}\n', encoding="utf-8")
    assert score(class_bundle, records, tmp_path / "out", flag) == 2
    assert capsys.readouterr().err.endswith(f"{problem}\n")
    assert not (tmp_path / "out").exists()


def test_a_bundle_of_numbers_has_no_labels(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: Output
) -> None:
    assert score(tiny_bundle, reviews, tmp_path / "out", "--top=2") == 2
    assert capsys.readouterr().err.endswith("has no exclusive classes but numbers.\n")


def test_equal_scores_give_the_first_class_and_empty_texts_none() -> None:
    block = make_scored_block(["ab", "", "c"])
    block.scores[:] = [[0.5, 0.5], [0, 0], [0.25, 0.75]]
    schema = scores_schema(["a", "b"], [], 2)
    table = scores_table(block, schema, ["a", "b"], 2)
    assert table.select(["label", "label_score", "label_2", "label_score_2"]).to_pylist() == [
        {"label": "a", "label_score": 0.5, "label_2": "b", "label_score_2": 0.5},
        {"label": None, "label_score": None, "label_2": None, "label_score_2": None},
        {"label": "b", "label_score": 0.75, "label_2": "a", "label_score_2": 0.25},
    ]
    assert table.schema.field("label").type == pa.string()


def test_records_are_counted_by_class_over_ranges() -> None:
    plan = StatisticsPlan(labels=("a", "b", "c"))
    merged = StatisticsCounter(plan)
    for scores in ([[0.4, 0.3, 0.3], [0, 0, 0]], [[0.1, 0.9, 0.0], [0.6, 0.2, 0.2]]):
        counter = StatisticsCounter(plan)
        block = make_scored_block(["x", "" if scores[1] == [0, 0, 0] else "y"])
        object.__setattr__(block, "scores", np.array(scores, np.float32))
        counter.add(block)
        merged.merge(counter.counted)
    assert (merged.counted.labels, merged.counted.n_unsure) == ({"a": 2, "b": 1}, 1)


def test_the_report_tells_the_classes(
    class_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert score(class_bundle, reviews, tmp_path / "out") == 0
    found = [row["label"] for row in rows(tmp_path / "out") if row["label"]]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    section = page.split('<h2 id="labels">')[1].split("</section>")[0]
    for name in set(found):
        assert f'<th scope="row" class="name">{name}</th><td class="n">{found.count(name)}</td>' in section


def test_the_first_look_shows_the_class(class_bundle: StoredBundle, reviews: pathlib.Path, capsys: Output) -> None:
    assert main(["score", f"--input={reviews}", f"--bundle={class_bundle.path}", "--check"]) == 0
    printed = capsys.readouterr()
    lines = [line.split() for line in printed.out.splitlines()]
    assert lines[0] == ["id", *NAMES, "label", "tokens", "OOV"]
    first = dict(zip(lines[0], lines[2], strict=True))
    assert first["label"] == max(NAMES, key=lambda name: float(first[name]))
    assert lines[3][1:5] == ["-"] * 4
    assert printed.err.startswith("saiten: of all 5 records 3 scored, 2 empty, 0 dead letters; 1 file with")


def test_explain_names_the_class_and_its_probability_in_each_form(
    class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    page, command = tmp_path / "page.html", ["explain", f"--bundle={class_bundle.path}"]
    assert main([*command, "--json", f"--html={page}", TEXTS[0]]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["label"] == max(NAMES, key=lambda name: float(found["scores"][name]))
    assert found["label_score"] == found["scores"][found["label"]]
    assert main([*command, TEXTS[0]]) == 0
    shown = capsys.readouterr().out
    assert f"class        {found['label']}, probability {found['label_score']:.4f}" in shown
    assert f"\n{found['label']}  とても" in shown
    assert f"Class: <strong>{found['label']}</strong>, probability {found['label_score']:.4f}" in page.read_text()
    assert main([*command, "--json", ""]) == 0
    assert "label" not in json.loads(capsys.readouterr().out)


def test_programs_get_the_class_too(class_bundle: StoredBundle) -> None:
    assert saiten.load(class_bundle.path).task == "classes"
    scored, empty, dead = score_strings(load_scorer(str(class_bundle.path), "packed", trusted=False), ["駅", "", None])
    assert scored.scores is not None
    assert (scored.label, scored.label_score) == max(scored.scores.items(), key=lambda item: item[1])
    assert (empty.label, empty.label_score, dead.label, dead.label_score) == (None, None, None, None)
