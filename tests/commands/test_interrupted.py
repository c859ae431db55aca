"""Ctrl-C and SIGTERM: the last line says what is left and how to go on, also before anything has been written."""

import os
import pathlib
import signal
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn

import pytest

from saiten.pipelines.commands import bundle, explain, main, score, train
from saiten.pipelines.commands.command_line.interrupted import left_behind
from saiten.pipelines.commands.command_line.parser import command_parser

AGAIN = "nothing was written; run the same command again."
SCORE = ["--input=a.txt", "--bundle=b"]
# A command, its flags, what lies there when it is interrupted, and what is said of that.
LEFT: dict[str, tuple[ModuleType, list[str], str, str]] = {
    "score before its folder is there": (score, [*SCORE, "--output=out"], "", AGAIN),
    "score when its folder is there": (score, [*SCORE, "--output=out"], "out/_work/lock", AGAIN),
    "score with a plan": (
        score,
        [*SCORE, "--output=out"],
        "out/_work/20260101T000000Z-aaaaaaaa/plan.json",
        "nothing was committed, --resume goes on from here.",
    ),
    "a check": (score, [*SCORE, "--check"], "", AGAIN),
    "train": (train, ["--input=a.csv", "--bundle=new"], "", AGAIN),
    "train when all is written": (
        train,
        ["--input=a.csv", "--bundle=b"],
        "b/manifest.json",
        "the bundle in b is whole.",
    ),
    "bundle": (bundle, ["--keras_model=m", "--outputs=a", "--word_index=w", "--bundle=new"], "", AGAIN),
    "what only looks": (explain, ["--bundle=b", "良い"], "", ""),
}


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_the_last_line_says_what_is_left_and_how_to_go_on(
    name: str,
    number: signal.Signals,
    word: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, flags, there, left = LEFT[name]
    monkeypatch.chdir(tmp_path)
    if there:
        (tmp_path / there).parent.mkdir(parents=True)
        (tmp_path / there).write_text("")
    monkeypatch.setattr(module, "run", signalled(number))
    command = module.__name__.rpartition(".")[2]
    assert main.main([command, *flags]) == 128 + number
    assert capsys.readouterr().err == f"saiten: {word}{f'; {left}' if left else '.'}\n"


def signalled(number: signal.Signals) -> Callable[[object], NoReturn]:
    def run(_: object) -> NoReturn:
        os.kill(os.getpid(), number)
        raise AssertionError("the signal did not end the command")

    return run


def test_before_a_command_has_begun_there_is_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "command_parser", signalled(signal.SIGINT))
    assert main.main(["score", *SCORE]) == 130
    assert capsys.readouterr().err == f"saiten: interrupted; {AGAIN}\n"


def test_a_store_that_does_not_answer_is_no_second_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from saiten.pipelines.run import run_plan

    def fail(_: str) -> str:
        raise OSError("gone")

    monkeypatch.setattr(run_plan, "newest_planned", fail)
    args = command_parser("score").parse_args([*SCORE, "--output=gs://bucket/out"])
    assert f"{left_behind('score', args)}." == AGAIN
