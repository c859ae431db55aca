"""A job elsewhere is followed, or left to itself, and what its output says of it is so."""

import pathlib
import time

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.commands.main import main
from saiten.pipelines.library.score_files import score_files
from saiten.pipelines.local import follow, launch
from saiten.pipelines.local.follow import FollowedJob
from saiten.pipelines.run.notes.job_note import JobNote
from saiten.pipelines.steps.pipeline import Scoring, build
from tests.helpers.scoring import rows, score, stop_when_planned

LATE = "--runner=tests.helpers.late_runner.LateRunner"


@pytest.fixture
def job(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.setenv("LATE_JOB", str(folder))
    monkeypatch.setenv("LATE_HOLD", "commit")
    return folder


def wait_until(path: pathlib.Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.05)


def inspect(output: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What `saiten inspect` says of a directory, by the names of its rows."""
    capsys.readouterr()
    assert main(["inspect", str(output)]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {words[0]: words[1].strip() for words in lines if len(words) == 2}


def test_a_job_that_is_not_waited_for_commits_and_is_looked_at_from_outside(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    job: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert score(tiny_bundle, reviews, out, LATE, "--no_wait") == 0
    said = capsys.readouterr().err
    wait_until(job / "committing")
    page = inspect(out, capsys)
    name = f"saiten-{page['run_id'].lower()} (job-7) of LateRunner"
    assert said == f"saiten: the job {name} has begun; saiten inspect {out} tells how far it is.\n"
    assert page["unfinished"] == "in progress"
    assert page["job"] == name
    assert page["ranges"] == "1 of 1 done"
    assert page["records"] == "5 so far, 0 of them dead letters"
    (job / "go").touch()
    wait_until(job / "ended")
    assert (job / "ended").read_text() == ""
    assert len(rows(out)) == 5
    assert not (out / "_work").exists()
    assert "unfinished" not in inspect(out, capsys)


def test_a_job_whose_launcher_waits_is_named_at_once_and_shown_every_few_seconds(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    job: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        if "5 records" in line:
            (job / "go").touch()

    monkeypatch.setattr(follow, "say", heard)
    monkeypatch.setattr(follow.FollowedJob.shown, "__wrapped__", FollowedJob.shown.__wrapped__)
    monkeypatch.setattr(follow.FollowedJob.shown.__wrapped__, "__defaults__", (0.05,))
    flags = [f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}", LATE]
    assert main(["score", *flags]) == 0
    assert lines[0].startswith("the job saiten-")
    assert lines[0].endswith(" (job-7) of LateRunner has begun.")
    assert set(lines[1:]) <= {
        "RUNNING, 0%: 0 records, 0 dead letters",
        "RUNNING, 100%: 5 records, 0 dead letters",
        "DONE, 100%: 5 records, 0 dead letters",
    }
    assert capsys.readouterr().err.startswith("saiten: 5 records = 3 scored + 2 empty + 0 dead letters")


class _Result:
    """What a runner tells of a job, with metrics."""

    state = "RUNNING"

    def __init__(self, metrics: object) -> None:
        self.metrics = lambda: metrics


def test_metrics_count_every_record_token_and_batch_by_one_rule_and_tell_the_progress(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "records.jsonl"
    texts = ['{"text": "とても美味しい。"}', '{"text": ""}', '{"text": 3}', "{", '{"text": "まだ見ぬ"}', "["]
    source.write_text("\n".join(texts) + "\n", encoding="utf-8")
    planned = stop_when_planned(monkeypatch)
    assert score(tiny_bundle, source, tmp_path / "out", "--max_dead_letter_rate=1") == 1
    monkeypatch.setattr("saiten.pipelines.steps.commit.refuse_fenced_off", lambda _run: None)
    monkeypatch.setattr("saiten.pipelines.run.owner.refuse_fenced_off", lambda _run: None)
    monkeypatch.setattr("saiten.pipelines.steps.range_writer.refuse_fenced_off", lambda _run: None)
    pipeline = beam.Pipeline(runner=FnApiRunner())
    build(pipeline, planned[0])
    result = pipeline.run()
    assert follow.read_counters(result) == {
        "bytes-read": source.stat().st_size,
        "records-read": 6,
        "records-scored": 2,
        "records-empty": 1,
        "records-truncated": 0,
        "records-dead-lettered": 3,
        "tokens-read": 6,
        "tokens-oov": 3,
        "dead-letters-text-not-string": 1,
        "dead-letters-bad-json": 2,
    }
    found = result.metrics().query()["distributions"]
    ours = {each.key.metric.name: each.result for each in found if each.key.metric.namespace == "saiten"}
    assert ours.keys() == {"batch-records", "encode-ms", "infer-ms"}
    assert (ours["batch-records"].count, ours["batch-records"].sum) == (1, 3)
    followed = FollowedJob(_Result(result.metrics()), "none", source.stat().st_size * 2, 1)
    assert followed.line() == "RUNNING, 50%: 6 records, 3 dead letters"
    assert followed.progress().tally.codes == {"TEXT_NOT_STRING": 1, "BAD_JSON": 2}


@pytest.mark.parametrize(
    ("state", "gives_up", "age_secs", "expected"),
    [
        ("RUNNING", False, 600, "in progress"),
        ("RUNNING", False, 3600, "in progress by its job server's word, which may not have heard of its end:"),
        ("FAILED", False, 0, "abandoned: its job ended as FAILED; --resume finishes it, --overwrite starts anew"),
        ("RUNNING", True, 0, "abandoned: its launcher gave it up; --resume finishes it, --overwrite starts anew"),
        (None, False, 600, "in progress"),
        (None, False, 3600, "abandoned: nothing was heard of it for 3,6"),
    ],
)
def test_the_runners_word_counts_and_where_it_has_none_the_signs_that_the_run_leaves(
    tiny_bundle: StoredBundle,
    unfinished: tuple[pathlib.Path, pathlib.Path],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str | None,
    gives_up: bool,
    age_secs: int,
    expected: str,
) -> None:
    import os
    import shutil

    from saiten.pipelines.run.notes.job_note import write_job_note
    from saiten.pipelines.run.owner import write_owner

    out = pathlib.Path(shutil.copytree(unfinished[1], tmp_path / "out"))
    (folder,) = out.glob("_work/*/")
    write_job_note(str(folder), JobNote("PortableRunner", "saiten-x", "7", "127.0.0.1:1"))
    if not gives_up:
        write_owner(str(out), "token")
    for path in out.rglob("_work/**/*"):
        os.utime(path, (time.time() - age_secs,) * 2)
    monkeypatch.setattr(follow, "ask_state", lambda _job: state)
    found = inspect(out, capsys)["unfinished"]
    assert found.startswith(expected)
    assert ("word" in found) == ("word" in expected)


def test_a_local_run_is_in_progress_while_its_launcher_holds_the_lock_and_abandoned_behind_it(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, pages = tmp_path / "out", []

    def look(_scoring: Scoring, _execution: object) -> None:
        pages.append(inspect(out, capsys))
        raise SaitenError("stopped")

    monkeypatch.setattr(launch, "execute", look)
    assert score(tiny_bundle, reviews, out) == 1
    assert pages[0]["unfinished"] == "in progress"
    assert "job" not in pages[0]
    assert inspect(out, capsys)["unfinished"].startswith("abandoned: its launcher gave it up")


def test_a_job_server_is_asked_and_whoever_is_none_tells_nothing() -> None:
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    server = LocalJobServicer()
    port = server.start_grpc_server(0)
    try:
        options = PipelineOptions(
            [f"--job_endpoint=localhost:{port}", "--environment_type=beam:env:embedded_python:v1"]
        )
        with beam.Pipeline("PortableRunner", options) as pipeline:
            pipeline | beam.Create([1])
        job_id = next(iter(server._jobs))
        assert follow.ask_state(JobNote("PortableRunner", "x", job_id, f"localhost:{port}")) == "DONE"
        assert follow.ask_state(JobNote("PortableRunner", "x", "other", f"localhost:{port}")) is None
    finally:
        server.stop()
    assert follow.ask_state(JobNote("PortableRunner", "x", job_id, "localhost:1")) is None
    assert follow.ask_state(JobNote("DataflowRunner", "x", job_id, "https://console")) is None


def test_no_wait_is_refused_where_nothing_would_go_on(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tiny_bundle, reviews, tmp_path / "out", "--no_wait") == 2
    assert capsys.readouterr().err == (
        "saiten: --no_wait is for a --runner elsewhere: a local run ends with its command.\n"
    )
    with pytest.raises(UsageError, match="score_files waits for what it returns"):
        score_files(input=str(reviews), bundle=str(tiny_bundle.path), output="x", runner="FlinkRunner", no_wait=True)
