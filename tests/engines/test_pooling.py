"""Pooling over a text's steps: numbers, NaN and all, and what is not done on the way to them."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.engines.packed.arithmetic import Concatenate
from saiten.model.engines.packed.operation import STEP, Values
from saiten.model.engines.packed.pooling import Pool
from saiten.model.engines.packing.pack_model import pack_model

OFFSETS = np.array([0, 1, 4, 9], np.int64)
POOLS = {"sum": np.sum, "average": np.mean, "maximum": np.max, "minimum": np.min}


@pytest.mark.parametrize("width", [1, 7, 16])
@pytest.mark.parametrize("how", POOLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pool_is_numpys_and_a_nan_at_any_step_stays_one(how: str, width: int, dtype: Any) -> None:
    steps = np.random.default_rng(0).normal(size=(9, width)).astype(dtype)
    for hole in (None, 0, 1, 3, 4, 8):
        values = steps.copy()
        if hole is not None:
            values[hole] = np.nan
        found = Pool(how).run(OFFSETS, Values(STEP, values))
        texts = np.split(values.astype(np.float64), OFFSETS[1:-1])
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, [POOLS[how](text, axis=0) for text in texts], rtol=1e-15)


@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")  # the maximum does not, and is packed
@pytest.mark.parametrize("pool", [layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D])
def test_two_directions_are_pooled_before_they_are_put_side_by_side(pool: Any) -> None:
    """A row of both for every step took a fifth of the time of short texts."""
    ids = keras.Input((None,), dtype="int32")
    states = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Embedding(9, 4, mask_zero=True)(ids))
    engine = pack_model(keras.Model(ids, layers.Dense(2)(pool()(states))))
    kinds = [node.operation.kind for node in engine.nodes]
    assert kinds == ["lstm", "lstm", "pool", "pool", "concatenate", "dense"]
    joined = next(node for node in engine.nodes if isinstance(node.operation, Concatenate))
    assert [number - len(engine.tables) for number in joined.inputs] == [2, 3]
