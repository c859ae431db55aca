"""Small Keras models with weights that are set, not trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

VOCABULARY_SIZE = 60


def build_model(*stack: keras.layers.Layer, vocabulary_size: int = VOCABULARY_SIZE, mask_zero: bool = True) -> Any:
    """Returns a Sequential model of an Embedding and the given layers, all weights drawn with a fixed seed."""
    embedding = layers.Embedding(vocabulary_size, 6, mask_zero=mask_zero, name="words")
    model = keras.Sequential([layers.Input((None,), dtype="int32"), embedding, *stack])
    return with_drawn_weights(model)


def with_drawn_weights(model: Any, seed: int = 0) -> Any:
    """Sets every weight, biases too, so that no part of the arithmetic is multiplied by zero."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if "seed" not in weight.path:
            drawn = generator.normal(0, 0.25, weight.shape)
            weight.assign(np.abs(drawn) if "variance" in weight.path else drawn)
    return model


def build_from(stack: Sequence[Mapping[str, Any]]) -> Any:
    """Returns `build_model` of layers given as ``{"layer": "LSTM", ...arguments}``; a wrapped layer under ``"of"``."""
    return build_model(*[_layer(dict(spec)) for spec in stack])


def _layer(spec: dict[str, Any]) -> Any:
    make = getattr(layers, spec.pop("layer"))
    if "of" in spec:
        return make(_layer(dict(spec.pop("of"))), **spec)
    return make(**spec)
