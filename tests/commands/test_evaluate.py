"""`saiten evaluate`: the figures of a bundle or a run, what is left out, and when it ends a release."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.bundle.writer import write_bundle
from saiten.model.errors import UsageError
from saiten.model.text.encoder import Encoder
from saiten.pipelines.commands.main import main
from saiten.pipelines.commands.training.labelled_records import parse_labels
from saiten.pipelines.commands.training.labelled_scores import Collected
from tests.conftest import SENTENCES
from tests.helpers.scoring import score

Output = pytest.CaptureFixture[str]
TEXTS = [*SENTENCES, *(first + second for first in SENTENCES for second in SENTENCES)]


@pytest.fixture(scope="module")
def class_bundle(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> StoredBundle:
    """A bundle of three classes."""
    from keras import layers

    from tests.helpers.networks import build_model

    head = layers.Dense(3, activation="softmax")
    model = build_model(layers.LSTM(8), head, vocabulary_size=len(encoder.vocabulary))
    path = tmp_path_factory.mktemp("classes") / "bundle"
    names = ["bad", "good", "5"]
    settings: dict[str, Any] = {"training": {}, "reference": {}, "task": "classes", "golden_texts": SENTENCES}
    return write_bundle(path, model=model, encoder=encoder, outputs=names, **settings)


def scores_of(bundle: StoredBundle) -> Any:
    encoded = bundle.encoder().encode(TEXTS)
    return bundle.engine("packed").score(encoded.token_ids, encoded.offsets)


def write(path: pathlib.Path, records: list[dict[str, Any]]) -> pathlib.Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def class_records(bundle: StoredBundle) -> list[dict[str, Any]]:
    """Records of which three in four have the class that the model gives them; 5 is a number to those who write it."""
    chosen = scores_of(bundle).argmax(axis=1)
    given = np.where(np.arange(len(TEXTS)) % 4 == 0, (chosen + 1) % 3, chosen)
    names: list[Any] = ["bad", "good", 5.0]
    return [{"text": text, "mood": names[number]} for text, number in zip(TEXTS, given.tolist(), strict=True)]


def test_a_bundle_of_classes_is_evaluated(class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    records = [
        *class_records(class_bundle),
        {"text": " ", "mood": "bad"},
        {"text": "店", "mood": "odd"},
        {"text": "店"},
    ]
    data = write(tmp_path / "a.jsonl", records)
    arguments = ["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", "--class_field=mood"]
    rate = "--max_dead_letter_rate=0.1"
    assert main([*arguments, "--json", rate, "--min_metric=accuracy:0.7", "--min_metric=5.recall:0"]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    accuracy = figures["accuracy"]
    assert accuracy["value"] == pytest.approx(1 - 8 / 30)
    assert figures["texts"] == sum(map(sum, figures["confusion"])) == 30
    assert figures["left_out"] == {"EMPTY": 1, "CLASS_UNKNOWN": 1, "LABEL_MISSING": 1}
    low, high = accuracy["interval"]
    f1 = figures["macro_f1"]
    assert captured.err.splitlines()[-1] == (
        f"saiten: 30 texts: accuracy {1 - 8 / 30:.4f} ({low:.4f} to {high:.4f}), macro-f1 {f1['value']:.4f} "
        f"({f1['interval'][0]:.4f} to {f1['interval'][1]:.4f}); left out: CLASS_UNKNOWN 1, EMPTY 1, LABEL_MISSING 1"
    )
    assert main([*arguments, rate, "--min_metric=macro_f1:0.99"]) == 3
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith(f"; macro_f1 {f1['value']:.4g} is below 0.99")
    words = captured.out.split()
    assert all(name in words for name in ("bad", "good", "5", "precision", "recall", "tokens", "none"))


@pytest.mark.thorough
def test_a_run_that_kept_its_labels_has_the_same_figures(
    class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    data = write(tmp_path / "a.jsonl", [*class_records(class_bundle), {"text": " ", "mood": "bad"}, {"text": "店"}])
    arguments = ["--class_field=mood", "--json"]
    assert main(["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", *arguments,
                 "--max_dead_letter_rate=0.1"]) == 0  # fmt: skip
    expected = json.loads(capsys.readouterr().out)
    assert score(class_bundle, data, tmp_path / "run", "--keep_fields=mood", "--workers=1") == 0
    capsys.readouterr()
    assert main(["evaluate", f"--run={tmp_path / 'run'}", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.thorough
def test_numbers_of_some_outputs(tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(TEXTS))
    labels = (scores_of(tiny_bundle)[:, 1] + noise).tolist()
    records = [{"text": text, "service": label} for text, label in zip(TEXTS, labels, strict=True)]
    data = write(tmp_path / "a.jsonl", records)
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
    data = write(tmp_path / "a.jsonl", records)
    assert main(["evaluate", f"--bundle={tiny_bundle.path}", f"--input={data}", *flags]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"saiten: {message}")
    assert error.count("\n") == 1


def test_a_run_without_such_labels_is_refused(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    data = write(tmp_path / "a.jsonl", [{"text": text, "taste": "good"} for text in SENTENCES])
    assert score(tiny_bundle, data, tmp_path / "run", "--keep_fields=taste", "--workers=1") == 0
    for flag, message in (
        ("--label_fields=service", "has no column 'service'"),
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


def collected(fields: dict[str, str], scores: list[list[float]], labels: list[Any]) -> Collected:
    one = Collected(parse_labels(fields.get("label_fields"), fields.get("class_field")), ["bad", "good"])
    counts = np.full(len(labels), 3, np.int32)
    one.add(np.array(scores, np.float32), labels, counts, np.zeros_like(counts))
    return one


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
