"""What Saiten says is one line whatever it quotes, and leaves the terminal as it was."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.counted import counted
from saiten.pipelines.steps import encode
from saiten.pipelines.terminal import say
from tests.helpers.on_terminal import run_on_terminal, said_after_bar
from tests.helpers.scoring import score

HOSTILE = "a\x1b]0;owned\x07\n\u202eb"
ESCAPED = "a\\x1b]0;owned\\x07\\n\\u202eb"


def test_one_is_not_said_to_be_several() -> None:
    assert [counted(n, "record") for n in (0, 1, 1_200)] == ["0 records", "1 record", "1,200 records"]
    assert [counted(n, "summary is", "summaries are") for n in (1, 2)] == ["1 summary is", "2 summaries are"]


def test_a_line_is_one_line_whatever_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"{HOSTILE} [b]良い[/b]")
    assert capsys.readouterr().err == f"saiten: {ESCAPED} [b]良い[/b]\n"


def test_the_last_line_of_a_process_is_escaped_too_and_ends_it_at_once() -> None:
    program = (
        "import sys\n"
        "from saiten.pipelines.terminal import end_process\n"
        "try:\n"
        f"    end_process(5, {HOSTILE!r})\n"
        "finally:\n"
        "    print('still here')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (5, "", f"saiten: {ESCAPED}\n")


def test_a_process_that_ends_under_a_progress_bar_gives_the_cursor_back(tmp_path: pathlib.Path) -> None:
    """On a terminal of its own, with a bar that has taken the place of standard error."""
    program = (
        "import sys, time\n"
        "from saiten.pipelines.local.progress_view import showing_progress\n"
        "from saiten.pipelines.terminal import end_process\n"
        "with showing_progress(sys.argv[1], 10):\n"
        "    while sys.stderr is sys.__stderr__:\n"
        "        time.sleep(0.01)\n"
        "    end_process(1, 'ended.')\n"
    )
    exit_code, said = run_on_terminal([sys.executable, "-c", program, str(tmp_path)])
    assert (exit_code, said_after_bar(said)) == (1, "saiten: ended.\r\n")


# Thread.start waits for the thread, and is where a busy machine keeps a program while its bar is up already.
INTERRUPTED_STARTS = """
import sys, threading, time
from rich.console import Console
from saiten.pipelines.commands import main
from saiten.pipelines.commands.training.view import TrainingView
from saiten.pipelines.local.progress_view import showing_progress

begin = threading.Thread.start

def begin_and_interrupt(thread):
    begin(thread)
    if type(thread).__name__ == sys.argv[1]:
        while sys.stderr is sys.__stderr__:
            time.sleep(0.01)
        raise KeyboardInterrupt

threading.Thread.start = begin_and_interrupt

def run(_arguments):
    bar = TrainingView(Console(stderr=True)) if sys.argv[1] == "_RefreshThread" else showing_progress(sys.argv[2], 10)
    with bar:
        raise AssertionError("it was not interrupted")

main._run = run
main.console()
"""


@pytest.mark.parametrize("thread", ["Thread", "_RefreshThread"])
def test_ctrl_c_while_a_bar_is_put_up_gives_the_cursor_back(thread: str, tmp_path: pathlib.Path) -> None:
    exit_code, said = run_on_terminal([sys.executable, "-c", INTERRUPTED_STARTS, thread, str(tmp_path)])
    assert (exit_code, said_after_bar(said)) == (
        130,
        "saiten: interrupted; nothing was written; run the same command again.\r\n",
    )


def test_a_reader_that_goes_changes_neither_the_exit_code_nor_the_summary(
    tiny_bundle: StoredBundle,
    half_broken: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`saiten score --json | head -1` must not make dead letters look like success."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as nobody_reads:
        monkeypatch.setattr(sys, "stdout", nobody_reads)
        assert score(tiny_bundle, half_broken, tmp_path / "out", "--max_dead_letter_rate=1", "--json") == 3
    summary = capsys.readouterr().err.splitlines()[-1]
    assert summary.startswith("saiten: 2 records = 1 scored + 0 empty + 1 dead letter")


def test_what_is_still_to_be_written_when_the_reader_goes_is_no_error_at_the_end() -> None:
    command = [sys.executable, "-m", "saiten.pipelines.commands.main", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")


def test_json_holds_no_character_that_a_terminal_obeys(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\x9b31m\u202eb.txt"
    (tmp_path / name).write_bytes(reviews.read_bytes())
    assert score(tiny_bundle, tmp_path / name, tmp_path / "out", "--json") == 0
    said = capsys.readouterr().out
    assert said.isascii()
    assert [file["source"] for file in json.loads(said)["inputs"]] == [name]


def test_an_error_that_nobody_foresaw_is_named_by_its_kind_and_place_alone(
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its words may hold a record's text, and it is no lost worker."""

    def fail(*_: object) -> None:
        raise ValueError("秘密の本文")

    monkeypatch.setattr(encode, "encode_block", fail)
    assert score(tiny_bundle, reviews, tmp_path / "out", "--workers=1") == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"saiten: A worker failed with ValueError at test_terminal\.py:\d+, which is .*\n", said)
