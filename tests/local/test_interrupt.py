"""Interrupted, terminated or killed, a run leaves nothing half visible and can be resumed."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from saiten.pipelines.local import signals
from saiten.pipelines.local.signals import Job
from saiten.pipelines.run.layout import Run
from saiten.pipelines.run.notes.job_note import JobNote
from saiten.pipelines.run.owner import owner_of, write_owner
from tests.helpers.on_terminal import HIDE_CURSOR, run_on_terminal, said_after_bar

LINES = 24_000
SENTENCE = "料理は普通でしたが、店員さんが親切でした。駅から遠くて、値段も高い。もう行きません！"
# White space costs nothing to score, and makes the file be cut into two ranges for each worker.
WHITE_SPACE = " " * 600


def line(i: int) -> str:
    return f"{SENTENCE}{i}{WHITE_SPACE}\n"


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("input") / "long.txt"
    path.write_text("".join(map(line, range(LINES))), encoding="utf-8")
    return path


def flags(bundle: StoredBundle, input_path: pathlib.Path, output: pathlib.Path) -> list[str]:
    return ["score", f"--input={input_path}", f"--bundle={bundle.path}", f"--output={output}", "--quiet", "--workers=2"]


@contextmanager
def running(arguments: list[str]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "saiten.pipelines.commands.main", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Waits until the run has come far enough; the run itself bounds how long."""
    while not condition():
        assert process.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.02)


def notes(output: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    return list(output.glob(f"_work/*/{pattern}"))


def finished_parts(output: pathlib.Path) -> list[pathlib.Path]:
    """The scores of ranges that are finished."""
    return [
        output / json.loads(path.read_text())["summary"]["scores"]["path"] for path in notes(output, "range-*.json")
    ]


def workers(output: pathlib.Path) -> list[int]:
    return [int(path.name.removeprefix("worker-")) for path in notes(output, "worker-*")]


def is_alive(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def end_by(number: int, arguments: list[str], out: pathlib.Path) -> None:
    """Sends a signal when the first range is finished; nothing is visible then, and nothing goes on."""
    with running(arguments) as process:
        wait_for(lambda: finished_parts(out), process)
        pids = workers(out)
        for pid in pids:  # they have scored, so all that they need is loaded
            assert "tensorflow" not in pathlib.Path(f"/proc/{pid}/maps").read_text()
        process.send_signal(number)
        _, said = process.communicate()
    word = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[signal.Signals(number)]
    assert (process.returncode, len(pids)) == (128 + number, 2)
    assert [line.rpartition("\x1b[K")[2] for line in said.splitlines()] == [
        f"saiten: {word}; nothing was committed, --resume goes on from here."
    ]
    assert not any(map(is_alive, pids))
    assert not (out / "manifest.json").exists()
    assert not (out / "_SUCCESS").exists()


@pytest.mark.thorough
def test_sigterm_ends_the_run_with_one_line(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    end_by(signal.SIGTERM, flags(tiny_bundle, long_file, tmp_path / "out"), tmp_path / "out")


@pytest.mark.thorough
def test_ctrl_c_ends_the_run_with_one_line_and_resume_completes_it(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    arguments = flags(tiny_bundle, long_file, out)
    end_by(signal.SIGINT, arguments, out)
    finished = {path: path.stat().st_mtime_ns for path in finished_parts(out)}
    assert main([*arguments, "--resume", "--workers=1"]) == 0
    assert_whole(out)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "what was finished was done again"


def test_a_signal_under_the_progress_bar_gives_the_cursor_back(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    arguments = [flag for flag in flags(tiny_bundle, long_file, tmp_path / "out") if flag != "--quiet"]
    command = [sys.executable, "-m", "saiten.pipelines.commands.main", *arguments]
    exit_code, said = run_on_terminal(command, interrupt_at=HIDE_CURSOR)
    assert exit_code == 130
    assert said_after_bar(said) == "saiten: interrupted; nothing was committed, --resume goes on from here.\r\n"


def test_a_second_signal_waits_for_nothing(tmp_path: pathlib.Path) -> None:
    """The first one may hang: on a worker in the kernel, on a store that does not answer."""
    program = (
        "import os, signal, sys, threading, time, types\n"
        "from saiten.pipelines.local.signals import Job, ending_on_signals\n"
        "class Workers:\n"
        "    def kill(self, wait_secs=600.0):\n"
        "        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()\n"
        "        time.sleep(wait_secs)\n"
        "with ending_on_signals(Job(types.SimpleNamespace(output=sys.argv[1], run_id='a'), Workers())):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 130
    assert ended.stderr.partition("saiten: ")[2] == "interrupted twice; --resume goes on from here.\n"


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (
            ["RUNNING", "CANCELLING", "CANCELLED"],
            "the job is cancelled, as its runner tells, and is fenced off: nothing",
        ),
        (["FAILED"], "the job ended as FAILED, as its runner tells, and is fenced off: nothing"),
        (["RUNNING"], "the job saiten-x (job-7) of LateRunner may still be running, but is fenced off: nothing"),
        ([], "the job saiten-x (job-7) of LateRunner may still be running, but is fenced off: nothing"),
    ],
)
def test_a_signal_fences_the_job_of_a_remote_runner_off_and_waits_for_its_end(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, states: list[str], said: str
) -> None:
    """A request to be cancelled may raise, or raise nothing and cancel nothing: only the job's state counts."""
    monkeypatch.setattr(signals, "_CANCEL_SECS", 0.1)
    monkeypatch.setattr(signals, "_STATE_POLL_SECS", 0.01)

    class Result:
        job_id = "job-7"

        def cancel(self) -> None:
            assert owner_of(str(tmp_path)) is None
            raise RuntimeError

        @property
        def state(self) -> str:
            return states.pop(0) if len(states) > 1 else states[0]  # an error, where there is none

    write_owner(str(tmp_path), "token")
    run = Run("now", str(tmp_path), "b", ("taste",), (), keep_raw=True, token="token")
    assert (
        Job(run, None, result=Result(), note=JobNote("LateRunner", "saiten-x", "job-7", "")).end()
        == f"{said} was committed, --resume goes on from here"
    )


def test_a_signal_while_the_job_is_on_its_way_fences_off_whatever_its_runner_got(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_owner(str(tmp_path), "token")
    run = Run("now", str(tmp_path), "b", ("taste",), (), keep_raw=True, token="token")
    assert Job(run, None).end() == "nothing was committed, --resume goes on from here"
    assert Job(run, None, is_on_its_way=True).end() == (
        "its runner may have got the job, which is fenced off: nothing was committed, --resume goes on from here"
    )
    assert owner_of(str(tmp_path)) is None


def test_workers_end_with_a_launcher_that_was_killed(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    with running(flags(tiny_bundle, long_file, out)) as process:
        wait_for(lambda: len(workers(out)) == 2, process)
        pids = workers(out)
        process.kill()
        process.wait()
    until = time.monotonic() + 60
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_alive, pids))
    assert not (out / "manifest.json").exists()


@pytest.mark.thorough
def test_a_killed_worker_fails_the_run_with_exit_1(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    with running(flags(tiny_bundle, long_file, out)) as process:
        wait_for(lambda: notes(out, "progress-*.json"), process)
        os.kill(workers(out)[0], signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith("saiten: ")
    assert said.count("\n") == 1
    assert not any(map(is_alive, workers(out)))
    assert not (out / "manifest.json").exists()


@pytest.mark.thorough
def test_a_worker_that_ends_before_it_has_begun_fails_the_run_too(
    tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    with running(flags(tiny_bundle, long_file, out)) as process:
        wait_for(lambda: workers(out), process)
        os.kill(workers(out)[0], signal.SIGKILL)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.startswith("saiten: A worker process was killed or crashed")
    assert said.count("\n") == 1


@pytest.mark.thorough
def test_a_second_writer_is_refused(tiny_bundle: StoredBundle, long_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    arguments = [*flags(tiny_bundle, long_file, out), "--workers=1"]
    with running(arguments) as process:
        wait_for(lambda: notes(out, "plan.json"), process)
        assert main([*arguments, "--overwrite"]) == 2
        process.communicate()
    assert process.returncode == 0
    assert_whole(out)


def assert_whole(out: pathlib.Path) -> None:
    """Every line of the long file has exactly one row, and nothing else is there."""
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["scored"] == LINES
    expected = {file["path"] for file in manifest["outputs"]} | {"manifest.json", "report.html", "_SUCCESS"}
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == expected
    positions = sorted(pq.read_table(out / "scores", columns=["position"])["position"].to_pylist())
    lengths = [len(line(i).encode()) for i in range(LINES)]
    assert positions == [0, *(sum_ for sum_ in _running_sums(lengths[:-1]))]


def _running_sums(numbers: list[int]) -> Iterator[int]:
    total = 0
    for number in numbers:
        total += number
        yield total
