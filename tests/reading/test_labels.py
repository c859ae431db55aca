"""Labels out of any structured input, read anew each time."""

import pathlib

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from saiten.model.errors import UsageError
from saiten.pipelines.commands.labels import LabelledRecords, parse_label_fields
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work


def _labelled(path: pathlib.Path, fields: str, rate: float = 0.5) -> LabelledRecords:
    return LabelledRecords(plan_work(str(path), ReadOptions(kept_fields=parse_label_fields(fields))), rate)


def test_records_can_be_read_again_and_are_counted_anew(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("text,x,y\n良い,1,-2.5\n悪い,,1\n店,1e1,0\n", encoding="utf-8")
    records = _labelled(tmp_path / "a.csv", "x,y")
    for _ in range(2):
        assert [(text, list(labels)) for text, labels in records] == [("良い", [1.0, -2.5]), ("店", [10.0, 0.0])]
        assert records.n_read == 3
        assert +records.bad == {"LABEL_MISSING": 1}


def test_parquet_labels_of_any_number_type_and_nan_is_no_label(tmp_path: pathlib.Path) -> None:
    table = pa.table(
        {
            "text": ["一", "二", "三", "四"],
            "x": pa.array([1, 0, 3, 4], pa.int8()),
            "y": pa.array([0.5, np.nan, 1.5, None], pa.float32()),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    records = _labelled(tmp_path / "a.parquet", "x,y")
    assert [(text, list(labels)) for text, labels in records] == [("一", [1.0, 0.5]), ("三", [3.0, 1.5])]
    assert records.bad.total() == 2


def test_a_label_that_is_never_there_is_noticed_after_a_thousand_records(tmp_path: pathlib.Path) -> None:
    """Nobody wants to wait for several GB of text to hear of a misspelt name."""
    (tmp_path / "a.jsonl").write_text('{"text": "店", "x": 1}\n' * 9_000, encoding="utf-8")
    records = _labelled(tmp_path / "a.jsonl", "x,z")
    with pytest.raises(UsageError, match="No record has a number in the label field 'z'"):
        list(records)
    assert 1_000 <= records.n_read < 9_000
