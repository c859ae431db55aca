"""Keras' layers as operations of the packed engine: an entry of `LAYERS` each.

To add one: a function from the packer, the layer and what it reads to what it gives, and its entry.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.engines.packed.activations import ACTIVATIONS
from saiten.model.engines.packed.arithmetic import Concatenate
from saiten.model.engines.packed.operation import CONSTANT, STEP
from saiten.model.engines.packed.pooling import StepSoftmax
from saiten.model.engines.packed.stepwise import Activation, Dense, Normalize, Scale, Softmax
from saiten.model.engines.packing.composed import as_row, attention, dot, prelu, unit_normalization
from saiten.model.engines.packing.packer import FEATURES, ONE, STEPS, Layer, Packer, Value
from saiten.model.engines.packing.recurrent_layers import pack_recurrent

# What is not covered of several outputs is None.
Convert = Callable[[Packer, Layer, Sequence[Value]], Sequence[Value | None]]


def activate(packer: Packer, layer: Layer, value: Value, activation: Any) -> Value:
    """Returns a value behind an activation, as a layer's config names it: a string, or a layer's config."""
    if isinstance(activation, Mapping):
        inner = Layer(layer.title, str(activation.get("class_name")), activation.get("config") or {}, ())
        convert = LAYERS.get(inner.class_name) if inner.class_name in _ACTIVATION_LAYERS else None
        if convert is None:
            raise layer.refuse(f"has an activation of its own, {inner.class_name}")
        (activated,) = convert(packer, inner, [value])
        assert activated is not None
        return activated
    name = {None: "linear", "swish": "silu", "hard_swish": "hard_silu"}.get(activation, activation)
    if name in ("softmax", "log_softmax"):
        return softmax(packer, layer, value, -1, log=name == "log_softmax")
    if name in _BY_NAME:
        return value if name == "linear" else packer.apply(Activation(name, _BY_NAME[name]), value)
    raise layer.refuse(f"has the activation {str(activation)!r:.60}, which is not covered")


def softmax(packer: Packer, layer: Layer, value: Value, axis: Any, *, log: bool = False) -> Value:
    """Returns a softmax along an axis by Keras' number: over each row's features, or over each text's steps."""
    name = value.axis(axis)
    if name == FEATURES:
        return packer.apply(Softmax(log), value)
    if name == STEPS and value.shape.per == STEP and not log:
        return packer.apply(StepSoftmax(), value)
    raise layer.refuse("is no softmax over features or steps")


# What an activation's name alone stands for, with Keras' number for it.
_BY_NAME = {name: {"celu": 1.0, "leaky_relu": 0.2}.get(name, 0.0) for name in ACTIVATIONS} | {"gelu": 0.0}
_ACTIVATION_LAYERS = ("LeakyReLU", "ReLU", "ELU", "Softmax", "Activation")


def _embedding(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    if len(layer.weights) != 1:
        raise layer.refuse("has more weights than its vectors")
    return [packer.looked_up(inputs[0], layer.weights[0].astype(np.float32))]


def _dense(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    value = as_row(inputs[0])
    if len(layer.weights) != 1 + bool(layer.config.get("use_bias")) or value.axes[-1:] != (FEATURES,):
        raise layer.refuse("has other weights than a kernel and a bias, or reads no features")
    kernel = layer.weights[0]
    bias = layer.weights[1] if layer.config.get("use_bias") else np.zeros(kernel.shape[1], np.float32)
    product = packer.apply(Dense(kernel.astype(np.float32), bias.astype(np.float32)), value)
    return [activate(packer, layer, product, layer.config.get("activation"))]


def _activation(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    return [activate(packer, layer, inputs[0], layer.config.get("activation"))]


def _leaky_relu(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    return [packer.apply(Activation("leaky_relu", float(layer.config["negative_slope"])), inputs[0])]


def _elu(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    if float(layer.config["alpha"]) != 1:
        raise layer.refuse(f"has alpha {layer.config['alpha']}; only 1 is covered")
    return [packer.apply(Activation("elu"), inputs[0])]


def _relu(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    config = layer.config
    slope, most = float(config.get("negative_slope") or 0), config.get("max_value")
    if config.get("threshold") or (slope and most is not None):
        raise layer.refuse("has a threshold, or a slope and a largest value")
    value = packer.apply(Activation("leaky_relu", slope), inputs[0])
    return [value if most is None else packer.combine("minimum", value, packer.constant(float(most)))]


def _softmax(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    return [softmax(packer, layer, inputs[0], layer.config.get("axis"))]


def _batch_normalization(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    (value,), config = inputs, layer.config
    axis = config["axis"][0] if isinstance(config["axis"], list) else config["axis"]
    if axis not in (-1, len(value.axes)) or config.get("renorm") or value.axes[-1:] != (FEATURES,):
        raise layer.refuse("normalizes another axis than the features")
    weights = [weight.astype(np.float64) for weight in layer.weights]
    gamma = weights.pop(0) if config["scale"] else np.ones(value.shape.width)
    beta = weights.pop(0) if config["center"] else np.zeros(value.shape.width)
    mean, variance = weights
    factors = gamma / np.sqrt(variance + float(config["epsilon"]))
    return [packer.apply(Scale(factors, beta - mean * factors), value)]


def _layer_normalization(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    (value,), config = inputs, layer.config
    axis = config["axis"] if isinstance(config["axis"], list) else [config["axis"]]
    is_plain = layer.class_name == "LayerNormalization" and not config.get("rms_scaling")
    if axis not in ([-1], [len(value.axes)]) or value.axes[-1:] != (FEATURES,) or config.get("rms_scaling"):
        raise layer.refuse("normalizes another axis than the features, or by another rule")
    weights = [weight.astype(np.float64) for weight in layer.weights]
    gamma = weights.pop(0) if config.get("scale", True) else np.ones(value.shape.width)
    beta = weights.pop(0) if is_plain and config["center"] else np.zeros(value.shape.width)
    return [packer.apply(Normalize(gamma, beta, float(config["epsilon"]), is_plain), value)]


def _rescaling(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    scale, offset = layer.config["scale"], layer.config["offset"]
    if not isinstance(scale, int | float) or not isinstance(offset, int | float):
        raise layer.refuse("has more than one scale and one offset")
    width = inputs[0].shape.width
    return [packer.apply(Scale(np.full(width, float(scale)), np.full(width, float(offset))), inputs[0])]


def _pooling(how: str) -> Convert:
    def convert(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
        (value,) = inputs
        if value.axes != (STEPS, FEATURES) or layer.config.get("data_format") not in (None, "channels_last"):
            raise layer.refuse("pools another axis than the steps")
        axes = (ONE, FEATURES) if layer.config.get("keepdims") else (FEATURES,)
        return [packer.pool(how, value, axes)]

    return convert


def _merge(how: str) -> Convert:
    def convert(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
        if len({value.axes for value in inputs}) > 1:
            raise layer.refuse("merges tensors of different dimensions")
        if how == "average":
            share = packer.constant(1 / len(inputs))
            return [packer.combine("multiply", packer.combine("add", *inputs), share)]
        return [packer.combine(how, *inputs)]

    return convert


def _concatenate(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    inputs = [as_row(value) for value in inputs]
    axes = {value.axes for value in inputs}
    if len(axes) > 1 or layer.config["axis"] not in (-1, len(inputs[0].axes)) or inputs[0].axes[-1:] != (FEATURES,):
        raise layer.refuse("joins another axis than the features")
    return [packer.apply(Concatenate(), *inputs)]


def _flatten(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    (value,) = inputs
    if value.axes == (STEPS, FEATURES) and value.shape.width == 1:
        return [value.renamed((STEPS,))]
    if value.shape.per == STEP or value.shape.per == CONSTANT:
        raise layer.refuse("makes features of steps")
    return [value.renamed((FEATURES,))]


def _reshape(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """What stays as it is: a text's row with or without a dimension of 1 before it, a number each step."""
    (value,) = inputs
    shape = list(layer.config["target_shape"])
    if shape == [-1] and value.axes == (STEPS, FEATURES) and value.shape.width == 1:
        return [value.renamed((STEPS,))]
    axes = {1: (FEATURES,), 2: (ONE, FEATURES)}.get(len(shape))
    if (
        value.shape.per == STEP
        or axes is None
        or shape[-1] not in (-1, value.shape.width)
        or shape[:-1] not in ([], [1])
    ):
        raise layer.refuse("gives more than a row a text")
    return [value.renamed(axes)]


def _same(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    return [inputs[0]]


def _recurrent(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value | None]:
    (value,) = inputs
    if value.axes != (STEPS, FEATURES):
        raise layer.refuse("reads no sequence of features")
    return pack_recurrent(packer, layer, value)


LAYERS: Mapping[str, Convert] = {
    "Embedding": _embedding,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "SimpleRNN": _recurrent,
    "RNN": _recurrent,
    "Bidirectional": _recurrent,
    "Dense": _dense,
    "Activation": _activation,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "ReLU": _relu,
    "Softmax": _softmax,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _layer_normalization,
    "Rescaling": _rescaling,
    "GlobalAveragePooling1D": _pooling("average"),
    "GlobalMaxPooling1D": _pooling("maximum"),
    "Add": _merge("add"),
    "Subtract": _merge("subtract"),
    "Multiply": _merge("multiply"),
    "Average": _merge("average"),
    "Maximum": _merge("maximum"),
    "Minimum": _merge("minimum"),
    "Concatenate": _concatenate,
    "Attention": attention,
    "AdditiveAttention": attention,
    "Dot": dot,
    "PReLU": prelu,
    "UnitNormalization": unit_normalization,
    "Flatten": _flatten,
    "Reshape": _reshape,
    **dict.fromkeys(
        (
            "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization",
            "Masking", "Identity",
        ),
        _same,
    ),
}  # fmt: skip
