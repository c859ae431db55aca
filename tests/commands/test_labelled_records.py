"""Labels out of any structured input, read anew each time."""

import json
import pathlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from saiten.model.errors import UsageError
from saiten.pipelines.commands.training.further_texts import refuse_bad_rate
from saiten.pipelines.commands.training.labelled_records import LabelledRecords, parse_labels
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work


def _labelled(path: pathlib.Path, fields: str | None, rate: float = 0.5, classes: str | None = None) -> LabelledRecords:
    labels = parse_labels(fields, classes)
    return LabelledRecords(plan_work(str(path), ReadOptions(kept_fields=labels.fields)), labels, rate)


def test_records_can_be_read_again_and_are_counted_anew(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("text,x,y\n良い,1,-2.5\n悪い,,1\n店,1e1,0\n海,,\n", encoding="utf-8")
    records = _labelled(tmp_path / "a.csv", "x,y")
    for _ in range(2):
        assert [(text, str(np.asarray(labels).tolist())) for text, labels in records] == [
            ("良い", "[1.0, -2.5]"), ("悪い", "[nan, 1.0]"), ("店", "[10.0, 0.0]"),
        ]  # fmt: skip
        assert records.n_read == 4
        assert (+records.bad, +records.missing) == ({"LABEL_MISSING": 1}, {"x": 1})


def test_parquet_labels_of_any_number_type_and_nan_is_no_label(tmp_path: pathlib.Path) -> None:
    table = pa.table(
        {
            "text": ["一", "二", "三", "四"],
            "x": pa.array([1, 0, 3, None], pa.int8()),
            "y": pa.array([0.5, np.nan, 1.5, None], pa.float32()),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    records = _labelled(tmp_path / "a.parquet", "x,y")
    assert [(text, list(labels)) for text, labels in records] == [("一", [1.0, 0.5]), ("三", [3.0, 1.5])]
    assert +records.bad == {"LABEL_NOT_FINITE": 1, "LABEL_MISSING": 1}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["a", " b ", None, "", "a"], ["a", "b", "a"]),
        ([1, 2, None, 10], ["1", "2", "10"]),
        ([1.0, 2.5, None], ["1", "2.5"]),
        ([True, False], ["true", "false"]),
    ],
)
def test_classes_are_text_numbers_or_truth_values(
    values: list[object], names: list[str], tmp_path: pathlib.Path
) -> None:
    parquet.write_table(pa.table({"text": ["店"] * len(values), "k": values}), tmp_path / "a.parquet")
    lines = [json.dumps({"text": "店", "k": value}) + "\n" for value in values]
    (tmp_path / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    for ending in ("parquet", "jsonl"):
        records = _labelled(tmp_path / f"a.{ending}", None, classes="k")
        assert [label for _, label in records] == names
        assert records.bad["LABEL_MISSING"] == len(values) - len(names)


def test_a_label_that_is_never_there_is_noticed_after_a_thousand_records(tmp_path: pathlib.Path) -> None:
    """Nobody wants to wait for several GB of text to hear of a misspelt name."""
    (tmp_path / "a.jsonl").write_text('{"text": "店", "x": 1}\n' * 9_000, encoding="utf-8")
    records = _labelled(tmp_path / "a.jsonl", "x,z")
    with pytest.raises(UsageError, match=r"^None of the first \d,\d{3} records has a number in the label field 'z'"):
        list(records)
    assert 1_000 <= records.n_read < 9_000


@pytest.mark.parametrize("fields", ["x", None])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "There are no records: the files are empty, or not those that you mean."),
        ('{"text": broken\n', "The only record cannot be used (BAD_JSON 1). The first is a.jsonl:0: Not valid JSON at"),
        (
            "5\n" * 1_200,
            "None of the 1,200 records read so far can be used (NOT_AN_OBJECT 1,200). The first is a.jsonl:0: ",
        ),
        (
            '{"text": 5}\n[1]\n{"text": "店"}\n',
            "None of the 3 records can be used (TEXT_NOT_STRING 1, NOT_AN_OBJECT 1, LABEL_MISSING 1). The first ",
        ),
    ],
)
def test_records_that_cannot_be_read_are_not_said_to_lack_a_label(
    content: str, said: str, fields: str | None, tmp_path: pathlib.Path
) -> None:
    """It is the file that is broken, not the flag that names the label."""
    (tmp_path / "a.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        list(_labelled(tmp_path / "a.jsonl", fields, classes=None if fields else "x"))
    assert str(refused.value).startswith(said)


def test_one_record_is_spoken_of_as_one() -> None:
    with pytest.raises(UsageError, match=r"^The only record of --word2vec_input cannot be used \(BAD_UTF8 1\)\.$"):
        refuse_bad_rate(1, Counter(BAD_UTF8=1), 0.01, "records of --word2vec_input")
