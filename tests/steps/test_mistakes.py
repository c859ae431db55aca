"""What is given wrongly to `saiten score` is one sentence, and nothing is begun."""

import pathlib

import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main
from tests.helpers.scoring import score


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--max_dead_leter_rate=1"], "There is no flag --max_dead_leter_rate; did you mean --max_dead_letter_rate?"),
        (["--num_worker=3"], "There is no flag --num_worker; did you mean --num_workers?"),
        (["--workers=0"], "--workers must be 1 or more, not 0."),
        (["--workers=2", "--runner=FlinkRunner"], "--workers is for local runs"),
        (["--overwrite", "--resume"], "give one of them"),
        (["--max_dead_letter_rate=2"], "a share from 0 to 1, not 2."),
        (["--engine=fast"], "--engine is auto, packed or keras, not 'fast'; see saiten score --help."),
        (["--workers=two"], "--workers is a whole number, not 'two'; see saiten score --help."),
        (["--max_dead_letter_rate=half"], "--max_dead_letter_rate is a number, not 'half'; see"),
        (["--overwrite=yes"], "--overwrite takes no value, so not 'yes'; see"),
        (["--output"], "--output needs a value, behind a =; see"),
        (["--text_field=body", "--input_format=jsonl"], "body"),
        (["--keep_fields=id"], "--keep_fields=id: the scores have a column 'id' of their own"),
        (["--keep_fields=shop,score_taste:float64"], "the scores have a column 'score_taste' of their own"),
        (["--batch_timeout_secs=inf"], "--batch_timeout_secs must be above 0 and at most"),
        (["--check", "--num_worker=3"], "There is no flag --num_worker"),
        (["--num_workers=many"], "Beam: argument --num_workers: invalid int value: 'many'."),
        (["--beam_option=num_workers=many"], "Beam: argument --num_workers: invalid int value: 'many'."),
        (["--runner=FlinkRuner"], "Beam has no --runner=FlinkRuner; did you mean FlinkRunner?"),
        (["--runner=no.such.Runner"], "--runner=no.such.Runner: No module named 'no'."),
        (["--runner=DataflowRunner"], "out, which is on this machine, where the workers of DataflowRunner cannot see"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2_before_any_work(
    tiny_bundle: StoredBundle,
    half_broken: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    assert score(tiny_bundle, half_broken, tmp_path / "out", *flags) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "--bundel=b", "--input=i"], "There is no flag --bundel; did you mean --bundle?"),
        (["train", "--inptu=i"], "There is no flag --inptu; did you mean --input?"),
        (["validate", "--bundl=b"], "There is no flag --bundl; did you mean --bundle?"),
        (["bundle", "--keras_modl=m"], "There is no flag --keras_modl; did you mean --keras_model?"),
        (["--verson"], "There is no flag --verson; did you mean --version?"),
        (["score"], "saiten score needs --input, --bundle, --output or --check; see saiten score --help."),
        (["score", "--subscription=s"], "saiten score needs --bundle, --output or --check; see saiten score --help."),
        (["inspect"], "saiten inspect needs DIR; see saiten inspect --help."),
    ],
)
def test_a_misspelt_flag_is_named_before_what_is_missing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"saiten: {message}\n"


def test_what_is_missing_is_named(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(tiny_bundle, tmp_path / "none*.txt", tmp_path / "out") == 2
    assert "none*.txt" in capsys.readouterr().err
    arguments = ["score", f"--input={reviews}", f"--bundle={tmp_path}/nowhere", f"--output={tmp_path}/out"]
    assert main(arguments) == 2
    assert "nowhere" in capsys.readouterr().err


def test_beams_own_flags_stand_on_the_same_line(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    flags = ["--runner=DirectRunner", "--job_name=nightly", "--beam_option=only_the_server_knows=1"]
    assert score(tiny_bundle, reviews, tmp_path / "out", *flags) == 0
