"""Reads the configuration of a Keras 1 or 2 model as data, and says the same in Keras 3's words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.graph import name_of

_MODELS = {"Sequential": "Sequential", "Functional": "Functional", "Model": "Functional"}
# What a layer of Keras 2 says beside what counts, and what it may say there.
_DROPPED: Mapping[str, tuple[Any, ...]] = {
    "batch_input_shape": (), "batch_shape": (), "input_length": (), "input_dtype": (), "implementation": (),
    "sparse": (False, None), "ragged": (False, None), "optional": (False, None), "time_major": (False, None),
    "noise_shape": (None,), "causal": (False,), "renorm": (False, None), "fused": (), "virtual_batch_size": (None,),
    "build_config": (), "experimental_autocast": (), "autocast": (), "synchronized": (False, None),
    "activity_regularizer": (), "trainable": (), "zero_output_for_mask": (False, None),
}  # fmt: skip
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "GRU": {}, "LSTM": {}}
# Keras 2's hard_sigmoid is 0.2 x + 0.5, Keras 3's x / 6 + 0.5: the same once what is passed is larger by this.
HARD_SIGMOID_SCALE = 1.2

Config = dict[str, Any]


def to_keras3(model: Mapping[str, Any]) -> Config:
    """Returns a model's configuration as Keras 3 writes it.

    Raises:
        BundleError: It holds something else than a plain stack or graph of built-in layers.
    """
    kind = str(model.get("class_name"))
    if kind not in _MODELS:
        raise BundleError(f"The older model is a {kind:.40}; only Sequential and Functional models are converted.")
    config = model["config"]
    if isinstance(config, list):  # as Keras before 2.2 wrote a Sequential
        config = {"name": "sequential", "layers": config}
    models = {name_of(layer) for layer in config["layers"] if _has_own_use(layer)}
    layers = [_layer(layer, models, is_graph=_MODELS[kind] == "Functional") for layer in config["layers"]]
    converted = {"name": config.get("name", kind.lower()), "trainable": True, "layers": layers}
    if _MODELS[kind] == "Functional":
        for name in ("input_layers", "output_layers"):
            converted[name] = [_history(reference, models) for reference in _references(config[name])]
    elif layers[0]["class_name"] != "InputLayer":
        converted["layers"] = [_input_of(config["layers"][0]), *layers]
    module = "keras" if kind == "Sequential" else "keras.src.models.functional"
    return {"module": module, "class_name": _MODELS[kind], "config": converted, "registered_name": _MODELS[kind]}


def _layer(layer: Mapping[str, Any], models: Collection[str], *, is_graph: bool) -> Config:
    kind, name = str(layer["class_name"]), name_of(layer)
    converted: Config
    if kind in _MODELS:
        converted = to_keras3(layer)
        converted["config"]["name"] = name
    elif kind == "InputLayer":
        converted = _input_of(layer)
    else:
        converted = _plain(kind, layer["config"])
    if is_graph:
        nodes = layer.get("inbound_nodes") or []
        converted |= {"name": name, "inbound_nodes": [_node(node, models, is_list=kind in _MERGING) for node in nodes]}
    return converted


_MERGING = frozenset(
    ("Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot", "Attention",
     "AdditiveAttention")
)  # fmt: skip


def _input_of(layer: Mapping[str, Any]) -> Config:
    """Returns an InputLayer: of one, or of a Sequential's first layer, which says how wide its input is."""
    config = layer["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if shape is None:
        length = config.get("input_length")
        shape = [None, *(length if isinstance(length, list) else [length])]
    name = config["name"] if layer["class_name"] == "InputLayer" else f"{name_of(layer)}_input"
    settings = {"batch_shape": [None, *shape[1:]], "dtype": "int32" if len(shape) == 2 else "float32", "name": name}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": settings, "registered_name": None}


def _plain(kind: str, config: Mapping[str, Any]) -> Config:
    """Returns a layer without what was only for training."""
    if kind.startswith(("CuDNN", "TFOp", "SlicingOp", "TensorFlowOp", "Lambda")) or kind == "Function":
        cure = (
            "load and save it where it was trained, with LSTM and GRU" if kind.startswith("CuDNN") else "leave it out"
        )
        raise BundleError(
            f"The older model has a layer {config.get('name')!s:.40} ({kind:.30}), which is no plain layer of Keras 3; "
            f"{cure}, or save the model with Keras 3."
        )
    settings: Config = {"name": config.get("name", kind.lower()), "dtype": "float32"}
    for key, value in config.items():
        if key in ("name", "dtype") or key.endswith(("_initializer", "_regularizer", "_constraint")):
            continue
        if key in _DROPPED:
            if _DROPPED[key] and value not in _DROPPED[key]:
                raise BundleError(
                    f"The older model's layer {settings['name']:.40} ({kind:.30}) has {key:.30} {value!r:.40}."
                )
            continue
        settings[_RENAMED.get(kind, {}).get(key, key)] = _setting(value)
    if kind == "GRU":  # as it was before Keras 2.2 knew of the setting
        settings.setdefault("reset_after", False)
    if kind in ("BatchNormalization", "LayerNormalization") and isinstance(settings.get("axis"), list):
        (settings["axis"],) = settings["axis"]
    return {"module": "keras.layers", "class_name": kind, "config": settings, "registered_name": None}


def _setting(value: Any) -> Any:
    """Returns a setting; one that is a layer, as in Bidirectional, converted."""
    if isinstance(value, Mapping) and "class_name" in value:
        return _plain(str(value["class_name"]), value.get("config") or {})
    return value


def _node(node: Any, models: Collection[str], *, is_list: bool) -> Config:
    """Returns one use of a layer: from ``[[layer, node, output, keywords], ...]`` to arguments and keywords."""
    references = list(_references(node))
    keywords = {
        key: value for reference in references for key, value in (reference[3] if len(reference) > 3 else {}).items()
    }
    if any(value not in (None, False) for key, value in keywords.items() if key not in ("training", "mask")):
        raise BundleError(
            f"The older model calls a layer with {', '.join(keywords):.60}; only plain calls are converted."
        )
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": _history(reference, models)},
        }
        for reference in references
    ]
    return {"args": [tensors] if is_list or len(tensors) > 1 else tensors, "kwargs": {}}


def _has_own_use(layer: Mapping[str, Any]) -> bool:
    """Whether a model within the model counts how it was built as its first use, which the file leaves out."""
    if layer["class_name"] not in _MODELS:
        return False
    layers = layer["config"]["layers"] if isinstance(layer["config"], Mapping) else layer["config"]
    return bool(layers) and layers[0]["class_name"] == "InputLayer"


def _history(reference: Sequence[Any], models: Collection[str]) -> list[Any]:
    name, node, output = reference[:3]
    return [name, node - (name in models), output]


def _references(node: Any) -> Iterator[Sequence[Any]]:
    if isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, Mapping):
        for item in node.values():
            yield from _references(item)
