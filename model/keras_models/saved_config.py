"""Judges a Keras model's `config.json` before Keras builds anything of it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import LAYERS, OTHER_LAYERS, RUNNING_CODE, is_allowed

# Weight matrices of one layer's width, side by side.
_GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "SimpleRNN": 1, "SimpleRNNCell": 1, "Dense": 1}
_WEIGHT_BYTES = 4
# The width that a layer reads is not known before it is built, so all are taken to read the widest.
_SIZE_MARGIN = 16
_TRUST = "pass --trust_bundle if you trust where the file comes from"
_SIZE_SLACK_BYTES = 256 << 20


def check_classes(name: str, config: Any, way_out: str = _TRUST) -> None:
    """Lets through what runs no code of the file.

    Args:
        name: The file's, for messages.
        config: Its parsed `config.json`.
        way_out: What to do about another class.

    Raises:
        BundleError: Another class, by its layer's name.
    """
    for item in _loaded_objects(config):
        module, kind = item.get("module"), item["class_name"]
        if not is_allowed(module, kind) or item.get("registered_name") not in (None, kind):
            settings = item.get("config")
            layer = settings.get("name", "") if isinstance(settings, Mapping) else ""
            said = _said_of_class(module, kind, str(layer), item.get("registered_name"))
            raise BundleError(f"{name:.60} holds {said}{way_out}.")


def _said_of_class(module: Any, kind: Any, layer: str, registered: Any) -> str:
    """Returns why a class is not let through, up to what can be done."""
    whose = f" (layer {layer:.40})" if layer else ""
    is_layer = module == "keras.layers" and kind in OTHER_LAYERS and registered in (None, kind)
    if is_layer or str(module).startswith("keras.src.ops."):
        return (
            f"Keras' {'layer' if is_layer else 'function'} {kind!s:.60}{whose}, which is none of those that models of "
            "texts are made of; leave it out, or "
        )
    # An .h5 does not say where a class comes from; what Keras has not is a person's own.
    is_own = module == "keras.layers" and kind not in (LAYERS | RUNNING_CODE)
    named = f"the class {kind!s:.60}" if is_own else f"{module}.{kind}"
    return f"{named:.80}{whose}, which may run code that came with the file; "


def _loaded_objects(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yields what Keras builds: of the outermost compile_config nothing, of a model's within the model all."""
    if isinstance(config, Mapping):
        config = {key: value for key, value in config.items() if key != "compile_config"}
    yield from _serialized_objects(config)


def _serialized_objects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if "class_name" in node:
            yield node
        for value in node.values():
            yield from _serialized_objects(value)
    elif isinstance(node, list):
        for item in node:
            yield from _serialized_objects(item)


def check_sizes(name: str, config: Any, weights_bytes: int) -> None:
    """Refuses a config that announces far more weights than the file has: Keras makes room for them first.

    Args:
        name: The file's, for messages.
        config: Its parsed `config.json`.
        weights_bytes: Size of what holds the weights.

    Raises:
        BundleError: It does.
    """
    layers = [(item["class_name"], item["config"]) for item in _loaded_objects(config) if _has_config(item)]
    widths = [_size(settings, "output_dim") for _, settings in layers]
    widths += [2 * _size(settings, "units") + _size(settings, "filters") for _, settings in layers]
    widest = max([0, *widths, *_shape_sizes(config)])
    n_weights = 0
    for kind, settings in layers:
        units = _size(settings, "units")
        n_weights += _size(settings, "input_dim") * _size(settings, "output_dim")
        n_weights += _GATES.get(kind, 0) * units * (widest + units + 1)
        n_weights += _size(settings, "filters") * max(1, *_sizes(settings, "kernel_size")) * (widest + 1)
        n_weights += 4 * _size(settings, "num_heads") * _size(settings, "key_dim") * (widest + 1)
        n_weights += 4 * _size(settings, "num_query_heads") * _size(settings, "head_dim") * (widest + 1)
    if n_weights * _WEIGHT_BYTES > _SIZE_MARGIN * weights_bytes + _SIZE_SLACK_BYTES:
        raise BundleError(
            f"{name:.60}: config.json announces up to {n_weights:,} weights, but {weights_bytes:,} bytes hold them; "
            "save the model anew."
        )


def _has_config(item: Mapping[str, Any]) -> bool:
    return isinstance(item["class_name"], str) and isinstance(item.get("config"), Mapping)


def _size(settings: Mapping[str, Any], name: str) -> int:
    value = settings.get(name)
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def _sizes(settings: Mapping[str, Any], name: str) -> list[int]:
    values = settings.get(name)
    return [_size({name: value}, name) for value in (values if isinstance(values, list) else [values])]


def _shape_sizes(node: Any, *, in_shape: bool = False) -> Iterator[int]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _shape_sizes(value, in_shape=str(key).endswith("shape"))
    elif isinstance(node, list):
        for item in node:
            yield from _shape_sizes(item, in_shape=in_shape)
    elif in_shape and isinstance(node, int):
        yield node
