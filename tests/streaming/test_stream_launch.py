"""What is refused before a stream begins, and what is said of one that goes on."""

import json
import pathlib
import shutil

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import UsageError
from saiten.pipelines.commands.main import main
from saiten.pipelines.library.score_files import score_files
from saiten.pipelines.local import remote
from saiten.pipelines.local.execute import Execution
from saiten.pipelines.local.signals import Job
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.job_note import JobNote, write_job_note
from saiten.pipelines.run.output_directory import refuse_used
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.run.range_summary import SourceCount
from saiten.pipelines.run.windows.window_manifest import WindowManifest, write_window_manifest
from saiten.pipelines.streaming import bundles, launch
from saiten.pipelines.streaming.bundles import CurrentBundle
from saiten.pipelines.streaming.launch import StreamFollower
from saiten.pipelines.streaming.stream import Stream

FLINK = ("--runner=PortableRunner", "--job_endpoint=localhost:8099")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input=a"], "--streaming needs a runner that goes on without end, which FnApiRunner does not: "),
        (["--input=a", "--runner=SparkRunner"], "without end, which SparkRunner does not: --runner=FlinkRunner, "),
        (["--input=a", "--subscription=projects/p/subscriptions/s"], "give one of the two"),
        (["--subscription=s", *FLINK], "--subscription is projects/PROJECT/subscriptions/NAME, not 's'"),
        (["--input=a", "--overwrite", *FLINK], "--overwrite: a stream writes no window again"),
        (["--input=a", "--window_secs=0", *FLINK], "--window_secs must be from 1 to 2,592,000, not 0"),
        (["--input=a", "--poll_secs=nan", *FLINK], "--poll_secs must be from 1 to 2,592,000, not nan"),
        (["--input=a", "--max_batch_wait_ms=-1", *FLINK], "--max_batch_wait_ms must be from 0 to 60,000, not -1"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_in_one_sentence_with_the_remedy(
    flags: list[str],
    message: str,
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["score", "--streaming", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}", *flags]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "flag",
    [
        "--subscription=projects/p/subscriptions/s",
        "--bundle_watch=b/*",
        "--window_secs=5",
        "--poll_secs=1",
        "--max_batch_wait_ms=0",
    ],
)
def test_what_is_for_streams_alone_is_refused_without_one(
    flag: str, tiny_bundle: StoredBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "--input=a", f"--bundle={tiny_bundle.path}", "--output=out", flag]) == 2
    assert capsys.readouterr().err == (
        f"saiten: {flag.partition('=')[0]} is for input without end: say --streaming too.\n"
    )


def test_a_program_cannot_wait_for_what_has_no_end() -> None:
    with pytest.raises(UsageError, match="streaming are for the command"):
        score_files(input="a", bundle="b", output="c", runner="FlinkRunner", streaming=True)


class DataflowRunner(FnApiRunner):  # type: ignore[misc]
    """Dataflow's name is all that is looked at."""


@pytest.mark.parametrize("flag", ["input", "bundle_watch"])
def test_what_a_stream_looks_for_on_this_machine_is_refused_where_the_workers_are_on_others(
    flag: str,
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = Execution(DataflowRunner(), PipelineOptions([]), None)
    monkeypatch.setattr(launch, "remote_execution", lambda _runner, _flags: far)
    monkeypatch.setattr(remote, "_is_shared", lambda path: path in (str(tiny_bundle.path), str(tmp_path / "out")))
    given = {"input": "gs://bucket/in/*", "bundle_watch": "gs://bucket/bundles/*"}
    given[flag] = f"gs://bucket/a*,{tmp_path}/there/*" if flag == "input" else f"{tmp_path}/there/*"
    command = ["score", "--streaming", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}"]
    assert main([*command, "--runner=DataflowRunner", *(f"--{name}={value}" for name, value in given.items())]) == 2
    assert f"--{flag} has {tmp_path}/there, which is on this machine" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_workers_get_paths_from_the_root_on_and_a_stream_begins_with_the_newest_bundle_that_is_watched(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one that goes on with --resume scores nothing by the bundle that was replaced before it ended."""
    launched: list[Stream] = []
    shutil.copytree(tiny_bundle.path, tmp_path / "bundles" / "v1")
    shutil.copytree(tiny_bundle.path, tmp_path / "bundles" / "v2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        launch, "remote_execution", lambda _runner, _flags: Execution(FnApiRunner(), PipelineOptions([]), None)
    )
    monkeypatch.setattr(launch, "_run", lambda stream, *_arguments, **_settings: launched.append(stream))
    monkeypatch.setattr(bundles, "_judge_elsewhere", lambda _stream, path: pathlib.Path(path).name)
    flags = ["--bundle=bundles/v1", "--bundle_watch=bundles/*", "--input=in/*.txt, more", "--output=out"]
    for more in ([], ["--resume"]):
        assert main(["score", "--streaming", *flags, *FLINK, *more]) == 0
        stream = launched.pop()
        assert (stream.run.output, stream.bundle.path) == (str(tmp_path / "out"), str(tmp_path / "bundles" / "v1"))
        assert stream.input == f"{tmp_path}/in/*.txt,{tmp_path}/more"
        assert stream.bundle_watch == f"{tmp_path}/bundles/*"
        assert bundles.read_current(stream) == CurrentBundle(str(tmp_path / "bundles" / "v2"), "v2")
        window(tmp_path / "out", 0)


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([], ["--checkpointing_interval=10000", "--finish_bundle_before_checkpointing"]),
        (["checkpointing_interval=500"], ["--checkpointing_interval=500", "--finish_bundle_before_checkpointing"]),
        (
            ["finish_bundle_before_checkpointing", "checkpointing_interval=7"],
            ["--finish_bundle_before_checkpointing", "--checkpointing_interval=7"],
        ),
    ],
)
def test_flink_remembers_where_a_stream_was_and_keeps_nothing_back_at_its_checkpoints(
    given: list[str],
    passed_on: list[str],
    tiny_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the second a stream whose first checkpoint came too soon read nothing, and ran on for ever."""
    seen: list[list[str]] = []

    def stop(_runner: str, flags: list[str]) -> None:
        seen.append([flag for flag in flags if "checkpoint" in flag])
        raise UsageError("Enough.")

    monkeypatch.setattr(launch, "remote_execution", stop)
    command = ["score", "--streaming", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}", "--input=a"]
    assert main([*command, *FLINK, *(f"--beam_option={option}" for option in given)]) == 2
    assert seen == [passed_on]


def window(output: pathlib.Path, start: float, *, dead: int = 0) -> WindowManifest:
    counts, codes = SourceCount(3, 3 - dead, 0, dead), {"BAD_JSON": dead} if dead else {}
    manifest = WindowManifest(
        run_id="r",
        start=start,
        end=start + 60,
        number=0,
        committed=start + 62.5,
        counts=counts,
        dead_letter_codes=codes,
    )
    write_window_manifest(str(output), manifest)
    return manifest


def test_a_streams_directory_and_a_runs_are_not_mixed(tmp_path: pathlib.Path) -> None:
    stream, run = tmp_path / "stream", tmp_path / "run"
    window(stream, 0)
    (run / "scores").mkdir(parents=True)
    (run / "_SUCCESS").touch()
    refuse_used(str(stream), overwrite=False, resume=True, is_stream=True)
    refuse_used(str(tmp_path / "new"), overwrite=False, resume=False, is_stream=True)
    with pytest.raises(UsageError, match="holds a stream: --resume goes on with it"):
        refuse_used(str(stream), overwrite=False, resume=False, is_stream=True)
    with pytest.raises(UsageError, match="holds a run of files: give a stream a directory of its own"):
        refuse_used(str(run), overwrite=False, resume=True, is_stream=True)
    for flags in ({"overwrite": True, "resume": False}, {"overwrite": False, "resume": True}):
        with pytest.raises(UsageError, match="holds the windows of a stream: give another directory"):
            refuse_used(str(stream), **flags)


def test_each_window_is_a_line_and_a_line_of_json_and_a_bundle_is_refused_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run("20261130T000000Z-00000000", str(tmp_path), "b", ("taste",), (), True, "token")
    window(tmp_path, 0)
    follower = StreamFollower(run, is_quiet=False, as_json=True)
    window(tmp_path, 60)
    window(tmp_path, 120, dead=2)
    folder = pathlib.Path(run.work_folder)
    folder.mkdir(parents=True)
    (folder / "refused-1.json").write_text('{"path": "b/v2", "reason": "a hash differs"}')
    with follower.shown(Job(run, None), line_secs=1e9):
        pass
    follower.look()
    monkeypatch.setattr(launch.time, "time", lambda: 200.0)
    assert follower.line("RUNNING") == "RUNNING, 2 windows: 6 records, 2 dead letters, 20 s behind"
    said = capsys.readouterr()
    dead = "2 dead letters (BAD_JSON 2)"
    assert said.err.splitlines() == [
        "saiten: window 19700101T000100Z: 3 records = 3 scored + 0 empty + 0 dead letters; 2.5 s behind its end",
        f"saiten: window 19700101T000200Z: 3 records = 1 scored + 0 empty + {dead}; 2.5 s behind its end",
        "saiten: the bundle b/v2 is refused, the stream goes on with the one it has: a hash differs",
    ]
    assert [json.loads(line)["window"] for line in said.out.splitlines()] == ["19700101T000100Z", "19700101T000200Z"]
    assert json.loads(said.out.splitlines()[1]) == {
        "window": "19700101T000200Z",
        "records": 3,
        "scored": 1,
        "empty": 0,
        "dead": 2,
        "lag_secs": 2.5,
        "dead_letter_codes": {"BAD_JSON": 2},
    }


def test_inspect_tells_whether_a_stream_goes_on_and_what_its_windows_hold(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run("20261130T000000Z-00000000", str(tmp_path), "b", ("taste",), (), True, "token")
    write_owner(str(tmp_path), "token")
    write_job_note(run.work_folder, JobNote("PortableRunner", "saiten-x", "7", ""))
    assert page(tmp_path, capsys)["stream"] == "in progress"
    window(tmp_path, 0)
    window(tmp_path, 60, dead=2)
    found = page(tmp_path, capsys)
    assert (found["stream"], found["job"], found["windows"]) == ("in progress", "saiten-x (7) of PortableRunner", "2")
    assert found["records"] == "records 6, scored 4, empty 0, dead 2"
    assert found["last"].startswith(
        "window 19700101T000100Z: 3 records = 1 scored + 0 empty + 2 dead letters (BAD_JSON 2)"
    )
    (tmp_path / "_work" / "owner.json").unlink()
    assert page(tmp_path, capsys)["stream"].startswith("abandoned: its launcher gave it up; the windows that are there")


def page(output: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What `saiten inspect` says of a directory, by the names of its rows."""
    assert main(["inspect", str(output)]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {words[0]: words[1].strip() for words in lines if len(words) == 2}
