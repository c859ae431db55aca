"""What lets a bundle through `saiten evaluate --min_metric`, and what is refused before the work."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.engines.score_encoded import score_encoded
from saiten.model.errors import UsageError
from saiten.model.evaluation.evaluation import LabelledScores, evaluate_whole
from saiten.model.task import Task
from saiten.pipelines.commands.main import main
from saiten.pipelines.commands.training.least_figures import OF_ALL, OF_EACH, RISING, figure_of
from tests.conftest import SENTENCES
from tests.helpers.labelled import TEXTS, class_records, collected, scores_of, write_records

Output = pytest.CaptureFixture[str]


def test_a_gate_counts_texts_of_unknown_classes_as_wrong(
    class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output
) -> None:
    """Though all that the model can know is right: half of the file is of classes that it does not have."""
    chosen = [class_bundle.outputs[number] for number in scores_of(class_bundle).argmax(axis=1).tolist()]
    strange = [f"new {i % 3}" for i in range(len(TEXTS))]
    records = [{"text": text, "mood": name} for text, name in zip(TEXTS * 2, chosen + strange, strict=True)]
    data = write_records(tmp_path / "a.jsonl", records)
    arguments = ["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", "--class_field=mood"]
    assert main([*arguments, "--json", "--min_metric=accuracy:0.51"]) == 3
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    true, taken = chosen + strange, chosen + chosen
    assert figures["accuracy"]["value"] == accuracy_score(true, taken) == 0.5
    assert figures["macro_f1"]["value"] == pytest.approx(f1_score(true, taken, average="macro", zero_division=0))
    assert figures["unknown_classes"] == {"new 0": 10, "new 1": 10, "new 2": 10}
    assert captured.err.endswith(
        "; 30 texts are of classes that the model does not have, and count as wrong (new 0 10, new 1 10, new 2 10); "
        "accuracy 0.5 is below 0.51\n"
    )
    data = write_records(tmp_path / "b.jsonl", records[len(TEXTS) :])
    assert main([*arguments, f"--input={data}"]) == 2
    assert capsys.readouterr().err == (
        "saiten: The model has the class of none of the 30 texts: theirs are new 0, new 1, new 2; its own are bad, "
        "good, 5. Check --class_field.\n"
    )


def test_more_unknown_classes_than_a_model_can_have_are_another_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saiten.pipelines.commands.training.collected.MOST_CLASSES", 2)
    with pytest.raises(
        UsageError, match=r"^The field 'mood' has more than 2 classes that the model does not have; its "
    ):
        collected({"class_field": "mood"}, [[0.25, 0.75]] * 4, ["good", "a", "b", "c"])


def test_records_that_cannot_be_scored_count_as_unusable(
    class_bundle: StoredBundle, tmp_path: pathlib.Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a model that fails on half of the texts would pass by the other half."""

    def fails_on_some(engine: Any, encoded: Any) -> Any:
        scores, failures = score_encoded(engine, encoded)
        return scores, failures | dict.fromkeys(range(0, len(scores), 3), ("NOT_FINITE", "no number"))

    monkeypatch.setattr("saiten.pipelines.commands.training.labelled_scores.score_encoded", fails_on_some)
    data = write_records(tmp_path / "a.jsonl", class_records(class_bundle))
    arguments = ["evaluate", f"--bundle={class_bundle.path}", f"--input={data}", "--class_field=mood", "--json"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "saiten: 10 of 30 records cannot be used (NOT_FINITE 10); mend them, or allow more than 0.01 of them by "
        "--max_dead_letter_rate=0.34.\n"
    )
    assert main([*arguments, "--max_dead_letter_rate=0.34"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["texts"], figures["left_out"]) == (20, {"NOT_FINITE": 10})


ABSENT = {
    "an accuracy of one number": ("--label_fields=taste", "accuracy:0.9", "taste.pearson, taste.spearman."),
    "a misspelt figure of an output": ("--label_fields=taste", "taste.accuracy:1", "taste.pearson, taste.spearman."),
    "an output that is not evaluated": ("--label_fields=taste", "service.spearman:1", "taste.pearson, taste.spearman."),
    "a figure of labels": ("--label_fields=taste,service", "f1:0.5", "service.pearson, service.spearman."),
    "a figure of numbers": ("--class_field=mood", "spearman:0.5", "5.precision, 5.recall, 5.f1."),
    "a class that the model does not have": ("--class_field=mood", "god.recall:1", "5.precision, 5.recall, 5.f1."),
    "a figure of each class": ("--class_field=mood", "recall:0.5", "5.precision, 5.recall, 5.f1."),
}


@pytest.mark.parametrize("name", ABSENT)
def test_a_figure_that_there_cannot_be_is_refused_before_anything_is_scored(
    name: str,
    tiny_bundle: StoredBundle,
    class_bundle: StoredBundle,
    tmp_path: pathlib.Path,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("scored")

    monkeypatch.setattr("saiten.pipelines.commands.training.labelled_scores.score_encoded", never)
    labels, limit, others = ABSENT[name]
    bundle = class_bundle if "class" in labels else tiny_bundle
    records = [{"text": text, "taste": i, "service": i, "mood": "bad"} for i, text in enumerate(SENTENCES)]
    data = write_records(tmp_path / "a.jsonl", records)
    assert main(["evaluate", f"--bundle={bundle.path}", f"--input={data}", labels, f"--min_metric={limit}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"saiten: There is no figure {limit.rpartition(':')[0]!r}; there are ")
    assert error.endswith(f"{others}\n")


@pytest.mark.parametrize("task", OF_ALL)
def test_a_least_value_can_be_asked_for_every_figure_of_which_more_is_better(task: Task) -> None:
    """What is refused before the work is what the work does not give, no more and no less."""
    targets = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], np.float32)
    if task == "numbers":
        targets += 0.5
    values = targets.argmax(axis=1)[:, None].astype(np.float32) if task == "classes" else targets
    counts = np.full(3, 2, np.int32)
    figures = evaluate_whole(LabelledScores(task, ("a", "b"), targets, values, counts, counts))
    falling = {"log_loss", "calibration_error", "mse", "mae", "texts"}
    of_all = {name for name in {**figures, **figures.get("mean", {})} if name in RISING}
    of_each = set(figures.get("classes", figures.get("outputs"))["a"]) - falling
    assert (set(OF_ALL[task]), set(OF_EACH[task])) == (of_all, of_each)
    for name in (*OF_ALL[task], *(f"b.{figure}" for figure in OF_EACH[task])):
        assert figure_of(figures, name) == pytest.approx(1)
