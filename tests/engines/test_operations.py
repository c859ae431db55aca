"""Each operation of the packed engine's table against Keras, alone and in company, written and read again."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from saiten.model.bundle.invariance import random_texts
from saiten.model.engines.engine import TOLERANCE, scaled_difference
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packed.activations import ACTIVATIONS
from saiten.model.engines.packed.operations import OPERATIONS
from saiten.model.engines.packed.packed_file import load_packed, save_packed
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.precision import in_double_precision
from tests.engines.compositions import COMPOSITIONS
from tests.helpers.architectures import CASES as ARCHITECTURES
from tests.helpers.networks import VOCABULARY_SIZE, with_drawn_weights

# A model within a model drops its mask, which an elementwise one does not need.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* (does not support masking|was passed an input with a mask)")

CASES = ARCHITECTURES | COMPOSITIONS
IDS, OFFSETS = random_texts(VOCABULARY_SIZE)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """A model for each case, of what it makes of ids [n, T] and words [n, T, 6]. Dense(2) is put behind most."""
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)(ids)
    outputs = {name: build(ids, words) for name, build in CASES.items()}
    heads = {name: made if isinstance(made, list) else [layers.Dense(2)(made)] for name, made in outputs.items()}
    with_drawn_weights(keras.Model(ids, [head for made in heads.values() for head in made]))
    return {name: keras.Model(ids, made if len(made) > 1 else made[0]) for name, made in heads.items()}


@pytest.fixture(scope="module")
def expected(models: dict[str, Any]) -> dict[str, Any]:
    """Keras' scores in double precision, of all cases by one function: tracing one for each takes minutes."""
    heads = [head for model in models.values() for head in model.outputs]
    everything = keras.Model(next(iter(models.values())).inputs, heads)
    scores = KerasEngine(in_double_precision(everything)).score(IDS, OFFSETS)
    widths = [sum(head.shape[-1] for head in model.outputs) for model in models.values()]
    return dict(zip(models, np.split(scores, np.cumsum(widths)[:-1], axis=1), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_an_operation_gives_keras_scores(
    name: str, models: dict[str, Any], expected: dict[str, Any], tmp_path: Any
) -> None:
    packed = pack_model(models[name])
    scores = packed.score(IDS, OFFSETS)
    assert scaled_difference(scores, expected[name]) < TOLERANCE
    assert np.ptp(expected[name], axis=0).max() > 1e-4, "the texts must not all score the same"
    save_packed(tmp_path / "packed.npz", packed)
    assert load_packed(tmp_path / "packed.npz").score(IDS, OFFSETS).tobytes() == scores.tobytes()
    texts = np.split(IDS, OFFSETS[1:-1])
    alone = np.concatenate([packed.score(text, np.array([0, len(text)])) for text in texts])
    assert alone.tobytes() == scores.tobytes()


def test_every_operation_is_tried(models: dict[str, Any]) -> None:
    tried = {node.operation.kind for model in models.values() for node in pack_model(model).nodes}
    assert tried == set(OPERATIONS)


KERAS_NAMES: Mapping[str, Any] = {
    "abs": ops.abs,
    "gelu_by_tanh": lambda x: ops.gelu(x, approximate=True),
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "celu": lambda x: ops.celu(x, 1.5),
    "leaky_relu": lambda x: ops.leaky_relu(x, 0.2),
    "exponential": ops.exp,
    "linear": lambda x: x,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_activation_is_keras(name: str, dtype: Any) -> None:
    values = np.concatenate([np.linspace(-12, 12, 401), [-1.0, 0.0, 1.0]]).astype(dtype)
    if name in ("log", "log1p", "sqrt", "rsqrt"):
        values = np.abs(values) + dtype(0.01)
    result = ACTIVATIONS[name](values[None], {"celu": 1.5, "leaky_relu": 0.2}.get(name, 0.0))
    function = KERAS_NAMES.get(name) or getattr(keras.activations, name, None) or getattr(ops, name)
    assert result.dtype == dtype
    expected = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(values[None])))
    np.testing.assert_allclose(result, expected, rtol=3e-6, atol=3e-6 if dtype == np.float32 else 1e-12)
