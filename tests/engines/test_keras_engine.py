"""The keras engine: one trace, no padding seen, ids in range."""

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.invariance import random_texts
from saiten.model.engines.keras_engine import KerasEngine, limit_threads
from tests.helpers.networks import VOCABULARY_SIZE, build_model

IDS, OFFSETS = random_texts(VOCABULARY_SIZE)


@pytest.fixture(scope="module")
def engine() -> KerasEngine:
    return KerasEngine(build_model(layers.Bidirectional(layers.LSTM(8)), layers.Dense(3)))


def test_batches_give_the_scores_of_texts_alone(engine: KerasEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = np.split(IDS, OFFSETS[1:-1])
    expected = np.concatenate([engine.score_matrix(text[None]) for text in texts])
    shortest = int(np.argmin(np.diff(OFFSETS)))
    np.testing.assert_allclose(expected[shortest : shortest + 1], engine.model(texts[shortest][None]), atol=1e-6)
    for max_rows, max_cells in ((256, 65_536), (5, 65_536), (256, 100)):
        monkeypatch.setattr("saiten.model.engines.keras_engine._MAX_ROWS", max_rows)
        monkeypatch.setattr("saiten.model.engines.keras_engine._MAX_CELLS", max_cells)
        np.testing.assert_allclose(engine.score(IDS, OFFSETS), expected, atol=1e-6)


def test_one_trace_serves_all_shapes() -> None:
    """A trace costs seconds; `predict` makes one a shape, and keeps it."""
    traces = []

    class Counting(layers.Layer):
        def call(self, inputs: object) -> object:
            traces.append(inputs)
            return inputs

    model = build_model(layers.LSTM(4), Counting(), layers.Dense(1))
    engine = KerasEngine(model)
    traces.clear()
    for length in (1, 7, 300):
        engine.score(np.ones(2 * length, np.int32), np.array([0, length, 2 * length]))
    assert len(traces) == 1


def test_texts_without_ids_are_not_scored(engine: KerasEngine) -> None:
    scores = engine.score(np.array([4, 5], np.int32), np.array([0, 0, 2, 2]))
    assert np.isnan(scores).all(axis=1).tolist() == [True, False, True]
    assert engine.score(np.zeros(0, np.int32), np.array([0])).shape == (0, 3)


@pytest.mark.parametrize("bad_id", [0, -1, VOCABULARY_SIZE])
def test_ids_that_no_text_has_are_refused(bad_id: int, engine: KerasEngine) -> None:
    with pytest.raises(ValueError, match="ids must be 1 to 59"):
        engine.score(np.array([3, bad_id], np.int32), np.array([0, 2]))


def test_cudnn_is_off_everywhere() -> None:
    """Its kernels take only masks padded behind, and the flag is not saved with a model."""
    ids = keras.Input((None,))
    inner = build_model(layers.GRU(4, return_sequences=True), layers.Bidirectional(layers.LSTM(4)))
    model = keras.Model(ids, layers.Dense(1)(inner(ids)))
    KerasEngine(model)
    gru, both = inner.layers[-2:]
    assert [layer.use_cudnn for layer in (gru, both.forward_layer, both.backward_layer)] == [False] * 3


def test_threads_can_no_longer_be_limited_once_tensorflow_runs(engine: KerasEngine) -> None:
    engine.score(IDS, OFFSETS)
    limit_threads(1)  # in a process of its own it counts; here it must not raise
