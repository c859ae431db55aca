"""The recurrence's own forward and backward passes are those of Keras."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saiten.model.text.encoder import pad
from saiten.model.text.ragged import FloatArray, Int64Array
from saiten.model.training.recurrence import WordBatch, Workers

CASES = [("lstm", 8), ("lstm", 5), ("bilstm", 8), ("gru", 8), ("gru", 3)]


def _texts(lengths: list[int], vocabulary_size: int, seed: int) -> tuple[Any, Int64Array]:
    token_ids = np.random.default_rng(seed).integers(1, vocabulary_size, sum(lengths), dtype=np.int32)
    return token_ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _network(network: str, units: int) -> Any:
    import keras

    from saiten.model.training.network import build_network

    keras.utils.set_random_seed(3)
    embeddings = np.random.default_rng(1).normal(0, 0.5, (30, 6)).astype(np.float32)
    return build_network(network, embeddings, units, 2)


def _keras_step(model: Any, optimizer: Any, matrix: Any, targets: FloatArray) -> float:
    """One step the way `model.fit` makes it: padded, masked, differentiated by TensorFlow."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(matrix, training=True) - targets))
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return float(loss)


@pytest.mark.parametrize(("network", "units"), CASES)
def test_steps_without_padding_are_those_of_keras_with_padding(network: str, units: int) -> None:
    import keras

    from saiten.model.training.learner import Learner

    ours, theirs = _network(network, units), _network(network, units)
    optimizer = keras.optimizers.SGD(0.5, global_clipnorm=1.0)
    token_ids, offsets = _texts([1, 12, 7, 9], 30, 5)
    targets = np.random.default_rng(6).normal(0, 1, (4, 2)).astype(np.float32)
    matrix = pad(token_ids, offsets, np.arange(4), 14)
    with Learner(ours, "mse", "sgd", 0.5) as learner:
        losses = [learner.step(token_ids, offsets, targets) for _ in range(3)]
        expected = [_keras_step(theirs, optimizer, matrix, targets) for _ in range(3)]
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        assert expected[-1] < expected[0]
        for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(mine, other, atol=2e-6)
        np.testing.assert_allclose(learner.score(token_ids, offsets), theirs(matrix).numpy(), atol=2e-6)


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_gradients_that_fade_over_a_long_text_are_those_of_keras(network: str) -> None:
    """The backward pass ends early once nothing is left of the gradient; what it leaves out must not matter."""
    import tensorflow as tf

    from saiten.model.training.recurrence import GRURecurrence, LSTMRecurrence

    model = _network(network, 8)
    layer, embeddings = model.get_layer(network), model.get_layer("embedding").get_weights()[0]
    token_ids, offsets = _texts([400], 30, 7)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant(embeddings[token_ids][None])))
    expected = tape.gradient(loss, layer.trainable_variables)
    workers = Workers(1)
    recurrence = (GRURecurrence if network == "gru" else LSTMRecurrence)(layer.cell, workers)
    hidden = recurrence.forward(WordBatch(embeddings, token_ids.astype(np.int64), offsets))
    for mine, other in zip(recurrence.backward(np.ones_like(hidden)), expected, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), atol=1e-6 * max(1, np.abs(other).max()))
    workers.close()


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_gradients_are_bit_for_bit_the_same_on_any_number_of_threads(network: str) -> None:
    from saiten.model.training.recurrence import GRURecurrence, LSTMRecurrence

    model = _network(network, 8)
    embeddings = model.get_layer("embedding").get_weights()[0]
    token_ids, offsets = _texts(list(range(1, 40)), 30, 8)
    results = []
    for threads in (1, 3):
        workers = Workers(threads)
        recurrence = (GRURecurrence if network == "gru" else LSTMRecurrence)(model.get_layer(network).cell, workers)
        hidden = recurrence.forward(WordBatch(embeddings, token_ids.astype(np.int64), offsets))
        results.append([hidden, *recurrence.backward(np.cos(hidden))])
        workers.close()
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_scores_do_not_depend_on_how_texts_are_put_together() -> None:
    from saiten.model.training.learner import Learner

    token_ids, offsets = _texts([3, 50, 1, 20], 30, 9)
    with Learner(_network("bilstm", 8), "mse", "adam", 1e-3) as learner:
        together = learner.score(token_ids, offsets)
        alone = [learner.score(token_ids[a:b], np.array([0, b - a])) for a, b in pairwise(offsets)]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_backwards_turns_every_text_round_in_its_place(lengths: list[int]) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batch = WordBatch(np.zeros((1, 1), np.float32), np.arange(offsets[-1]), offsets)
    expected = [i for a, b in pairwise(offsets) for i in range(b - 1, a - 1, -1)]
    assert batch.backwards().words.tolist() == expected
    assert batch.backwards().backwards().words.tolist() == batch.words.tolist()
