"""Reads the configuration of a Keras 1 or 2 model as data, and says the same in Keras 3's words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.graph import name_of
from saiten.model.keras_models.older.tensorflow_functions import TENSORFLOW_LAYERS, convert_function

_MODELS = {"Sequential": "Sequential", "Functional": "Functional", "Model": "Functional"}
# What a layer of Keras 2 says beside what counts, and what it may say there.
_DROPPED: Mapping[str, tuple[Any, ...]] = {
    "batch_input_shape": (), "batch_shape": (), "input_length": (), "input_dtype": (), "implementation": (),
    "sparse": (False, None), "ragged": (False, None), "optional": (False, None), "time_major": (False, None),
    "noise_shape": (None,), "causal": (False,), "fused": (), "virtual_batch_size": (None,),
    "build_config": (), "experimental_autocast": (), "autocast": (), "synchronized": (False, None),
    "activity_regularizer": (), "query_shape": (), "key_shape": (), "value_shape": (),
    "softmax_robust_masking": (False,),
}  # fmt: skip
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "GRU": {}, "LSTM": {}}

# Keywords of a call that hold no tensor and that Keras 3 takes as they are.
_SAID_IN_CALLS = ("return_attention_scores", "use_causal_mask")
_HALF_PRECISION = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
BUILD_ANEW = "build it with Keras 3 and take the weights over"

Config = dict[str, Any]


def to_keras3(model: Mapping[str, Any], *, is_within: bool = False) -> Config:
    """Returns a model's configuration as Keras 3 writes it.

    Args:
        model: As Keras 2 writes it.
        is_within: It is a layer of another model, so it need not read ids: Keras 3 would cut a state to whole numbers.

    Raises:
        BundleError: It holds something else than a plain stack or graph of built-in layers.
    """
    kind = str(model.get("class_name"))
    if kind not in _MODELS:
        raise BundleError(
            f"The older model is a {kind:.40}; only Sequential and Functional models are converted: {BUILD_ANEW}."
        )
    config = model["config"]
    if isinstance(config, list):  # as Keras before 2.2 wrote a Sequential
        config = {"name": "sequential", "layers": config}
    models = {name_of(layer) for layer in config["layers"] if _has_own_use(layer)}
    layers = [_layer(layer, models, is_graph=_MODELS[kind] == "Functional") for layer in config["layers"]]
    inputs = [layer for layer in layers if layer["class_name"] == "InputLayer"]
    # What was trained each layer says itself; a model's word would be laid on all of its layers.
    converted = {"name": config.get("name", kind.lower()), "trainable": None, "layers": layers}
    if _MODELS[kind] == "Functional":
        for name in ("input_layers", "output_layers"):
            histories = [_history(reference, models) for reference in _references(config[name])]
            converted[name] = histories[0] if len(histories) == 1 else histories  # of one, Keras 3 makes a list
    elif layers[0]["class_name"] != "InputLayer":
        inputs = [_input_of(config["layers"][0])]
        converted["layers"] = [*inputs, *layers]
    for layer in inputs:
        layer["config"]["dtype"] = "float32" if is_within or len(layer["config"]["batch_shape"]) > 2 else "int32"
    module = "keras" if kind == "Sequential" else "keras.src.models.functional"
    return {"module": module, "class_name": _MODELS[kind], "config": converted, "registered_name": _MODELS[kind]}


def _layer(layer: Mapping[str, Any], models: Collection[str], *, is_graph: bool) -> Config:
    kind, name = str(layer["class_name"]), name_of(layer)
    converted: Config
    if kind in TENSORFLOW_LAYERS and is_graph:
        title = f"layer {name:.40} ({kind:.30})"
        return {**convert_function(layer, title, lambda reference: _tensor(reference, models)), "name": name}
    if kind in _MODELS:
        converted = to_keras3(layer, is_within=True)
        converted["config"]["name"] = name
    elif kind == "InputLayer":
        converted = _input_of(layer)
    else:
        converted = _plain(kind, layer["config"])
    if is_graph:
        nodes = layer.get("inbound_nodes") or []
        converted |= {
            "name": name,
            "inbound_nodes": [_node(node, models, f"{name:.40} ({kind:.30})") for node in nodes],
        }
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
    settings = {"batch_shape": [None, *shape[1:]], "name": name}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": settings, "registered_name": None}


def _plain(kind: str, config: Mapping[str, Any]) -> Config:
    """Returns a layer without what was only for training."""
    layer = f"layer {config.get('name')!s:.40} ({kind:.30})"
    if kind.startswith("CuDNN"):
        raise BundleError(
            f"The older model's {layer} takes no mask, so it reads padding as text; train the model again with LSTM or "
            "GRU in its place, behind Embedding(mask_zero=True)."
        )
    if kind.startswith(("TFOp", "SlicingOp", "TensorFlowOp", "Lambda")) or kind == "Function":
        raise BundleError(
            f"The older model's {layer} is code rather than a plain layer; leave it out, or {BUILD_ANEW}."
        )
    if kind == "ThresholdedReLU":  # which Keras 3 has as a setting
        kind, config = "ReLU", {"name": config.get("name", kind.lower()), "threshold": float(config.get("theta", 1.0))}
    settings: Config = {"name": config.get("name", kind.lower()), "dtype": _precision(config.get("dtype"))}
    for key, value in config.items():
        is_for_training = key.endswith(("_initializer", "_regularizer", "_constraint"))
        # Only which layers were frozen counts, for the order of weights; this one has none, and takes no such setting.
        is_trained = key == "trainable" and (value is not False or kind == "SpatialDropout1D")
        if key in ("name", "dtype") or is_for_training or is_trained:
            continue
        if key in _DROPPED:
            if _DROPPED[key] and value not in _DROPPED[key]:
                raise BundleError(
                    f"The older model's {layer} has {key:.30}={value!r:.40}, which Keras 3 lacks; {BUILD_ANEW}."
                )
            continue
        settings[_RENAMED.get(kind, {}).get(key, key)] = _setting(value)
    _settle(kind, settings, layer)
    return {"module": "keras.layers", "class_name": kind, "config": settings, "registered_name": None}


def _precision(dtype: Any) -> Any:
    """Returns what a layer computes in: half precision as the file says it, for what is expected of it; else single."""
    name = dtype.get("config", {}).get("name") if isinstance(dtype, Mapping) else dtype
    if name not in _HALF_PRECISION:
        return "float32"
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def _settle(kind: str, settings: Config, layer: str) -> None:
    """Says what Keras 2 took for granted or says in another way."""
    if kind == "GRU":  # as it was before Keras 2.2 knew of the setting
        settings.setdefault("reset_after", False)
    axis = settings.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        (settings["axis"],) = axis
    elif isinstance(axis, list) and kind == "BatchNormalization":
        raise BundleError(
            f"The older model's {layer} has axis={axis!s:.30}, where Keras 3 takes one axis; {BUILD_ANEW}."
        )
    forward = settings.get("layer")
    if kind == "Bidirectional" and isinstance(forward, Mapping) and settings.get("backward_layer") is None:
        goes_backwards = bool(forward["config"].get("go_backwards"))
        if goes_backwards:  # Keras 2 turns the other half round, Keras 3 lets both go backwards
            settings["backward_layer"] = {**forward, "config": {**forward["config"], "go_backwards": False}}


def _setting(value: Any) -> Any:
    """Returns a setting; one that is a layer, as in Bidirectional, converted."""
    if isinstance(value, Mapping) and "class_name" in value:
        return _plain(str(value["class_name"]), value.get("config") or {})
    return value


def _node(node: Any, models: Collection[str], layer: str) -> Config:
    """Returns one use of a layer: from ``[[layer, node, output, keywords], ...]`` to arguments and keywords."""
    references = list(_references(node))
    said = {
        key: value for reference in references for key, value in (reference[3] if len(reference) > 3 else {}).items()
    }
    if said.get("training"):
        raise BundleError(
            f"The older model calls layer {layer} with training=True, so a text's scores hang on chance or on other "
            "texts; call it without."
        )
    if len(references) > 1 and layer.endswith(tuple(f"({kind})" for kind in _RECURRENT)):
        raise BundleError(
            f"The older model gives layer {layer} states to begin with, which is not converted; {BUILD_ANEW}."
        )
    keywords = {key: _keyword(value, models) for key, value in said.items() if value not in (None, False)}
    odd = [key for key, value in keywords.items() if value is True and key not in _SAID_IN_CALLS]
    if odd:
        raise BundleError(
            f"The older model calls layer {layer} with {', '.join(odd):.60}, which is not converted; {BUILD_ANEW}."
        )
    tensors = [_tensor(reference, models) for reference in references]
    is_list = len(tensors) > 1 or layer.endswith(tuple(f"({kind})" for kind in _MERGING))
    return {"args": [tensors] if is_list else tensors, "kwargs": keywords}


def _keyword(value: Any, models: Collection[str]) -> Any:
    """Returns a tensor, a list of them, or True for anything else that is said."""
    references = list(_references(value))
    if not references:
        return True
    tensors = [_tensor(reference, models) for reference in references]
    return tensors[0] if isinstance(value[0], str) else tensors


def _tensor(reference: Sequence[Any], models: Collection[str]) -> Config:
    settings = {"shape": [None], "dtype": "float32", "keras_history": _history(reference, models)}
    return {"class_name": "__keras_tensor__", "config": settings}


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
