"""Reads the configuration that Keras 3 writes into an `.h5`: its own, but that no class says where it comes from."""

from collections.abc import Mapping
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import OPERATION_MODULES

_MODELS = {"Sequential": "keras", "Functional": "keras.src.models.functional"}

Config = dict[str, Any]


def with_modules(model: Mapping[str, Any]) -> Config:
    """Returns a model's configuration with the module of each class, as a `.keras` file has it.

    Raises:
        BundleError: It is neither a Sequential nor a Functional model.
    """
    kind = str(model.get("class_name"))
    if kind not in _MODELS:
        raise BundleError(
            f"The model's class is {kind:.40}; only Sequential and Functional models are read: build it so."
        )
    layers = [_with_module(layer) for layer in model["config"]["layers"]]
    named = {"module": _MODELS[kind], "class_name": kind, "registered_name": kind}
    return {**model, **named, "config": {**model["config"], "layers": layers}}


def _with_module(layer: Mapping[str, Any]) -> Config:
    if layer["class_name"] in _MODELS:
        return with_modules(layer)
    # A function of keras.ops may be called as a layer is, such as Add; it has no weights to train.
    # SpatialDropout1D does not say whether it has any, and there is no function of its name.
    is_layer = layer["class_name"] == "InputLayer" or "trainable" in layer["config"]
    module = "keras.layers" if is_layer else _module_of(str(layer["class_name"]))
    return {**layer, "module": module, "registered_name": None}


def _module_of(function: str) -> str:
    import importlib

    found = (name for name in OPERATION_MODULES if hasattr(importlib.import_module(name), function))
    return next(found, "keras.layers")
