"""The losses, against Keras' and NumPy's; and the factors that make them least."""

from typing import Any

import keras
import numpy as np
import pytest

from saiten.model.training.networks.parts_loss import PartsLoss, choose_factors, held_out_loss

NAN = np.nan
GENERATOR = np.random.default_rng(0)
PARTS = GENERATOR.normal(0, 1, (5, 2, 3)).astype(np.float32)
CLASSES = np.float32([[0], [2], [1], [1], [0]])
FLAGS = np.float32([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1]])
NUMBERS = GENERATOR.normal(0, 1, (5, 3)).astype(np.float32)


def of_all(loss: Any, targets: Any) -> Any:
    return sum(np.asarray(loss(targets, logits)) for logits in (PARTS[:, 0], PARTS[:, 1], PARTS.sum(axis=1)))


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_numbers_have_keras_loss_of_each_part_and_of_the_sum(name: str) -> None:
    expected = of_all(keras.losses.get(name), NUMBERS)
    np.testing.assert_allclose(PartsLoss("numbers", name).call(NUMBERS, PARTS), expected, rtol=1e-5)


def test_classes_and_labels_have_keras_cross_entropies_of_logits() -> None:
    classes = of_all(lambda t, p: keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True), CLASSES[:, 0])
    found = PartsLoss("classes", "categorical_crossentropy").call(CLASSES, PARTS)
    np.testing.assert_allclose(found, classes, rtol=1e-5)
    labels = of_all(lambda t, p: keras.losses.binary_crossentropy(t, p, from_logits=True), FLAGS)
    np.testing.assert_allclose(PartsLoss("labels", "binary_crossentropy").call(FLAGS, PARTS), labels, rtol=1e-5)


def test_one_part_has_its_own_loss_alone() -> None:
    expected = np.square(PARTS[:, 0] - NUMBERS).mean(axis=1)
    np.testing.assert_allclose(PartsLoss("numbers", "mse").call(NUMBERS, PARTS[:, :1]), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("task", "name", "targets"), [("numbers", "mse", NUMBERS), ("labels", "binary_crossentropy", FLAGS)]
)
def test_a_missing_label_adds_nothing_and_has_no_gradient(task: Any, name: str, targets: Any) -> None:
    import tensorflow as tf

    holes = targets.copy()
    holes[0, 1], holes[3] = NAN, NAN
    loss, parts = PartsLoss(task, name), tf.Variable(PARTS)
    with tf.GradientTape() as tape:
        losses = loss.call(holes, parts)
    gradient = tape.gradient(losses, parts).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[0, :, 1].any()
    assert not gradient[3].any()
    assert losses.numpy()[3] == 0
    np.testing.assert_allclose(losses.numpy()[[1, 2, 4]], np.asarray(loss.call(targets, PARTS))[[1, 2, 4]], rtol=1e-6)


def test_weights_count_a_text_by_its_class_and_a_label_by_its_side() -> None:
    plain = np.asarray(PartsLoss("classes", "categorical_crossentropy").call(CLASSES, PARTS))
    weights = np.float32([1, 5, 3])
    weighted = PartsLoss("classes", "categorical_crossentropy", weights).call(CLASSES, PARTS)
    np.testing.assert_allclose(weighted, plain * [1, 3, 5, 5, 1], rtol=1e-6)
    sides = np.float32([[1, 2], [3, 4], [5, 6]])  # of each label: for 0, for 1
    by_label = [
        np.asarray(PartsLoss("labels", "binary_crossentropy").call(FLAGS[:, i : i + 1], PARTS[:, :, i : i + 1]))
        * np.where(FLAGS[:, i] > 0, sides[i, 1], sides[i, 0])
        for i in range(3)
    ]
    found = PartsLoss("labels", "binary_crossentropy", sides).call(FLAGS, PARTS)
    np.testing.assert_allclose(found, np.mean(by_label, axis=0), rtol=1e-5)


def sample(task: str, n: int = 4_000) -> tuple[Any, Any]:
    """Returns logits of two parts and targets that follow 0.7 of the first and 0.2 of the second."""
    random = np.random.default_rng(3)
    parts = random.normal(0, 2, (n, 2, 3))
    logits = 0.7 * parts[:, 0] + 0.2 * parts[:, 1]
    if task == "numbers":
        return parts.astype(np.float32), (logits + random.normal(0, 0.1, logits.shape)).astype(np.float32)
    if task == "labels":
        return parts.astype(np.float32), (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    chosen = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    return parts.astype(np.float32), chosen[:, None].astype(np.float32)


@pytest.mark.parametrize("task", ["numbers", "labels", "classes"])
def test_the_factors_are_those_that_the_targets_follow(task: Any) -> None:
    parts, targets = sample(task)
    factors, loss = choose_factors(parts, targets, task)
    np.testing.assert_allclose(factors, [0.7, 0.2], atol=0.06)
    for other in ([1.0, 0.2], [0.7, 0.5], [0.4, 0.2]):
        assert held_out_loss(np.tensordot(parts, other, ((1,), (0,))), targets, task) > loss


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_held_out_numbers_are_judged_by_the_loss_that_is_learned(name: str) -> None:
    logits, targets = 3 * PARTS[:, 0].astype(np.float64), NUMBERS.astype(np.float64)
    expected = np.mean(np.asarray(keras.losses.get(name)(targets, logits)))
    assert held_out_loss(logits, NUMBERS, "numbers", name=name) == pytest.approx(float(expected), rel=1e-5)


def test_the_factors_are_chosen_by_that_loss_too() -> None:
    """A tenth of the labels are far too high: the mean goes after them, the median does not."""
    parts = np.ones((1_000, 1, 1), np.float32).repeat(2, axis=1)
    targets = np.float32([[10.0 if i % 10 == 0 else 1.0] for i in range(1_000)])
    sums = {name: choose_factors(parts, targets, "numbers", name=name)[0].sum() for name in ("mse", "mae", "huber")}
    assert sums["mse"] == pytest.approx(1.9, abs=0.01)
    assert sums["mae"] == pytest.approx(1.0, abs=0.05)
    assert 1.0 < sums["huber"] < 1.2


def test_a_part_that_misleads_counts_nothing_rather_than_less() -> None:
    parts, targets = sample("classes")
    parts[:, 1] *= -1
    factors, _ = choose_factors(parts, targets, "classes")
    assert factors[1] == 0


@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_few_texts_that_are_all_right_ask_for_no_certainty(n: int) -> None:
    parts = np.tile(np.float32([[[2, -2], [1, -1]]]), (n, 1, 1))
    factors, loss = choose_factors(parts, np.zeros((n, 1), np.float32), "classes")
    assert (factors < 2.5).all()
    assert loss > 1e-5
    assert loss == pytest.approx(
        held_out_loss(parts[:, 0] * factors[0] + parts[:, 1] * factors[1], np.zeros((n, 1)), "classes")
    )


def test_numbers_of_one_part_are_left_as_they_are() -> None:
    parts, targets = sample("numbers")
    factors, loss = choose_factors(parts[:, :1], targets, "numbers")
    assert factors.tolist() == [1.0]
    assert loss == pytest.approx(np.mean(np.square(parts[:, 0] - targets)), rel=1e-5)


def test_held_out_losses_leave_missing_labels_out_and_weigh_the_others() -> None:
    logits = PARTS[:, 0].astype(np.float64)
    holes = NUMBERS.copy()
    holes[0, 1] = NAN
    is_known = ~np.isnan(holes)
    assert held_out_loss(logits, holes, "numbers") == pytest.approx(np.mean(np.square(logits - holes)[is_known]))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(shares[np.arange(5), [0, 2, 1, 1, 0]])
    assert held_out_loss(logits, CLASSES, "classes") == pytest.approx(losses.mean())
    weights = np.float32([1, 5, 3])
    expected = np.average(losses, weights=[1, 3, 5, 5, 1])
    assert held_out_loss(logits, CLASSES, "classes", weights) == pytest.approx(expected)
    ones = 1 / (1 + np.exp(-logits))
    losses = -np.log(np.where(FLAGS > 0, ones, 1 - ones))
    assert held_out_loss(logits, FLAGS, "labels") == pytest.approx(losses.mean())
    sides = np.float32([[1, 2], [3, 4], [5, 6]])
    expected = np.average(losses, weights=np.where(FLAGS > 0, sides[:, 1], sides[:, 0]))
    assert held_out_loss(logits, FLAGS, "labels", sides) == pytest.approx(expected)
