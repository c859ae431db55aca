"""A job that outlives its launcher: what was said of it holds, and it never takes a later run's place."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines import storage
from saiten.pipelines.commands.main import main
from saiten.pipelines.run import claim
from tests.helpers.object_store import emulated
from tests.helpers.scoring import content, rows


@pytest.fixture
def job(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    folder = tmp_path / "job"
    folder.mkdir()
    yield folder
    (folder / "go").touch()


@pytest.fixture
def newer(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "newer.txt"
    path.write_text("新しい。\n", encoding="utf-8")
    return path


def start(
    bundle: StoredBundle, source: pathlib.Path, out: pathlib.Path | str, job: pathlib.Path, hold: str
) -> "subprocess.Popen[str]":
    """Starts a launcher whose job is held, and which looks at its claim often; returns when the job is there."""
    program = (
        "import sys\n"
        "from saiten.pipelines.commands.main import console\n"
        "from saiten.pipelines.run import claim\n"
        "claim._BEAT_SECS = 1.0\n"
        "console()\n"
    )
    flags = [f"--input={source}", f"--bundle={bundle.path}", f"--output={out}", "--quiet"]
    command = [sys.executable, "-c", program, "score", *flags]
    launcher = subprocess.Popen(
        [*command, "--runner=tests.helpers.late_runner.LateRunner"],
        env={**os.environ, "LATE_JOB": str(job), "LATE_HOLD": hold},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(job / ("committing" if hold == "commit" else "job"))
    return launcher


def wait_until(path: pathlib.Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.05)


def let_go(job: pathlib.Path) -> str:
    """Lets the job go on to its end; returns its error."""
    (job / "go").touch()
    wait_until(job / "ended")
    return (job / "ended").read_text()


@pytest.mark.parametrize(
    ("hold", "flag"),
    [
        ("commit", "--overwrite"),
        ("start", "--resume"),
        pytest.param("start", "--overwrite", marks=pytest.mark.thorough),
        pytest.param("commit", "--resume", marks=pytest.mark.thorough),
    ],
)
def test_a_job_whose_launcher_was_killed_never_takes_the_place_of_a_later_run(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    newer: pathlib.Path,
    tmp_path: pathlib.Path,
    job: pathlib.Path,
    hold: str,
    flag: str,
) -> None:
    out = tmp_path / "out"
    launcher = start(tiny_bundle, reviews, out, job, hold)
    launcher.kill()
    launcher.communicate()
    source = newer if flag == "--overwrite" else reviews
    second = ["score", f"--input={source}", f"--bundle={tiny_bundle.path}", f"--output={out}", "--quiet", flag]
    assert main(second) == 0
    before = content(out)
    error = let_go(job)
    if hold == "start":
        assert "plan.json is gone: another run has taken the place of this one" in error
    elif flag == "--overwrite":
        assert f"{out} is no longer this job's to write to: it commits nothing" in error
    else:
        assert error == "", "the run is committed, and this is its own job"
    assert content(out) == before
    assert len(rows(out)) == (1 if flag == "--overwrite" else 5)


def test_a_job_whose_launcher_was_killed_commits_where_nobody_else_came(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, job: pathlib.Path
) -> None:
    launcher = start(tiny_bundle, reviews, tmp_path / "out", job, "commit")
    launcher.kill()
    launcher.communicate()
    assert let_go(job) == ""
    assert len(rows(tmp_path / "out")) == 5
    assert (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")],
)
@pytest.mark.thorough
def test_an_interrupted_launcher_fences_a_job_off_that_goes_on_although_it_was_cancelled(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, job: pathlib.Path, number: int, word: str
) -> None:
    launcher = start(tiny_bundle, reviews, tmp_path / "out", job, "commit")
    launcher.send_signal(number)
    _, said = launcher.communicate()
    assert launcher.returncode == 128 + number
    (plan,) = (tmp_path / "out").glob("_work/*/plan.json")
    name = f"saiten-{plan.parent.name.lower()}"
    assert said == (
        f"saiten: {word}; the job {name} (job-7) of LateRunner may still be running, but is fenced off: "
        "nothing was committed, --resume goes on from here.\n"
    )
    assert (job / "cancel").exists()
    assert "is no longer this job's to write to: it commits nothing" in let_go(job)
    assert not (tmp_path / "out" / "manifest.json").exists()
    resumed = ["score", f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}"]
    assert main([*resumed, "--quiet", "--resume"]) == 0
    assert len(rows(tmp_path / "out")) == 5


def test_a_launcher_that_waits_takes_its_exit_code_from_the_job(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, job: pathlib.Path
) -> None:
    launcher = start(tiny_bundle, reviews, tmp_path / "out", job, "start")
    assert let_go(job) == ""
    _, said = launcher.communicate()
    assert launcher.returncode == 0
    assert said.startswith("saiten: 5 records = 3 scored + 2 empty + 0 dead letters")
    assert not (tmp_path / "out" / "_work").exists()


@pytest.mark.thorough
def test_a_launcher_whose_output_another_one_has_taken_says_so(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, newer: pathlib.Path, tmp_path: pathlib.Path, job: pathlib.Path
) -> None:
    """Somebody has removed its notes by hand, and its lock with them."""
    out = tmp_path / "out"
    launcher = start(tiny_bundle, reviews, out, job, "start")
    # In one step: the launcher, which lives, might put a file into a folder that is just being emptied.
    (out / "_work").rename(tmp_path / "removed")
    second = ["score", f"--input={newer}", f"--bundle={tiny_bundle.path}", f"--output={out}", "--quiet", "--overwrite"]
    assert main(second) == 0
    before = content(out)
    let_go(job)
    _, said = launcher.communicate()
    assert (launcher.returncode, said) == (
        1,
        f"saiten: {out} was claimed by another run while this one went on: this one commits nothing.\n",
    )
    assert content(out) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_launcher_that_loses_its_claim_on_a_store_cancels_its_job_which_is_fenced_off(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    newer: pathlib.Path,
    job: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when its machine slept, and a second launcher took the output over; the job goes on although cancelled."""
    with emulated() as store:
        out = f"{store}/out"
        launcher = start(tiny_bundle, reviews, out, job, "commit")
        monkeypatch.setattr(claim, "STALE_SECS", 0.0)
        second = ["score", f"--input={newer}", f"--bundle={tiny_bundle.path}", f"--output={out}", "--workers=1"]
        # One look at the claim that falls into a beat of the other's is refused.
        assert any(main([*second, "--quiet", "--overwrite"]) == 0 for _ in range(10))
        before = {path: storage.read_bytes(path) for path in storage.list_files(out)}
        _, said = launcher.communicate()
        assert (launcher.returncode, said) == (
            1,
            f"saiten: --output={out} was claimed by another run while this one slept: this one ends.\n",
        )
        assert (job / "cancel").exists()
        assert f"{out} is no longer this job's to write to: it commits nothing" in let_go(job)
        assert {path: storage.read_bytes(path) for path in storage.list_files(out)} == before
        assert any(path.endswith("/_SUCCESS") for path in before)
