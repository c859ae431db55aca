"""What puts several tensors or operations together: attention, products of two tensors, norms, logarithms of sums."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saiten.model.engines.packed.arithmetic import ColumnSum
from saiten.model.engines.packed.operation import STEP
from saiten.model.engines.packed.pooling import AdditiveAttention, Attention
from saiten.model.engines.packed.stepwise import Activation, Dense, Scale
from saiten.model.engines.packing.packer import FEATURES, ONE, STEPS, Layer, Packer, Value
from saiten.model.text.ragged import DoubleArray

# Of UnitNormalization and of Dot(normalize=True); `keras.ops.normalize` has its own.
_UNIT_EPSILON, _OPS_EPSILON = 1e-12, 1e-7
_SEQUENCE, _ROW = (STEPS, FEATURES), (FEATURES,)


def as_row(value: Value) -> Value:
    """Returns a number for each text that has a dimension of its own as the row of one feature that it is."""
    return value.renamed(_ROW) if value.axes == (ONE,) else value


def constant_of(node: Any) -> DoubleArray | None:
    """Returns the array that a saved graph holds, or None where it is none."""
    if isinstance(node, Mapping) and node.get("class_name") in ("__tensor__", "__numpy__"):
        return np.asarray(node["config"]["value"], np.float64)
    return None


def weighted_sum(packer: Packer, weights: Value, values: Value) -> Value:
    """Returns each text's sum of its steps, [steps, features], weighted by a number each, [steps]."""
    return packer.pool("sum", packer.combine("multiply", values, weights, axes=_SEQUENCE), _ROW)


def unit_length(packer: Packer, value: Value, epsilon: float = _UNIT_EPSILON) -> Value:
    """Returns each row divided by its length, or by epsilon where that is more."""
    squares = packer.apply(ColumnSum(), packer.apply(Activation("square"), value))
    length = packer.combine("maximum", packer.apply(Activation("sqrt"), squares), packer.constant(epsilon))
    return packer.combine("divide", value, length, axes=value.axes)


def normalize(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    """`keras.ops.normalize`."""
    (value,), epsilon = arguments, layer.config.get("epsilon")
    if value.axis(layer.config.get("axis")) != FEATURES or layer.config.get("order") != 2:
        raise layer.refuse("normalizes another axis than the features, or by another norm")
    return unit_length(packer, value, _OPS_EPSILON if epsilon is None else float(epsilon))


def unit_normalization(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """The layer."""
    (value,) = inputs
    if value.axis(layer.config.get("axis")) != FEATURES:
        raise layer.refuse("normalizes another axis than the features")
    return [unit_length(packer, value)]


def log_sum_exp(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    """`keras.ops.logsumexp` over the steps, a soft maximum."""
    (value,) = arguments
    if value.axis(layer.config.get("axis")) != STEPS or value.shape.per != STEP:
        raise layer.refuse("goes along another axis than the steps")
    rest = value.axes[1:]
    most = packer.pool("maximum", value, rest)
    powers = packer.apply(Activation("exponential"), packer.combine("subtract", value, most, axes=value.axes))
    total = packer.apply(Activation("log"), packer.pool("sum", powers, rest))
    return packer.combine("add", total, most, axes=(ONE, *rest) if layer.config.get("keepdims") else rest)


def attention(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """`Attention` and `AdditiveAttention`: of each step to all of its text."""
    config = layer.config
    query, value, *rest = inputs
    key = rest[0] if rest else value
    if config.get("score_mode", "dot") != "dot" or any(v.axes != _SEQUENCE for v in (query, key, value)):
        raise layer.refuse("scores otherwise than by a product of two sequences")
    if layer.class_name == "AdditiveAttention":
        scales = layer.weights[0].astype(np.float64) if config.get("use_scale") else np.ones(query.shape.width)
        return [packer.apply(AdditiveAttention(scales), query, key, value)]
    scale = float(layer.weights[0]) if config.get("use_scale") else 1.0
    return [packer.apply(Attention(scale), query, key, value)]


def prelu(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """A slope for each feature below 0."""
    (value,), (slopes,) = inputs, layer.weights
    if value.axes[-1:] != _ROW or slopes.shape != (*(1,) * (len(value.axes) - 1), value.shape.width):
        raise layer.refuse("has slopes for something else than the features")
    zero, factors = packer.constant(0.0), slopes.reshape(-1).astype(np.float64)
    below = packer.apply(Scale(factors, np.zeros(len(factors))), packer.combine("minimum", value, zero))
    return [packer.combine("add", packer.combine("maximum", value, zero), below)]


def dot(packer: Packer, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """The product of two rows, of a row with each step, or of each step with its weight."""
    first, second = inputs
    axes = layer.config["axes"]
    along = [
        value.axis(axis) for value, axis in zip(inputs, axes if isinstance(axes, list) else [axes] * 2, strict=True)
    ]
    found = (first.axes, second.axes)
    if along == [FEATURES, FEATURES] and _ROW in found and first.shape.width == second.shape.width:
        if layer.config.get("normalize"):
            first, second = unit_length(packer, first), unit_length(packer, second)
        longest = max(found, key=len)
        product = packer.combine("multiply", first, second, axes=longest)
        return [packer.apply(ColumnSum(), product, axes=longest[:-1] or _ROW)]
    if along == [STEPS, STEPS] and sorted(map(len, found)) == [1, 2] and not layer.config.get("normalize"):
        return [weighted_sum(packer, *sorted(inputs, key=lambda value: len(value.axes)))]
    raise layer.refuse("is no product of rows, of a row with steps, or of steps with a weight each")


def product_with_constant(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    """`keras.ops.matmul` of a tensor and of numbers, such as those that classes stand for."""
    value, numbers = arguments[0], constant_of(arguments[1])
    if not isinstance(value, Value) or numbers is None or numbers.ndim != 2 or value.axes[-1:] != _ROW:
        raise layer.refuse("is no product of features with numbers")
    return packer.apply(Dense(numbers.astype(np.float32), np.zeros(numbers.shape[1], np.float32)), value)
