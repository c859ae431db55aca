"""Labels: what they are taken for, and what is refused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from saiten.model.errors import UsageError
from saiten.model.training.targets import (
    MOST_CLASSES,
    ClassLabels,
    NumberLabels,
    Targets,
    balanced_weights,
    loss_line,
    refuse_class_weight,
    start_of,
)

NAN = np.nan
REFUSED_LOSS = (
    "The names of classes are learned by categorical_crossentropy, not by {}: leave out --loss, or give the classes as "
    "fields of 0 and 1 by --label_fields."
)


def numbers(rows: Sequence[Sequence[float]], loss: str | None = None, n_records: int | None = None) -> Targets:
    labels = NumberLabels([f"l{i}" for i in range(len(rows[0]))])
    read = np.stack([labels.row(row, i) for i, row in enumerate(rows)])
    return labels.targets(read, n_records or len(rows), loss)


def classes(names: Sequence[str], loss: str | None = None, n_records: int | None = None) -> Targets:
    labels = ClassLabels()
    read = np.stack([labels.row(name, i) for i, name in enumerate(names)])
    return labels.targets(read, n_records or len(names), loss)


@pytest.mark.parametrize(
    ("rows", "task", "loss"),
    [
        ([[1, 2.5], [0, 1]], "numbers", "mse"),
        ([[1, 0], [0, 1], [0, 1]], "classes", "categorical_crossentropy"),
        ([[1, 0], [1, 1]], "labels", "binary_crossentropy"),
        ([[1, 0], [0, 0]], "labels", "binary_crossentropy"),
        ([[1], [0]], "labels", "binary_crossentropy"),
        ([[1, NAN], [0, 1]], "classes", "categorical_crossentropy"),
        ([[0, NAN], [0, 1]], "labels", "binary_crossentropy"),
        ([[1, NAN], [0.5, 1]], "numbers", "mse"),
    ],
)
def test_the_task_and_the_loss_follow_from_the_labels(rows: Any, task: str, loss: str) -> None:
    targets = numbers(rows)
    assert (targets.task, targets.loss, targets.outputs) == (task, loss, ("l0", "l1")[: len(rows[0])])
    expected = np.nanargmax(rows, axis=1)[:, None] if task == "classes" else rows
    np.testing.assert_array_equal(targets.values, np.float32(expected))


@pytest.mark.parametrize(
    ("loss", "task"), [("mse", "numbers"), ("huber", "numbers"), ("binary_crossentropy", "labels")]
)
def test_a_loss_that_is_asked_for_decides(loss: str, task: str) -> None:
    targets = numbers([[1, 0], [0, 1]], loss)
    assert (targets.task, targets.loss, targets.values.tolist()) == (task, loss, [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("rows", "loss", "message"),
    [
        ([[1, 1]], "categorical_crossentropy",
         "The loss categorical_crossentropy needs labels of which each text has exactly one that is 1, others 0."),
        ([[0.5, 1]], "binary_crossentropy", "The loss binary_crossentropy needs labels that are 0 or 1."),
        ([[1, NAN], [2, NAN]], None, "No text has a label 'l1'."),
    ],
)  # fmt: skip
def test_labels_that_a_loss_cannot_take_are_refused(rows: Any, loss: str | None, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        numbers(rows, loss)
    assert str(caught.value) == message


def test_a_label_of_held_out_texts_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="No text has a label 'l1'"):
        numbers([[1, NAN], [2, 3]], n_records=1)


@pytest.mark.parametrize("row", [[np.inf], [1.0, 2.0], []])
def test_labels_that_are_infinite_or_not_as_many_are_refused(row: list[float]) -> None:
    with pytest.raises(UsageError) as caught:
        NumberLabels(["a"]).row(row, 7)
    assert str(caught.value) == f"Record 7 needs 1 finite labels, not {row}."


@pytest.mark.parametrize(
    ("names", "outputs", "values"),
    [
        (["b", "a", "b", "鮨"], ("a", "b", "鮨"), [1, 0, 1, 2]),
        (["10", "9", "-1", "9"], ("-1", "9", "10"), [2, 1, 0, 1]),
        (["10", "x", "9"], ("9", "10", "x"), [1, 2, 0]),
        (["nan", "2", "x", "inf", "1"], ("1", "2", "inf", "nan", "x"), [3, 1, 4, 2, 0]),
        (["2", "1", "nan", "x", "-inf"], ("1", "2", "-inf", "nan", "x"), [1, 0, 3, 4, 2]),
    ],
)
def test_classes_are_in_the_order_of_their_names_or_numbers(
    names: list[str], outputs: tuple[str, ...], values: list[float]
) -> None:
    targets = classes(names)
    assert (targets.task, targets.loss) == ("classes", "categorical_crossentropy")
    assert (targets.outputs, targets.values[:, 0].tolist()) == (outputs, values)


def test_a_class_of_held_out_texts_alone_is_none() -> None:
    targets = classes(["b", "a", "x", "a"], n_records=2)
    assert targets.outputs == ("a", "b")
    np.testing.assert_array_equal(targets.values[:, 0], [1, 0, NAN, 0])


def test_classes_that_are_none_are_refused() -> None:
    for names, loss, message in (
        (["a", "a"], None, "There is but one class, 'a'; a model needs two to choose from."),
        (["a", "b"], "mse", REFUSED_LOSS.format("mse")),
        (["a", "b"], "binary_crossentropy", REFUSED_LOSS.format("binary_crossentropy")),
        (
            [f"id-{i}" for i in range(MOST_CLASSES + 1)],
            None,
            "There are more than 1,000 classes, such as 'id-1000': name a field with few.",
        ),
        (
            [f"id-{i // 2}" if i < 4 else f"id-{i}" for i in range(30)],
            None,
            "There are 28 classes in 30 texts, too few of each to learn from: name a field that many texts share.",
        ),
    ):
        with pytest.raises(UsageError) as caught:
            classes(names, loss)
        assert str(caught.value) == message
    with pytest.raises(UsageError, match=r"Record 3 needs the name of a class, not \[1.0\]"):
        ClassLabels().row([1.0], 3)


def test_one_line_says_what_the_labels_are_taken_for() -> None:
    assert [loss_line(numbers(rows)) for rows in ([[2.5, 1]], [[1, 1]], [[1, 0], [0, 1]])] == [
        "2 numbers a text, mse (--loss sets another)",
        "2 labels a text, each 0 or 1: probabilities by sigmoid, binary_crossentropy (--loss sets another)",
        "2 exclusive classes: probabilities by softmax, categorical_crossentropy (--loss sets another)",
    ]
    of_names = "2 exclusive classes: probabilities by softmax, categorical_crossentropy"
    assert loss_line(classes(["a", "b"]), others=False) == of_names


def test_labels_that_a_model_cannot_have_are_refused_without_a_word_of_losses() -> None:
    """Where a model is evaluated nobody has chosen a loss."""
    labels = NumberLabels(["a", "b"])
    assert labels.values(np.array([[0.0, 1], [1, NAN]]), "classes", "It").tolist() == [[1], [0]]
    with pytest.raises(UsageError) as caught:
        labels.values(np.array([[1.0, 1]]), "classes", "It")
    assert str(caught.value) == "It needs labels of which each text has exactly one that is 1, others 0."
    with pytest.raises(UsageError, match=r"^It needs labels that are 0 or 1\.$"):
        labels.values(np.array([[0.5, 1]]), "labels", "It")
    with pytest.raises(UsageError, match=r"^No text has a label 'b'\.$"):
        labels.values(np.array([[0.5, NAN]]), "numbers", "It")


def test_balanced_weights_make_all_classes_count_the_same() -> None:
    values = np.float32([[0]] * 6 + [[2]] * 2)
    weights = balanced_weights("classes", values, 3)
    assert weights[[0, 2]].tolist() == [pytest.approx(8 / 18), pytest.approx(8 / 6)]
    flags = np.float32([[1, NAN], [0, 1], [0, 1], [0, 1]])
    assert balanced_weights("labels", flags, 2).tolist() == [
        [pytest.approx(4 / 6), pytest.approx(2)],
        [pytest.approx(1.5), pytest.approx(0.5)],
    ]


def test_numbers_have_no_classes_to_weigh() -> None:
    with pytest.raises(UsageError, match="--class_weight=balanced is for classes; these labels are numbers"):
        refuse_class_weight("numbers")
    refuse_class_weight("classes")
    refuse_class_weight("labels")


def test_a_network_starts_at_the_shares() -> None:
    assert start_of("numbers", np.float32([[3, 4]]), 2).tolist() == [0, 0]
    shares = np.exp(start_of("classes", np.float32([[0]] * 7 + [[1]]), 2))
    assert shares.tolist() == [pytest.approx(0.8), pytest.approx(0.2)]
    odds = start_of("labels", np.float32([[1, NAN]] * 3 + [[0, 0]]), 2)
    assert odds.tolist() == [pytest.approx(np.log(4 / 2)), pytest.approx(np.log(1 / 2))]
