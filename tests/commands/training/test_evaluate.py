"""`saiten evaluate`: the figures of a bundle or a run, what is left out, and when it ends a release."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import UsageError
from saiten.pipelines.commands.evaluate import _summary
from saiten.pipelines.commands.main import main
from tests.conftest import SENTENCES
from tests.helpers.labelled import TEXTS, class_records, collected, scores_of, write_records
from tests.helpers.scoring import score

Output = pytest.CaptureFixture[str]


def test_a_bundle_of_classes_is_evaluated(class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    records = [
        *class_records(class_bundle),
        {"text": " ", "mood": "bad"},
        {"text": "店", "mood": "odd"},
        {"text": "店"},
    ]
    data = write_records(tmp_path / "a.jsonl", records)
    arguments = ["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", "--class_field=mood"]
    rate = "--max_dead_letter_rate=0.1"
    assert main([*arguments, "--json", rate, "--min_metric=accuracy:0.7", "--min_metric=5.recall:0"]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    accuracy = figures["accuracy"]
    assert accuracy["value"] == pytest.approx(22 / 31)
    assert figures["texts"] == sum(map(sum, figures["confusion"])) == 31
    assert figures["left_out"] == {"EMPTY": 1, "LABEL_MISSING": 1}
    assert figures["unknown_classes"] == {"odd": 1}
    low, high = accuracy["interval"]
    f1 = figures["macro_f1"]
    assert captured.err.splitlines()[-1] == (
        f"saiten: 31 texts: accuracy {22 / 31:.4f} ({low:.4f} to {high:.4f}), macro-f1 {f1['value']:.4f} "
        f"({f1['interval'][0]:.4f} to {f1['interval'][1]:.4f}); 1 text is of a class that the model does not have, and "
        "counts as wrong (odd 1); left out: EMPTY 1, LABEL_MISSING 1"
    )
    assert main([*arguments, rate, "--min_metric=macro_f1:0.99"]) == 3
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith(f"; macro_f1 {f1['value']:.4g} is below 0.99")
    words = captured.out.split()
    assert all(name in words for name in ("bad", "good", "5", "precision", "recall", "tokens", "none"))
    assert captured.out.count("odd (not in the model)") == 2


def test_labels_that_are_all_the_same_are_said_to_be_the_reason_why_there_is_no_figure() -> None:
    figures = {"texts": 200, "mean": {}, "outputs": {}, "left_out": {}}
    assert _summary(figures) == (
        "200 texts: no correlation can be told, because the labels are all the same, or the scores are"
    )


@pytest.mark.thorough
def test_a_run_that_kept_its_labels_has_the_same_figures(
    class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    odd = [{"text": " ", "mood": "bad"}, {"text": "店"}, {"text": "店", "mood": "odd"}, {"text": 1, "mood": "bad"}]
    data = write_records(tmp_path / "a.jsonl", [*class_records(class_bundle), *odd])
    arguments = ["--class_field=mood", "--json"]
    rate = "--max_dead_letter_rate=0.1"
    assert main(["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", *arguments, rate]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert expected["left_out"] == {"EMPTY": 1, "LABEL_MISSING": 1, "TEXT_NOT_STRING": 1}
    flags = ("--keep_fields=mood", "--workers=1", "--allow_dead_letters")
    assert score(class_bundle, data, tmp_path / "run", *flags, rate) == 0
    capsys.readouterr()
    assert main(["evaluate", f"--run={tmp_path / 'run'}", *arguments, rate]) == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert main(["evaluate", f"--run={tmp_path / 'run'}", *arguments]) == 2
    assert capsys.readouterr().err.startswith("saiten: 2 of 34 records of the run cannot be used (")


@pytest.mark.thorough
def test_numbers_of_some_outputs(tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(TEXTS))
    labels = (scores_of(tiny_bundle)[:, 1] + noise).tolist()
    records = [{"text": text, "service": label} for text, label in zip(TEXTS, labels, strict=True)]
    data = write_records(tmp_path / "a.jsonl", records)
    arguments = ["evaluate", f"--bundle={tiny_bundle.path}", f"--input={data}", "--label_fields=service"]
    assert main([*arguments, "--json", "--min_metric=spearman:0.1", "--min_metric=service.pearson:0.1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["task"] == "numbers"
    assert figures["mean"]["mae"]["value"] == pytest.approx(np.abs(noise).mean(), rel=1e-3)
    assert figures["outputs"]["service"]["mae"] == figures["mean"]["mae"]
    kept = "--keep_fields=service:float64"
    assert score(tiny_bundle, data, tmp_path / "run", kept, "--workers=1") == 0
    capsys.readouterr()
    assert main(["evaluate", f"--run={tmp_path / 'run'}", "--label_fields=service", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["mean"]["mae"]["value"] == pytest.approx(figures["mean"]["mae"]["value"], rel=1e-5)


REFUSED = {
    "no output of that name": (["--label_fields=mood"], "The model has no output 'mood'; its outputs are taste, s"),
    "a class of numbers": (["--class_field=mood"], "--class_field is for models of classes, and this one gives n"),
    "no such figure": (["--label_fields=taste", "--min_metric=accuracy:0.9"], "There is no figure 'accuracy'; there a"),
    "a figure that falls": (["--label_fields=taste", "--min_metric=mse:1"], "--min_metric=mse:1 names no figure of "),
    "no number": (["--label_fields=taste", "--min_metric=spearman"], "--min_metric is a name, a colon and a number"),
    "a run and a bundle": (["--label_fields=taste", "--run=x"], "--run has its scores already: leave out --bundle"),
    "no labels": ([], "Give either --label_fields=a,b (numbers) or --class_field=NAME (names of classes)."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_evaluated_is_one_sentence(
    name: str, tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    flags, message = REFUSED[name]
    records = [{"text": text, "taste": i, "mood": "x"} for i, text in enumerate(SENTENCES)]
    data = write_records(tmp_path / "a.jsonl", records)
    assert main(["evaluate", f"--bundle={tiny_bundle.path}", f"--input={data}", *flags]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"saiten: {message}")
    assert error.count("\n") == 1


def test_a_run_without_such_labels_is_refused(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    data = write_records(tmp_path / "a.jsonl", [{"text": text, "taste": "good"} for text in SENTENCES])
    assert score(tiny_bundle, data, tmp_path / "run", "--keep_fields=taste", "--workers=1") == 0
    for flag, message in (
        (
            "--label_fields=service",
            (
                f"saiten: {tmp_path / 'run'} has no column 'service': score with --keep_fields=service:float64 to keep "
                "the labels, or give --bundle and --input.\n"
            ),
        ),
        (
            "--label_fields=taste",
            (
                "saiten: The kept field 'taste' holds text where a number is meant; for names of classes give "
                "--class_field=taste, and to keep numbers score with --keep_fields=taste:float64.\n"
            ),
        ),
    ):
        capsys.readouterr()
        assert main(["evaluate", f"--run={tmp_path / 'run'}", flag]) == 2
        assert message in capsys.readouterr().err


def test_names_of_classes_are_no_labels_of_scores_that_are_no_probabilities() -> None:
    """A run does not say what its model was for."""
    classes = collected({"class_field": "mood"}, [[0.25, 0.75], [1, 0]], ["good", "bad"]).labelled_scores(None)
    assert (classes.task, classes.targets.tolist()) == ("classes", [[1], [0]])
    numbers = collected({"class_field": "mood"}, [[0.25, 3], [1, 0]], ["good", "bad"])
    with pytest.raises(UsageError, match=r"^--class_field is for scores of exclusive classes, and these do not add up"):
        numbers.labelled_scores(None)


@pytest.mark.parametrize(
    ("task", "labels", "needs"),
    [
        ("classes", [[1.0, 1.0]], "labels of which each text has exactly one that is 1, others 0."),
        ("labels", [[0.5, 1.0]], "labels that are 0 or 1."),
    ],
)
def test_labels_that_do_not_fit_the_model_are_refused_by_what_it_is(task: Any, labels: Any, needs: str) -> None:
    with pytest.raises(UsageError) as caught:
        collected({"label_fields": "bad,good"}, [[0.5, 0.5]], labels).labelled_scores(task)
    assert str(caught.value) == f"A model of {task} needs {needs}"
