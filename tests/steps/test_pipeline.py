"""`saiten score` from files to a committed run: every record scored or accounted for, once."""

import gzip
import json
import pathlib
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from saiten.model.bundle.bundle import StoredBundle, read_bundle
from saiten.pipelines.local import launch
from saiten.pipelines.local.execute import Execution
from tests.helpers.forgery import reseal
from tests.helpers.scoring import TEXTS, content, rows, score, stop_when_planned


def test_a_text_file_gives_a_row_a_line_with_the_scores_of_the_engine(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tiny_bundle, reviews, tmp_path / "out") == 0
    encoded = tiny_bundle.encoder().encode([text for text in TEXTS if text.strip("　")])
    expected = tiny_bundle.engine("packed").score(encoded.token_ids, encoded.offsets)
    found = rows(tmp_path / "out")
    assert [row["status"] for row in found] == ["scored", "empty", "scored", "empty", "scored"]
    scored = [row for row in found if row["status"] == "scored"]
    assert [[row["score_taste"], row["score_service"]] for row in scored] == expected.tolist()
    assert [row["n_tokens"] for row in scored] == encoded.n_tokens.tolist()
    assert [row["score_taste"] for row in found if row["status"] == "empty"] == [None, None]
    offsets = [0, *(len("\n".join(TEXTS[:i]).encode()) + 1 for i in range(1, 5))]
    assert [(row["id"], row["source"], row["position"]) for row in found] == [
        (f"reviews.txt:{offset}", "reviews.txt", offset) for offset in offsets
    ]
    assert "5 records = 3 scored + 2 empty + 0 dead letters" in capsys.readouterr().err
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert not (tmp_path / "out" / "_work").exists()


def test_both_engines_give_the_same_scores(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for engine in ("packed", "keras"):
        assert score(tiny_bundle, reviews, tmp_path / engine, f"--engine={engine}") == 0
    packed, keras = rows(tmp_path / "packed"), rows(tmp_path / "keras")
    for ours, theirs in zip(packed, keras, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_worker_processes_give_the_same_rows_as_one_process(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> None:
    files = tmp_path / "in"
    files.mkdir()
    for i in range(3):
        (files / f"{i}.txt").write_text("\n".join(f"{text}{i}" for text in TEXTS * 40), encoding="utf-8")
    assert score(tiny_bundle, files, tmp_path / "one", "--workers=1") == 0
    assert score(tiny_bundle, files, tmp_path / "two", "--workers=2") == 0
    assert rows(tmp_path / "two") == rows(tmp_path / "one")
    assert len(rows(tmp_path / "one")) == 600


def test_dead_letters_are_committed_beside_the_scores_with_exit_3(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out, "--max_dead_letter_rate=0.5", "--id_field=id") == 3
    assert [row["id"] for row in rows(out)] == ["a"]
    assert [(row["code"], row["position"], row["raw"]) for row in rows(out, "dead_letters")] == [
        ("BAD_JSON", 33, b'{"text": ')
    ]
    flags = ["--max_dead_letter_rate=0.5", "--allow_dead_letters", "--no_raw", "--overwrite"]
    assert score(tiny_bundle, half_broken, out, *flags) == 0
    assert [(row["raw"], row["raw_bytes"]) for row in rows(out, "dead_letters")] == [(None, 9)]


def test_too_many_dead_letters_commit_nothing_until_a_higher_rate_resumes_without_scoring_again(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, half_broken, out) == 4
    assert "1 of 2 records is a dead letter" in capsys.readouterr().err
    assert not (out / "manifest.json").exists()
    assert not (out / "_SUCCESS").exists()
    before = {path: path.stat().st_mtime_ns for path in (out / "scores").iterdir()}
    assert score(tiny_bundle, half_broken, out) == 2
    assert "unfinished run: --resume finishes it" in capsys.readouterr().err
    assert score(tiny_bundle, half_broken, out, "--resume", "--max_dead_letter_rate=0.5") == 3
    assert {path: path.stat().st_mtime_ns for path in (out / "scores").iterdir()} == before


def test_resuming_does_what_is_missing_and_gives_the_rows_of_an_unbroken_run(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert score(tiny_bundle, half_broken, whole, "--max_dead_letter_rate=1") == 3
    assert score(tiny_bundle, half_broken, broken) == 4
    for path in broken.rglob("*00000*"):
        if path.parent.name == "scores":
            path.unlink()
    assert score(tiny_bundle, half_broken, broken, "--resume", "--max_dead_letter_rate=1") == 3
    for folder in ("scores", "dead_letters"):
        assert rows(broken, folder) == rows(whole, folder)


@pytest.mark.parametrize(
    ("flags", "difference"),
    [
        (["--text_field=id"], "another text_field"),
        (["--engine=keras"], "another engine"),
        (["--id_field=id"], "another id_field"),
        (["--no_raw"], "another no_raw"),
        (["--input_format=jsonl"], "another input_format"),
        (["--encoding=cp932"], "another encoding"),
        (["--max_record_bytes=1000"], "another max_record_bytes"),
        (["--keep_fields=text"], "another keep_fields"),
    ],
)
def test_resuming_with_what_changes_rows_is_refused_by_name(
    tiny_bundle: StoredBundle,
    unfinished: tuple[pathlib.Path, pathlib.Path],
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    difference: str,
) -> None:
    records, out = unfinished
    before = content(out)
    assert score(tiny_bundle, records, out, "--resume", *flags) == 2
    assert difference in capsys.readouterr().err
    assert content(out) == before


def test_resuming_with_another_bundle_is_refused(
    tiny_bundle: StoredBundle,
    half_broken: pathlib.Path,
    tmp_path: pathlib.Path,
    bundle_copy: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reseal(bundle_copy, training={"seed": 1})
    other = read_bundle(bundle_copy)
    out, flags = tmp_path / "out", ["--resume", "--max_dead_letter_rate=1"]
    assert score(tiny_bundle, half_broken, out) == 4
    assert score(other, half_broken, out, *flags) == 2
    assert "--resume: the unfinished run has another bundle_id" in capsys.readouterr().err
    assert score(tiny_bundle, half_broken, out, *flags) == 3
    assert score(other, half_broken, out, *flags) == 2
    assert "--resume: the committed run has another bundle_id" in capsys.readouterr().err


def test_resuming_a_committed_run_changes_nothing(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    before = content(out)
    assert score(tiny_bundle, reviews, out, "--resume") == 0
    assert content(out) == before


def test_a_used_directory_is_refused_and_only_a_run_is_ever_replaced(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    before = content(out)
    assert score(tiny_bundle, reviews, out) == 2
    assert "holds a run: --overwrite replaces it" in capsys.readouterr().err
    assert content(out) == before
    assert score(tiny_bundle, reviews, out, "--overwrite") == 0
    assert len(list((out / "scores").iterdir())) == 1
    (out / "thesis.docx").write_text("mine")
    assert score(tiny_bundle, reviews, out, "--overwrite") == 2
    assert "thesis.docx, which is no run's" in capsys.readouterr().err


def test_a_failed_run_leaves_the_old_one_as_it_was(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out) == 0
    before = content(out)
    cut = tmp_path / "cut.txt.gz"
    cut.write_bytes(gzip.compress(reviews.read_bytes())[:-9])
    assert score(tiny_bundle, cut, out, "--overwrite") == 1
    assert "cut.txt.gz" in capsys.readouterr().err
    assert {name: data for name, data in content(out).items() if not name.startswith("_work")} == before


def test_kept_fields_are_carried_with_their_types(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> None:
    records = tmp_path / "kept.jsonl"
    records.write_text('{"text": "良い。", "stars": 5, "shop": {"name": "丼"}}\n{"text": "。"}\n', encoding="utf-8")
    assert score(tiny_bundle, records, tmp_path / "out", "--keep_fields=stars:int64,shop") == 0
    assert [(row["stars"], row["shop"]) for row in rows(tmp_path / "out")] == [(5, '{"name":"丼"}'), (None, None)]
    part = next((tmp_path / "out" / "scores").iterdir())
    assert pq.read_schema(part).names[:3] == ["id", "stars", "shop"]


def test_check_shows_scores_and_writes_nothing(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tiny_bundle, half_broken, tmp_path / "out", "--check") == 0
    shown = capsys.readouterr()
    assert "of all 2 records 1 scored, 0 empty, 1 dead letter" in shown.err
    assert "BAD_JSON" in shown.out
    assert not (tmp_path / "out").exists()


def test_the_summary_as_json_is_the_manifest(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tiny_bundle, reviews, tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out" / "manifest.json").read_text())


@pytest.mark.thorough
def test_the_module_takes_the_same_flags_and_a_packed_run_imports_neither_tensorflow_nor_gensim(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    program = (
        "import runpy, sys\n"
        "try: runpy.run_module('saiten.pipelines.score', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not {'tensorflow', 'keras', 'gensim'} & set(sys.modules), 'imported'\n"
    )
    flags = [f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}", "--workers=1"]
    ended = subprocess.run([sys.executable, "-c", program, *flags], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.strip().splitlines()[-1].startswith("saiten: 5 records = 3 scored + 2 empty + 0 dead letters")


@pytest.mark.parametrize(("runner", "threads"), [("FnApiRunner", 1), ("DataflowRunner", 0)])
def test_only_workers_that_share_this_machine_are_kept_to_one_thread(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    runner: str,
    threads: int,
) -> None:
    planned = stop_when_planned(monkeypatch)

    elsewhere = Execution(FnApiRunner(), PipelineOptions([]), None)
    monkeypatch.setattr(launch, "count_workers", lambda _args, _n_bytes: 8)
    monkeypatch.setattr(launch, "remote_execution", lambda _runner, _flags: elsewhere)
    assert score(tiny_bundle, reviews, tmp_path / "out", f"--runner={runner}") == 1
    assert [scoring.bundle.threads for scoring in planned] == [threads]
