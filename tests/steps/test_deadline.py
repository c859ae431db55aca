"""A run that hangs ends, wherever it hangs."""

import pathlib
import subprocess
import sys
import time

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.run.notes.failures import FailureReports


@pytest.mark.parametrize(
    ("owner", "name", "message"),
    [
        (
            "steps.scoring_bundle:ScoringBundle",
            "load_encoder",
            "A worker took longer than 1 s to load the bundle and to try it",
        ),
        pytest.param(
            "steps.scoring_bundle:ScoringBundle",
            "load_engine",
            "A worker took longer than 1 s to load the bundle and to try it",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "steps.encode",
            "encode_block",
            "A batch took longer than --batch_timeout_secs=1",
            marks=pytest.mark.thorough,
        ),
        ("steps.infer", "score_block", "A batch took longer than --batch_timeout_secs=1"),
    ],
)
def test_a_run_that_hangs_anywhere_ends(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, owner: str, name: str, message: str
) -> None:
    program = (
        "import pkgutil, sys, time\n"
        "from saiten.pipelines.quiet import quiet_libraries\n"
        "quiet_libraries()\n"
        "from saiten.pipelines.commands import main\n"
        "from saiten.pipelines.steps import deadline\n"
        f"if {name.startswith('load')}: deadline._LEAST_LOADING_SECS = 0.5\n"
        f"setattr(pkgutil.resolve_name('saiten.pipelines.{owner}'), '{name}', lambda *_: time.sleep(60))\n"
        "sys.exit(main.main(sys.argv[1:]))\n"
    )
    flags = [f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}", "--workers=1"]
    command = [sys.executable, "-c", program, "score", *flags, "--quiet", "--batch_timeout_secs=1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert (ended.returncode, ended.stderr) == (1, f"saiten: {message}; nothing was committed.\n")
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("hangs", ["time.sleep(60)", "while True: pass"])
def test_a_batch_that_hangs_ends_the_process_with_a_sentence(tmp_path: pathlib.Path, hangs: str) -> None:
    program = (
        "import os, sys, time\n"
        "from saiten.pipelines.steps.deadline import Deadline\n"
        "from saiten.pipelines.run.notes.failures import FailureReports\n"
        "with Deadline(0.2, FailureReports(sys.argv[1]), os.getpid()).for_batch():\n"
        f"    {hangs}\n"
    )
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    message = "A batch took longer than --batch_timeout_secs=0.2; nothing was committed."
    assert (ended.returncode, ended.stderr) == (1, f"saiten: {message}\n")
    assert str(FailureReports(str(tmp_path)).gravest()) == message
    assert time.monotonic() - began < 50, "it was not ended, it came to its end"


def test_a_thread_that_comes_to_its_end_does_not_save_one_that_hangs_with_the_interpreter(
    tmp_path: pathlib.Path,
) -> None:
    """The timer that works without the interpreter is the process's only one."""
    program = (
        "import ctypes, os, sys, threading\n"
        "from saiten.pipelines.run.notes.failures import FailureReports\n"
        "from saiten.pipelines.steps import deadline\n"
        "deadline._BACKSTOP_SECS = 0.5\n"
        "reports = FailureReports(sys.argv[1])\n"
        "began = threading.Event()\n"
        "def hang():\n"
        "    with deadline.Deadline(0.5, reports, os.getpid()).for_batch():\n"
        "        began.set()\n"
        "        left.wait()\n"
        "        ctypes.PyDLL(None).sleep(60)\n"  # keeps the interpreter's lock
        "left = threading.Event()\n"
        "thread = threading.Thread(target=hang)\n"
        "thread.start()\n"
        "began.wait()\n"
        "with deadline.Deadline(600, reports, os.getpid()).for_batch():\n"
        "    pass\n"
        "left.set()\n"
        "thread.join()\n"
    )
    command = [sys.executable, "-c", program, tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 1
    assert "Timeout (0:00:0" in ended.stderr
