"""A reader gets one whole run, whatever else goes on in the directory."""

import pathlib
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.run import results
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.results import read_dead_letters, read_scores
from saiten.pipelines.run.run_manifest import committed_manifest, read_run_manifest
from saiten.pipelines.run.schema import DEAD_LETTER_SCHEMA, scores_schema
from saiten.pipelines.run.windows.window_manifest import WindowManifest, write_window_manifest
from tests.helpers.scoring import rows, score


def test_scores_and_dead_letters_are_those_of_the_manifest(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=1") == 3
    stray = out / "scores" / "part-20200101T000000Z-00000000-00000.parquet"
    stray.write_bytes(next((out / "scores").iterdir()).read_bytes())
    assert read_scores(str(out)).to_pylist() == rows(out)
    assert read_scores(str(out), ["status"]).column_names == ["status"]
    assert read_dead_letters(str(out), ["code"]).to_pylist() == [{"code": "BAD_JSON"}]


def test_no_thread_is_left_that_reads(tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """One of Arrow's that still reads ahead when Python ends would end the process with an error, now and then."""
    assert score(tiny_bundle, reviews, tmp_path / "run", "--workers=1", "--quiet") == 0
    program = (
        "import os, sys, saiten\n"
        "saiten.read_scores\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "for _ in range(3): saiten.read_scores(sys.argv[1]), saiten.read_dead_letters(sys.argv[1])\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "run")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0\n"


def test_a_run_that_takes_the_place_of_another_is_read_instead(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    old = read_run_manifest(str(out))
    assert score(tiny_bundle, reviews, out, "--overwrite") == 0
    monkeypatch.setattr(results, "read_run_manifest", lambda _: old)
    assert read_scores(str(out)).to_pylist() == rows(out)


def test_a_run_that_has_committed_is_read_whatever_lies_where_a_stream_has_its_windows(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    window = WindowManifest(run_id="r", start=0, end=60, number=0, committed=61, counts=SourceCount())
    write_window_manifest(str(out), window)
    assert read_scores(str(out)).to_pylist() == rows(out)


def test_a_missing_run_and_a_missing_part_are_errors(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="holds no committed run"):
        read_scores(str(out))
    assert score(tiny_bundle, reviews, out) == 0
    next((out / "scores").iterdir()).unlink()
    with pytest.raises(SaitenError, match=rf"^{out}/scores/.*\.parquet is gone, which the run's manifest names: copy"):
        read_scores(str(out))


@pytest.mark.parametrize(
    ("below", "instead"),
    [
        ("_work/20260101T000000Z-aaaaaaaa/plan.json", "; one was begun there: saiten score --resume finishes it."),
        ("windows/0/a.json", "; it is a stream's, whose windows saiten.read_scores reads."),
        ("a.txt", "."),
    ],
)
def test_what_is_there_in_place_of_a_committed_run_is_said(below: str, instead: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / below).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / below).touch()
    with pytest.raises(UsageError) as refused:
        committed_manifest(str(tmp_path))
    assert str(refused.value) == f"{tmp_path} holds no committed run: it has no manifest.json{instead}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 200_000, "cannot be read as JSON"),
        ("[]", "is no run's"),
        ("{}", "is no run's"),
        ('{"run_id": "20260101T000000Z-aaaaaaaa"}', "is no run's"),
    ],
)
def test_what_is_no_runs_manifest_is_refused_by_name(tmp_path: pathlib.Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match=rf"holds a manifest\.json that {message}"):
        read_scores(str(tmp_path))


def test_a_bundle_is_not_read_as_a_run(tiny_bundle: StoredBundle) -> None:
    with pytest.raises(UsageError, match="is a bundle, and no run: give the --output of a saiten score"):
        read_scores(str(tiny_bundle.path))


# What BigQuery's page on loading Parquet takes for a column: physical and logical type.
_BIGQUERY_TYPES = {
    ("BOOLEAN", "NONE"),
    ("BYTE_ARRAY", "NONE"),
    ("BYTE_ARRAY", "STRING"),
    ("DOUBLE", "NONE"),
    ("FLOAT", "NONE"),
    ("INT32", "NONE"),
    ("INT64", "NONE"),
}


def test_bigquery_takes_every_column_of_scores_and_dead_letters(tmp_path: pathlib.Path) -> None:
    """It cannot be asked here, so this goes by what it says that it loads: flat columns of these types."""
    for name, schema in (("scores", scores_schema(["taste"], [], 2)), ("dead_letters", DEAD_LETTER_SCHEMA)):
        pq.write_table(schema.empty_table(), tmp_path / name)
        columns = pq.ParquetFile(tmp_path / name).schema
        assert len(columns) == len(schema)
        types = [columns.column(i) for i in range(len(schema))]
        found = {(column.physical_type, column.logical_type.type) for column in types}
        assert found <= _BIGQUERY_TYPES
        assert all(re.fullmatch("[a-z_0-9]+", field) for field in schema.names)
