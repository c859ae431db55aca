"""Keras 2's hard_sigmoid in the words of Keras 3, which has another function of that name."""

from collections.abc import Iterator
from typing import Any

from saiten.model.errors import BundleError

# Keras 2's is 0.2 x + 0.5, Keras 3's x / 6 + 0.5: the same once what is passed is larger by this.
_SCALE = 1.2
# Which columns of a cell's weights make gates: i, f, o of an LSTM's four, z and r of a GRU's three.
_GATES = {"LSTMCell": (4, (0, 1, 3)), "GRUCell": (3, (0, 1))}


def widen_hard_sigmoids(layer: Any) -> None:
    """Scales the weights of what passes a hard_sigmoid, in a layer and all of its parts.

    Args:
        layer: A layer with the weights that Keras 2 wrote.

    Raises:
        BundleError: A part of it has the activation where no weights can be scaled.
    """
    for part in _parts(layer):
        kind = type(part).__name__
        if kind in _GATES and _is_hard(part.recurrent_activation):
            n, gates = _GATES[kind]
            for weight in (weight for weight in part.weights if "seed" not in weight.path):
                array = weight.numpy().copy()
                array.reshape(*array.shape[:-1], n, -1)[..., list(gates), :] *= _SCALE
                weight.assign(array)
        if _is_hard(getattr(part, "activation", None)):
            if kind != "Dense":
                raise BundleError(
                    f"The older model's layer {layer.name:.40} ({type(layer).__name__:.30}) has the activation "
                    "hard_sigmoid, which is another function in Keras 3; only Dense and the gates of LSTM and GRU are "
                    "converted: build it with Keras 3 and another activation."
                )
            for weight in part.weights:
                weight.assign(weight.numpy() * _SCALE)


def _is_hard(activation: Any) -> bool:
    return getattr(activation, "__name__", "") == "hard_sigmoid"


def _parts(layer: Any) -> Iterator[Any]:
    """Yields a layer without parts, or those of its parts."""
    inner = [getattr(layer, name, None) for name in ("forward_layer", "backward_layer", "cell")]
    if not any(inner) and hasattr(layer, "layer"):  # which Bidirectional only has as a pattern
        inner = [layer.layer]
    inner = [*inner, *getattr(layer, "layers", ()), *getattr(layer, "cells", ())]
    parts = [part for part in inner if part is not None]
    for part in parts:
        yield from _parts(part)
    if not parts:
        yield layer
