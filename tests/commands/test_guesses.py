"""A flag as a person would guess it, or as other tools call it, is answered with the flag that was meant."""

import pathlib

import pytest

from saiten.pipelines.commands.command_line.catalog import COMMANDS
from saiten.pipelines.commands.command_line.guesses import _CALLED_ELSEWHERE, unknown_flag_message
from saiten.pipelines.commands.command_line.parser import command_parser
from saiten.pipelines.commands.flags import known_flags
from saiten.pipelines.commands.main import main


@pytest.mark.parametrize(
    ("command", "guess", "meant"),
    [
        ("train", "--text-field=body", "--text_field"),
        ("train", "--label=stars", "--label_fields"),
        ("train", "--label_field=stars", "--label_fields"),
        ("train", "--class=genre", "--class_field"),
        ("train", "--output=b", "--bundle"),
        ("score", "--Input=a", "--input"),
        ("score", "-o", "--output"),
        ("score", "--jobs=4", "--workers"),
        ("score", "--keep=shop", "--keep_fields"),
        ("score", "--force", "--overwrite"),
        ("explain", "--limit=3", "--records"),
        ("compare", "--threshold=0.1", "--max_change"),
        ("compare", "--max_chnage=0.1", "--max_change"),
        ("evaluate", "--threshold=0.9", "--min_metric"),
        ("validate", "--model=b", "--bundle"),
    ],
)
def test_a_guess_is_answered_with_the_flag(command: str, guess: str, meant: str) -> None:
    name = guess.partition("=")[0]
    assert (
        unknown_flag_message(guess, known_flags(command_parser(command)))
        == f"There is no flag {name}; did you mean {meant}?"
    )


@pytest.mark.parametrize(("command", "guess"), [("explain", "--top=3"), ("compare", "--zzz"), ("validate", "--epochs")])
def test_what_resembles_nothing_suggests_nothing(command: str, guess: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Something else that happens to share some letters sends a person the wrong way."""
    assert main([command, guess]) == 2
    assert capsys.readouterr().err == f"saiten: There is no flag {guess.partition('=')[0]}; see --help.\n"


def test_a_path_without_its_flag_is_answered_with_the_flag_for_what_lies_there(tmp_path: pathlib.Path) -> None:
    (bundle := tmp_path / "bundle").mkdir()
    (bundle / "manifest.json").touch()
    (tmp_path / "a.csv").touch()
    said = [unknown_flag_message(str(path), ["--input", "--bundle"]) for path in (bundle, tmp_path / "a.csv", tmp_path)]
    assert [one.rpartition("mean ")[2].partition("=")[0] for one in said] == ["--bundle", "--input", "--input"]
    assert unknown_flag_message(str(bundle), ["--bundle"]).endswith(f"did you mean --bundle={bundle}?")
    assert unknown_flag_message("美味しい", ["--bundle"]).endswith("put in quotes what holds spaces.")


def test_every_flag_that_is_suggested_is_there() -> None:
    flags = {flag for command in COMMANDS for flag in known_flags(command_parser(command))}
    assert set(_CALLED_ELSEWHERE) - flags == set()
