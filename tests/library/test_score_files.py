"""Files scored from a Python program: the run of the command line, and its errors as exceptions."""

import dataclasses
import inspect
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

import saiten
from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.local.settings import ScoreSettings
from saiten.pipelines.run.run_manifest import read_run_manifest
from tests.helpers.scoring import rows, score


@pytest.mark.thorough
def test_a_run_is_that_of_the_command_line(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    run = saiten.score_files(
        input=half_broken,  # type: ignore[arg-type] - a path does, wherever a string is asked for
        bundle=str(tiny_bundle.path),
        output=str(tmp_path / "called"),
        id_field="id",
        max_dead_letter_rate=1,
        workers=1,
    )
    assert (run.counts.records, run.counts.scored, run.counts.dead) == (2, 1, 1)
    assert run == read_run_manifest(str(tmp_path / "called"))
    flags = ("--id_field=id", "--max_dead_letter_rate=1", "--workers=1")
    assert score(tiny_bundle, half_broken, tmp_path / "typed", *flags) == 3
    for folder in ("scores", "dead_letters"):
        assert rows(tmp_path / "called", folder) == rows(tmp_path / "typed", folder)


@pytest.mark.thorough
def test_errors_of_the_run_are_raised_with_their_class(
    tiny_bundle: StoredBundle, half_broken: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    good: dict[str, str] = {"input": str(half_broken), "bundle": str(tiny_bundle.path), "output": str(tmp_path / "out")}
    with pytest.raises(saiten.TooManyDeadLettersError, match="1 of 2 records is a dead letter"):
        saiten.score_files(**good)
    with pytest.raises(saiten.BundleError, match="nowhere"):
        saiten.score_files(**{**good, "bundle": "nowhere"})
    with pytest.raises(saiten.UsageError, match=r"There is no flag --num_worker; did you mean --num_workers\?"):
        saiten.score_files(**good, beam_flags=("--num_worker=3",), resume=True)


def test_a_mistake_is_found_before_a_process_is_started(tmp_path: pathlib.Path) -> None:
    with pytest.raises(saiten.UsageError, match="--output is needed"):
        saiten.score_files(input="a", bundle="b")
    with pytest.raises(saiten.UsageError, match="--workers must be 1 or more, not 0"):
        saiten.score_files(input="a", bundle="b", output="c", workers=0)
    with pytest.raises(TypeError, match="worker"):
        saiten.score_files(input="a", bundle="b", output="c", worker=2)  # type: ignore[call-arg]


def test_its_arguments_are_the_settings() -> None:
    names = list(inspect.signature(saiten.score_files).parameters)
    assert names == [field.name for field in dataclasses.fields(ScoreSettings)]


def test_a_run_may_be_started_on_any_thread_and_a_process_that_dies_is_an_error(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    class Killed(subprocess.Popen[str]):
        def communicate(self, *args: object, **options: object) -> tuple[str, str]:
            started.append(self)
            self.kill()
            return super().communicate(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess, "Popen", Killed)
    errors: list[Exception] = []

    def run() -> None:
        try:
            saiten.score_files(input=str(reviews), bundle=str(tiny_bundle.path), output=str(tmp_path / "out"))
        except saiten.SaitenError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (error,) = errors
    assert str(error) == "The process that scored was killed by signal 9; resume=True goes on from here."
    assert started[0].returncode == -signal.SIGKILL


def test_ctrl_c_ends_the_run_and_is_raised(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> None:
    (tmp_path / "long.txt").write_text("とても美味しいラーメンでした。\n" * 400_000, encoding="utf-8")
    program = (
        "import saiten, sys\n"
        "try: saiten.score_files(input=sys.argv[1], bundle=sys.argv[2], output=sys.argv[3], workers=1)\n"
        "except KeyboardInterrupt: sys.exit('interrupted')\n"
    )
    out = tmp_path / "out"
    command = [sys.executable, "-c", program, str(tmp_path / "long.txt"), str(tiny_bundle.path), str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not list(out.glob("_work/*/plan.json")):
            assert process.poll() is None
            threading.Event().wait(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    assert (process.returncode, said) == (1, "interrupted\n")
    assert not (out / "manifest.json").exists()
