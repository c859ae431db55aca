"""`training.html` says what a training came to, whatever kind of labels it had, and the verdict is the figures'."""

import re
from typing import Any

import numpy as np
import pytest

from saiten.model.evaluation.evaluation import LabelledScores
from saiten.pipelines.reports.training_report import training_report
from saiten.pipelines.reports.training_verdict import judge_training
from saiten.pipelines.verdict import Level
from tests.helpers.reports import HeardPage

N = 200
NUMBERS = np.arange(N, dtype=np.float32) % 3
TARGETS: dict[str, Any] = {
    "classes": NUMBERS[:, None],
    "labels": np.stack([NUMBERS == 0, NUMBERS == 1, NUMBERS == 2], axis=1).astype(np.float32),
    "numbers": np.stack([NUMBERS, NUMBERS * 2, 3 - NUMBERS], axis=1),
}
NAMES = ("味<b>", "price", "宿")


def held_out(task: Any, noise: float = 0.2) -> LabelledScores:
    generator = np.random.default_rng(0)
    targets = TARGETS[task]
    exact = np.eye(3)[NUMBERS.astype(int)] if task == "classes" else targets
    scores = exact + generator.normal(0, noise, (N, 3))
    if task != "numbers":
        scores = np.clip(scores, 0.01, 0.99)
    if task == "classes":
        scores /= scores.sum(axis=1, keepdims=True)
    lengths = np.where(np.arange(N) < 50, 10, 100).astype(np.int32)
    return LabelledScores(task, NAMES, scores.astype(np.float32), targets, lengths, (lengths // 20).astype(np.int32))


def training(labelled: LabelledScores | None, **changes: Any) -> dict[str, Any]:
    epochs = [
        {"epoch": i, "loss": 1 / i, "held_out_loss": 1.5 / i if labelled else None, "is_best": i < 4, "seconds": 2.0}
        for i in range(1, 5)
    ]
    return {
        "data": {"used": 2_200, "held_out": N if labelled else 0, "tokens": 90_000, "held_out_by": "a share"},
        "words": {"tokens": 80_000, "distinct": 9_000, "vocabulary": 3_000, "with_vector": 2_998},
        "settings": {
            "recipe": "article",
            "epochs": None,
            "max_sequence_length": 100,
            "network": {"units": 32},
            "refit_epochs": 0,
        },
        "labels": {"task": labelled.task if labelled else "numbers", "loss": "mse"},
        "epochs": epochs,
        "metrics": labelled.figures(np.arange(N)) if labelled else None,
        "coverage": {"vocabulary": 0.95, "truncated": 0.05, "oov_words": [["鱧", 12]]},
        **changes,
    }


def page_of(labelled: LabelledScores | None, **changes: Any) -> str:
    return training_report(training(labelled, **changes), labelled).decode()


@pytest.mark.parametrize(
    ("n_epochs", "said"),
    [
        (0, "The network has not seen these texts. None is equal to one of the others."),
        (2, "from before the last 2 epochs, in which the network learns a little from these texts too. None is equal"),
    ],
)
def test_a_page_says_whether_the_network_has_learned_from_the_held_out_texts(n_epochs: int, said: str) -> None:
    labelled = held_out("classes")
    settings = {**training(labelled)["settings"], "refit_epochs": n_epochs}
    assert said in page_of(labelled, settings=settings)


@pytest.mark.parametrize("task", ["classes", "labels", "numbers"])
def test_a_page_is_whole_and_can_be_heard(task: str) -> None:
    page = page_of(held_out(task))
    heard = HeardPage(page)
    heard.check()
    assert heard.pictures[:2] == [
        "Training loss by epoch, over 4 epochs: from 1 to 0.25",
        "Held-out loss by epoch, over 4 epochs: from 1.5 to 0.375",
    ]
    assert len(heard.pictures) == {"classes": 3, "labels": 5, "numbers": 5}[task]
    assert "b" not in heard.tags
    for name in ("味&lt;b&gt;", "鱧 <span>12</span>", "up to 16", "network.units"):
        assert name in page


def test_classes_show_what_is_taken_for_what() -> None:
    labelled = held_out("classes", noise=0.45)
    confusion = labelled.confusion()
    assert confusion is not None
    page = page_of(labelled)
    table = page.split('<table class="confusion">')[1].split("</table>")[0]
    counts = [int(count) for count in re.findall(r'<td class="n" style="--share:\d+%">(\d+)</td>', table)]
    assert counts == [count for row in confusion for count in row]
    wrong = max(n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j)
    mistakes = page.split("<caption>Commonest mistakes")[1].split("</table>")[0]
    assert f'<td class="n">{wrong}</td>' in mistakes.split("</tr>")[1]


def test_many_classes_show_their_commonest_mistakes_alone() -> None:
    numbers = np.arange(60, dtype=np.float32) % 30
    scores = np.roll(np.eye(30, dtype=np.float32)[numbers.astype(int)], 1, axis=1)
    counts = np.full(60, 10, np.int32)
    many = LabelledScores("classes", tuple(f"c{i}" for i in range(30)), scores, numbers[:, None], counts, counts * 0)
    page = training_report(training(None, metrics=many.figures(np.arange(60))), many).decode()
    assert '<table class="confusion">' not in page
    assert page.split("<caption>Commonest mistakes")[1].split("</table>")[0].count("<tr>") == 11


def test_the_baseline_stands_beside_the_network() -> None:
    labelled = held_out("numbers")
    baseline = {"metrics": labelled.figures(np.arange(N)), "figure": "mean spearman", "network": 0.5, "baseline": 0.9,
                "difference": [0.3, 0.5]}  # fmt: skip
    page = page_of(labelled, baseline=baseline)
    assert page.count("<caption>The linear baseline</caption>") == 1
    assert "✗ Bad:</span>The linear baseline is better than this network: mean spearman 0.9000 against 0.5000" in page


def test_without_held_out_texts_nothing_is_claimed() -> None:
    page = page_of(None)
    assert "<h1>2,200 texts, none held out</h1>" in page
    assert "No text was held out: how good the scores are is not known." in page
    assert "Held-out texts" not in page


def test_held_out_labels_that_are_all_the_same_do_not_hide_that_there_are_held_out_texts() -> None:
    labelled = held_out("numbers")
    labelled.targets[:] = 3
    page = page_of(labelled)
    assert "<h1>200 held-out texts, and no correlation can be told</h1>" in page
    assert "On 200 held-out texts it cannot be told whether the scores follow the labels: their labels are all" in page


@pytest.mark.parametrize(
    ("metrics", "level", "sentence"),
    [
        ({"accuracy": 0.96, "macro_f1": 0.95}, Level.GOOD, "96 % of 200 held-out texts get their class."),
        ({"accuracy": 0.5, "macro_f1": 0.45}, Level.LOOK, "50 % of 200 held-out texts get their class."),
        ({"accuracy": 0.6, "macro_f1": 0.25}, Level.BAD, "That is hardly better than always saying the same class."),
        ({"mean": {"spearman": 0.91}}, Level.GOOD, "the scores follow the labels: mean Spearman correlation 0.910;"),
        ({"mean": {"spearman": 0.4}}, Level.LOOK, "the scores follow the labels loosely:"),
        ({"mean": {"spearman": 0.1}}, Level.BAD, "the scores hardly follow the labels:"),
        ({"mean": {}}, Level.BAD, "whether the scores follow the labels: their labels are all the same, or"),
        ({"mean": {"f1": 0.8, "accuracy": 0.9}}, Level.GOOD, "the scores follow the labels: mean F1 0.800;"),
        ({"mean": {"mse": 1.0}, "accuracy": 0.9}, Level.GOOD, "the highest score is right: accuracy 0.900;"),
    ],
)
def test_the_verdict_is_the_held_out_figures(metrics: dict[str, Any], level: Level, sentence: str) -> None:
    found = judge_training(training(held_out("numbers"), metrics={"texts": 200, **metrics}), 4)
    assert found is not None
    assert found.findings[0].level == level
    assert sentence in found.findings[0].sentence


def test_few_held_out_texts_and_hints_are_worth_a_look() -> None:
    labelled = held_out("classes", noise=0.1)
    few = {**labelled.figures(np.arange(N)), "texts": 60}
    found = judge_training(training(labelled, metrics=few, coverage={"vocabulary": 0.7, "truncated": 0.0}), 3)
    assert found is not None
    assert [(one.level, one.sentence[:25]) for one in found.findings] == [
        (Level.LOOK, "These are the figures of "),
        (Level.LOOK, "30% of the held-out words"),
        (Level.GOOD, "100 % of 60 held-out text"),
    ]


def test_a_bundle_that_says_nothing_of_a_training_gets_no_verdict() -> None:
    assert judge_training({}, 2) is None
    assert judge_training({"made_from": "model.keras"}, 2) is None
