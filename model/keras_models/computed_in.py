"""A copy of a Keras model that computes in another precision."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def computed_in(model: Any, precision: str) -> Any:
    """Returns a copy of a model, and of its weights, that computes in ``float32`` or ``float64``.

    Args:
        model: A `keras.Model` of layers that Keras can build from their settings.
        precision: Of all of its layers.
    """
    import keras

    config = _with_policy(json.loads(model.to_json()), precision)
    changed = keras.models.model_from_json(json.dumps(config))
    if not changed.built:
        changed.build(model.input_shape)
    changed.set_weights([np.asarray(weight, precision) for weight in model.get_weights()])
    return changed


def _with_policy(node: Any, precision: str) -> Any:
    if isinstance(node, Mapping):
        if node.get("class_name") == "DTypePolicy":
            return {**node, "config": {"name": precision}}
        if node.get("class_name") == "Cast":  # of keras.ops: a mask that takes part in the arithmetic
            node = {**node, "config": {**node["config"], "dtype": _cast(node["config"].get("dtype"), precision)}}
        return {key: _with_policy(value, precision) for key, value in node.items() if key != "compile_config"}
    return [_with_policy(item, precision) for item in node] if isinstance(node, list) else node


def _cast(dtype: Any, precision: str) -> Any:
    return precision if str(dtype).startswith(("float", "bfloat")) else dtype
