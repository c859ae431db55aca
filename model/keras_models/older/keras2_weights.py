"""Weights of the `.h5` files of Keras, read with h5py alone and put into a Keras 3 model of the same layers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.errors import BundleError
from saiten.model.keras_models.older.hard_sigmoid import widen_hard_sigmoids
from saiten.model.keras_models.older.keras2_config import BUILD_ANEW
from saiten.model.text.ragged import FloatArray

# Names of weights that a layer of one class may share with another's by shape alone.
_ROLES = frozenset(
    ("kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "embeddings")
)
_SIDES = ("forward_", "backward_")


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
        weights = _in_saved_order(layer, names)
        arrays = [np.asarray(group[name], np.float32) for name in names]
        _refuse_others(layer, weights, arrays, names)
        for weight, array in zip(weights, arrays, strict=True):
            weight.assign(array)
        if is_older:
            widen_hard_sigmoids(layer)


def _in_saved_order(layer: Any, names: Sequence[str]) -> list[Any]:
    """Returns a layer's weights as an `.h5` has them: what was trained first, over all layers of a model within."""
    frozen = _frozen(layer, names)
    weights = but_seeds(layer.weights)
    trained = [weight for weight in weights if weight.trainable and weight.path not in frozen]
    return trained + [weight for weight in weights if not weight.trainable or weight.path in frozen]


def _frozen(layer: Any, names: Sequence[str]) -> set[str]:
    """Returns the paths of weights of frozen layers, whose trainable=False Keras does not hand on to all parts."""
    if not layer.trainable:
        return {weight.path for weight in layer.weights}
    if not hasattr(layer, "forward_layer"):
        return set().union(*(_frozen(part, names) for part in getattr(layer, "layers", ())))
    # No setting says that one half was frozen, only that the other stands before it.
    own = [name for name in names if layer.name in name.split("/")] or names
    sides = [piece for name in own for piece in name.split("/") if piece.startswith(_SIDES)]
    is_frozen = bool(sides) and sides[0].startswith("backward_")
    return {weight.path for weight in layer.forward_layer.weights} if is_frozen else set()


def but_seeds(weights: Sequence[Any]) -> list[Any]:
    """Returns weights without the states of random generators, which no older file has."""
    return [weight for weight in weights if "seed" not in weight.path]


def _refuse_others(layer: Any, weights: Sequence[Any], arrays: Sequence[FloatArray], names: Sequence[str]) -> None:
    wanted = [(tuple(weight.shape), weight.name) for weight in weights]
    found = [(array.shape, name.split("/")[-1].split(":")[0]) for array, name in zip(arrays, names, strict=True)]
    if len(wanted) != len(found):
        raise BundleError(said_of_number(layer, len(found), len(wanted)))
    for (shape, name), (their_shape, their_name) in zip(wanted, found, strict=True):
        if shape != their_shape or (name != their_name and {name, their_name} <= _ROLES):
            raise BundleError(
                f"The file's {their_name:.30} {their_shape!s:.30} of its layer {described(layer)} is not the "
                f"{name:.30} {shape!s:.30} that its settings ask for; {BUILD_ANEW}."
            )


def said_of_number(layer: Any, n_found: int, n_wanted: int) -> str:
    """Returns what is said of a layer for which a file has another number of weights."""
    return (
        f"The file has {n_found} weights for its layer {described(layer)}, whose settings ask for {n_wanted}; "
        f"{BUILD_ANEW}."
    )


def described(layer: Any) -> str:
    """Returns a layer's name and class for a sentence."""
    return f"{layer.name:.40} ({type(layer).__name__:.40})"


def _names(attributes: Mapping[str, Any], name: str) -> list[str]:
    """Returns a list of names; Keras 2 cuts a long one into numbered attributes."""
    chunks = [attributes[name]] if name in attributes else []
    while f"{name}{len(chunks)}" in attributes:
        chunks.append(attributes[f"{name}{len(chunks)}"])
    return [item.decode() if isinstance(item, bytes) else str(item) for chunk in chunks for item in chunk]
