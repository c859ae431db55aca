"""Weights of Keras 1 and 2 models, read with h5py alone and put into a Keras 3 model of the same layers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.errors import BundleError
from saiten.model.keras_models.older.keras2_config import HARD_SIGMOID_SCALE
from saiten.model.text.ragged import FloatArray

# Which columns of a cell's weights make gates: i, f, o of an LSTM's four, z and r of a GRU's three.
_GATES = {"LSTM": (4, (0, 1, 3)), "GRU": (3, (0, 1))}


def set_h5_weights(model: Any, file: Any, *, is_older: bool) -> None:
    """Sets the weights of each layer by its name, as an `.h5` has them.

    Args:
        model: The model that the file's configuration makes.
        file: The open `h5py.File`.
        is_older: It is not of Keras 3.

    Raises:
        BundleError: A layer's weights are missing or have other shapes.
    """
    groups = file.get("model_weights", file)
    for layer in model.layers:
        group = groups.get(layer.name)
        names = [] if group is None else _names(group.attrs, "weight_names")
        _set(layer, [np.asarray(group[name], np.float32) for name in names], is_older=is_older)


def set_saved_weights(model: Any, group: Any) -> None:
    """Sets the weights of each layer by its kind and number, as Keras 2's `.keras` has them.

    Raises:
        BundleError: A layer's weights are missing or have other shapes.
    """
    counts: dict[str, int] = {}
    for layer in model.layers:
        kind = _snake_case(type(layer).__name__)
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        found = group["layers"].get(f"{kind}_{number}" if number else kind)
        if hasattr(layer, "layers"):
            if found is None:
                raise BundleError(f"The older model's file has no weights for its layer {layer.name:.40}.")
            set_saved_weights(layer, found)
        else:
            _set(
                layer,
                [] if found is None else [np.asarray(array, np.float32) for array in _arrays(found)],
                is_older=True,
            )


def _set(layer: Any, arrays: Sequence[FloatArray], *, is_older: bool) -> None:
    # As Keras orders them: what was trained first, over all layers of a model within the model.
    weights = [
        weight for weight in (*layer.trainable_weights, *layer.non_trainable_weights) if "seed" not in weight.path
    ]
    if [tuple(weight.shape) for weight in weights] != [array.shape for array in arrays]:
        raise BundleError(
            f"The file has {len(arrays)} weights for its layer {layer.name:.40} "
            f"({type(layer).__name__:.40}), or of other shapes than Keras 3's {len(weights)}."
        )
    for weight, array in zip(weights, arrays, strict=True):
        weight.assign(array)
    for part in _plain_layers(layer) if is_older else ():
        _widen_hard_sigmoid(part)


def _plain_layers(layer: Any) -> Iterator[Any]:
    for part in getattr(layer, "layers", [layer]):
        inner = [getattr(part, name, None) for name in ("forward_layer", "backward_layer")]
        yield from (filter(None, inner) if any(inner) else [part])


def _widen_hard_sigmoid(layer: Any) -> None:
    """Scales what passes a hard_sigmoid: Keras 3 has another one."""
    kind = type(layer).__name__
    if kind in _GATES and _is_hard(getattr(layer, "recurrent_activation", None)):
        n, gates = _GATES[kind]
        for weight in layer.weights:
            if "seed" in weight.path:
                continue
            array = weight.numpy().copy()
            parts = array.reshape(*array.shape[:-1], n, -1)
            parts[..., list(gates), :] *= HARD_SIGMOID_SCALE
            weight.assign(array)
    if _is_hard(getattr(layer, "activation", None)):
        if kind != "Dense":
            raise BundleError(
                f"The older model's layer {layer.name:.40} ({kind:.30}) has the activation hard_sigmoid, which is "
                "another function in Keras 3; only Dense and the gates of LSTM and GRU are converted."
            )
        for weight in layer.weights:
            weight.assign(weight.numpy() * HARD_SIGMOID_SCALE)


def _is_hard(activation: Any) -> bool:
    return getattr(activation, "__name__", "") == "hard_sigmoid"


def _names(attributes: Mapping[str, Any], name: str) -> list[str]:
    """Returns a list of names; Keras 2 cuts a long one into numbered attributes."""
    chunks = [attributes[name]] if name in attributes else []
    while f"{name}{len(chunks)}" in attributes:
        chunks.append(attributes[f"{name}{len(chunks)}"])
    return [item.decode() if isinstance(item, bytes) else str(item) for chunk in chunks for item in chunk]


def _arrays(group: Any) -> Iterator[Any]:
    """Yields a layer's arrays: forward before backward, then by number."""

    def order(name: str) -> tuple[bool, int, str]:
        return name.startswith("backward"), int(name) if name.isdigit() else -1, name

    for name in sorted(group, key=order):
        yield from _arrays(group[name]) if hasattr(group[name], "keys") else [group[name]]


def _snake_case(name: str) -> str:
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
