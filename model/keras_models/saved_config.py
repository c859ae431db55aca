"""Judges a Keras model's `config.json` before Keras builds anything of it."""

import math
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from saiten.model.errors import BundleError

_LAYERS = frozenset(
    (
        "Functional",
        "Sequential",
        "InputLayer",
        "Embedding",
        "LSTM",
        "GRU",
        "Bidirectional",
        "Dense",
        "Activation",
        "Dropout",
        "SpatialDropout1D",
        "GlobalAveragePooling1D",
        "Concatenate",
        "Add",
    )
)
# What a layer's config may hold beside layers: none of these runs code of the file.
_MODULES = frozenset(("keras.initializers", "keras.regularizers", "keras.constraints"))
# Of keras.ops, what a saved graph of `saiten train` holds.
_OPERATIONS = (
    "Add", "Argsort", "Concatenate", "Cumsum", "ExpandDims", "GetItem", "Greater", "Max", "Maximum", "Minimum", "Mod",
    "Multiply", "NotEqual", "Sort", "Sqrt", "Sum", "TakeAlongAxis", "TrueDivide", "Where", "ZerosLike",
)  # fmt: skip
# How Keras 3.15 names a Functional model, and the mask of an Embedding in it.
_OTHERS = frozenset(
    (
        (None, "__keras_tensor__"),
        ("keras", "DTypePolicy"),
        ("keras.src.models.functional", "Functional"),
        *(("keras.src.ops.numpy", name) for name in _OPERATIONS),
        ("keras.src.ops.core", "Cast"),
        (None, "__slice__"),
    )
)

# Layers that people put behind an Embedding, and that drop its mask with a warning at most.
_MASK_LOSERS = {
    "Flatten", "Reshape", "Permute", "Conv1D", "SeparableConv1D", "DepthwiseConv1D", "Conv1DTranspose",
    "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D",
}  # fmt: skip

# Weight matrices of one layer's width, side by side.
_GATES = {"LSTM": 4, "GRU": 3, "Dense": 1}
_WEIGHT_BYTES = 4
# The width that a layer reads is not known before it is built, so all are taken to read the widest.
_SIZE_MARGIN = 16
_SIZE_SLACK_BYTES = 256 << 20


def check_classes(path: pathlib.Path, config: Any) -> None:
    """Lets through the classes of models that Saiten builds.

    Args:
        path: The `.keras` file, for messages.
        config: Its parsed `config.json`.

    Raises:
        BundleError: Another class, by its layer's name.
    """
    for item in _loaded_objects(config):
        module, name = item.get("module"), item["class_name"]
        if not _is_known(module, name) or item.get("registered_name") not in (None, name):
            settings = item.get("config")
            layer = settings.get("name", "") if isinstance(settings, Mapping) else ""
            if name in _MASK_LOSERS:
                raise BundleError(
                    f"{path}: layer {layer!r} ({name}) loses the mask of the sequence that it reads, so that padding "
                    "would count as text; build the model without it before the last recurrent layer."
                )
            raise BundleError(
                f"{path} holds {module}.{name}{f' (layer {layer!r})' if layer else ''}, which Saiten does not build; "
                "if you trust where the file comes from, pass --trust_bundle."
            )


def _is_known(module: Any, name: Any) -> bool:
    if module in ("keras", "keras.layers") and name in _LAYERS:
        return True
    # A function, even one of these modules, is called with what the file says.
    return (module in _MODULES and name != "function") or (module, name) in _OTHERS


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


def check_sizes(path: pathlib.Path, config: Any, weights_bytes: int) -> None:
    """Refuses a config that announces far more weights than the file has: Keras makes room for them first.

    Args:
        path: The `.keras` file, for messages.
        config: Its parsed `config.json`.
        weights_bytes: Size of `model.weights.h5`.

    Raises:
        BundleError: It does.
    """
    layers = [(item["class_name"], item["config"]) for item in _loaded_objects(config) if _has_config(item)]
    widths = [_size(settings, "output_dim") for _, settings in layers]
    widths += [2 * _size(settings, "units") for _, settings in layers]
    widest = max([0, *widths, *_shape_sizes(config)])
    n_weights = 0
    for name, settings in layers:
        units = _size(settings, "units")
        n_weights += _size(settings, "input_dim") * _size(settings, "output_dim")
        n_weights += _GATES.get(name, 0) * units * (widest + units + 1)
    if n_weights * _WEIGHT_BYTES > _SIZE_MARGIN * weights_bytes + _SIZE_SLACK_BYTES:
        raise BundleError(
            f"{path}: config.json announces up to {n_weights:,} weights, but model.weights.h5 has "
            f"{weights_bytes:,} bytes."
        )


def _has_config(item: Mapping[str, Any]) -> bool:
    return isinstance(item["class_name"], str) and isinstance(item.get("config"), Mapping)


def _size(settings: Mapping[str, Any], name: str) -> int:
    value = settings.get(name)
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def _shape_sizes(node: Any, *, in_shape: bool = False) -> Iterator[int]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _shape_sizes(value, in_shape=str(key).endswith("shape"))
    elif isinstance(node, list):
        for item in node:
            yield from _shape_sizes(item, in_shape=in_shape)
    elif in_shape and isinstance(node, int):
        yield node
