"""Weights of Keras 2's `.keras` files, read with h5py alone and put into a Keras 3 model of the same layers."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.errors import BundleError
from saiten.model.keras_models.older.hard_sigmoid import widen_hard_sigmoids
from saiten.model.keras_models.older.keras2_config import BUILD_ANEW
from saiten.model.keras_models.older.keras2_weights import but_seeds, described, said_of_number

Identity = tuple[str, str]


def set_saved_weights(model: Any, group: Any) -> None:
    """Sets the weights of each layer by its kind and number.

    Raises:
        BundleError: A layer's weights are missing or have other shapes.
    """
    uses = Counter(map(_identity, _every_layer(model.layers)))
    _SavedWeights([identity for identity, n_uses in uses.items() if n_uses > 1]).set_all(model.layers, group["layers"])
    for layer in model.layers:
        widen_hard_sigmoids(layer)


def _every_layer(layers: Sequence[Any]) -> Iterator[Any]:
    for layer in layers:
        yield layer
        yield from _every_layer(getattr(layer, "layers", ()))


def _identity(layer: Any) -> Identity:
    """Returns what a layer has in common with itself where it stands in two models of a file."""
    return type(layer).__name__, layer.name


class _SavedWeights:
    """Sets weights once, layer by layer.

    A layer that stands in several models, one within or beside the other, has its weights and a number where it comes
    first, and neither where it comes again.

    Args:
        repeated: Layers that may do so.
    """

    def __init__(self, repeated: Collection[Identity]) -> None:
        self._repeated = repeated
        self._first: dict[Identity, Any] = {}
        self._again: list[Any] = []

    def set_all(self, layers: Sequence[Any], group: Any) -> None:
        """Sets the weights of a model's layers, and at last of those that come again."""
        self._set_numbered(layers, group)
        for layer in self._again:
            own, first = but_seeds(layer.weights), but_seeds(self._first[_identity(layer)].weights)
            if [weight.shape for weight in own] != [weight.shape for weight in first]:
                raise BundleError(said_of_number(layer, 0, len(own)))
            for weight, value in zip(own, first, strict=True):
                weight.assign(value.numpy())

    def _set_numbered(self, layers: Sequence[Any], group: Any) -> None:
        """Sets the weights of layers in a list: their groups are called after their classes, and numbered."""
        kinds = [_snake_case(type(layer).__name__) for layer in layers]
        n_groups = {kind: sum(bool(re.fullmatch(rf"{kind}(_\d+)?", name)) for name in group) for kind in kinds}
        n_set_of: Counter[str] = Counter()
        again = []
        for layer, kind in zip(layers, kinds, strict=True):
            if _identity(layer) in self._first and n_groups[kind] < kinds.count(kind):
                again.append(layer)
                continue
            number = n_set_of[kind]
            n_set_of[kind] += 1
            n_set = self._set_parts(layer, group.get(f"{kind}_{number}" if number else kind, {}))
            if n_set != (n_weights := len(but_seeds(layer.weights))):
                raise BundleError(said_of_number(layer, n_set, n_weights))
            if _identity(layer) in self._repeated:
                self._first[_identity(layer)] = layer
        for layer in again:  # one that is only called like another would have taken that one's weights
            if n_groups[kind := _snake_case(type(layer).__name__)] != n_set_of[kind]:
                raise BundleError(said_of_number(layer, 0, len(but_seeds(layer.weights))))
        self._again += again

    def _set_parts(self, layer: Any, group: Mapping[str, Any]) -> int:
        """Sets a layer's own weights, and those of its parts by the names that they have in it; returns how many."""
        n_set = 0
        for name, found in group.items():
            if name == "vars" and len(found):
                try:
                    layer.load_own_variables({number: np.asarray(found[number], np.float32) for number in found})
                except ValueError as error:
                    raise BundleError(
                        f"The file's weights of its layer {described(layer)} have other shapes than its settings ask "
                        f"for; {BUILD_ANEW}."
                    ) from error
                n_set += len(found)
            elif name in ("layers", "cells"):
                self._set_numbered(getattr(layer, name), found)
                n_set += sum(len(but_seeds(part.weights)) for part in getattr(layer, name))
            elif name != "vars" and hasattr(getattr(layer, name, None), "load_own_variables"):
                n_set += self._set_parts(getattr(layer, name), found)
        return n_set


def _snake_case(name: str) -> str:
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
