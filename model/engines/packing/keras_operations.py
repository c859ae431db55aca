"""Functions of `keras.ops`, as a saved graph holds them, as operations of the packed engine: an entry each.

To add one: a function from the packer, the function's name and settings and what it reads to what it gives,
and its entry in `FUNCTIONS`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from saiten.model.engines.packed.arithmetic import ColumnSum, Combine, Concatenate
from saiten.model.engines.packed.operation import CONSTANT, STEP
from saiten.model.engines.packed.stepwise import Activation
from saiten.model.engines.packing.composed import (
    as_row,
    constant_of,
    log_sum_exp,
    normalize,
    product_with_constant,
    weighted_sum,
)
from saiten.model.engines.packing.keras_layers import softmax
from saiten.model.engines.packing.packer import FEATURES, ONE, STEPS, Layer, Packer, Value
from saiten.model.engines.packing.slicing import get_item

Convert = Callable[[Packer, Layer, Sequence[Any]], Value]


def _value(packer: Packer, argument: Any) -> Value:
    """Returns a tensor, or the constant that a number is, or a row of numbers."""
    if isinstance(argument, Value):
        return argument
    row = constant_of(argument)
    if row is not None and row.size != row.shape[-1]:
        raise ValueError("more than a row of numbers")
    return packer.constant(float(argument) if row is None else row)


def _arithmetic(how: str) -> Convert:
    def convert(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
        values = [_value(packer, argument) for argument in arguments]
        if any(value.axes == (FEATURES,) for value in values if value.shape.per != CONSTANT):
            values = [as_row(value) for value in values]
        axes = [value.axes for value in values if value.shape.per != CONSTANT]
        # Keras adds [n, width] to [n, steps, width] as if texts were steps; with a dimension between it is meant.
        named = {tuple(STEPS if axis == ONE else axis for axis in found) for found in axes}
        if len(named) > 1:
            raise layer.refuse("combines tensors of different dimensions")
        longest = next((found for found in axes if STEPS in found), axes[0] if axes else (FEATURES,))
        if longest[-1] != FEATURES and any(value.shape.width > 1 for value in values):
            raise layer.refuse("combines steps with a row of numbers")
        return packer.combine(how, *values, axes=longest)

    return convert


def _elementwise(name: str, number: str | None = None) -> Convert:
    def convert(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
        setting = float(layer.config[number]) if number else 0.0
        return packer.apply(Activation(name, setting), _value(packer, arguments[0]))

    return convert


def _gelu(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    name = "gelu_by_tanh" if layer.config.get("approximate", True) else "gelu"
    return packer.apply(Activation(name), arguments[0])


def _clip(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    least, most = (packer.constant(float(layer.config[name])) for name in ("x_min", "x_max"))
    return packer.combine("minimum", packer.combine("maximum", arguments[0], least), most)


def _softmax(log: bool) -> Convert:
    return lambda packer, layer, arguments: softmax(packer, layer, arguments[0], layer.config.get("axis"), log=log)


def _reduction(how: str) -> Convert:
    def convert(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
        (value,) = arguments
        axis, keepdims = value.axis(layer.config.get("axis")), bool(layer.config.get("keepdims"))
        if axis == STEPS and value.shape.per == STEP:
            rest = value.axes[1:]
            return packer.pool(how, value, (ONE, *rest) if keepdims else rest)
        if axis == FEATURES and how in ("sum", "average"):
            total = packer.apply(ColumnSum(), value, axes=value.axes if keepdims else value.axes[:-1])
            return total if how == "sum" else packer.combine("multiply", total, packer.constant(1 / value.shape.width))
        raise layer.refuse("goes along another axis than steps or features")

    return convert


def _count_nonzero(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    differs = packer.apply(Combine("not_equal"), arguments[0], packer.constant(0.0))
    return _reduction("sum")(packer, layer, [differs])


def _expand_dims(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    value: Value = arguments[0]
    axis = layer.config["axis"]
    place = axis - 1 if axis > 0 else len(value.axes) + axis + 1
    if place == len(value.axes) and FEATURES not in value.axes:
        return value.renamed((*value.axes, FEATURES))
    if place == 0 and value.axes == (FEATURES,):
        return value.renamed((ONE, FEATURES))
    raise layer.refuse("puts a dimension where the packed engine has none")


def _squeeze(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    value: Value = arguments[0]
    axis = value.axis(layer.config.get("axis"))
    if axis == ONE:
        return value.renamed(tuple(name for name in value.axes if name != ONE))
    if axis == FEATURES and value.shape.width == 1:
        return value.renamed(value.axes[:-1])
    raise layer.refuse("takes away a dimension that is more than 1")


def _concatenate(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    values = [as_row(value) for value in (arguments[0] if isinstance(arguments[0], list) else arguments)]
    if len({value.axes for value in values}) > 1 or values[0].axis(layer.config.get("axis")) != FEATURES:
        raise layer.refuse("joins another axis than the features")
    return packer.apply(Concatenate(), *values)


def _einsum(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    """The sum over the steps of two sequences' products, one of them without features, as attention is written."""
    subscripts = str(layer.config.get("subscripts", "")).replace(" ", "").replace("->", ",").split(",")
    if len(arguments) != 2 or len(subscripts) != 3:
        raise layer.refuse("is no sum over the steps of two sequences' products")
    (weights, first), (values, second) = sorted(zip(arguments, subscripts, strict=False), key=lambda pair: len(pair[1]))
    is_weighted_sum = (
        (weights.axes, values.axes) == ((STEPS,), (STEPS, FEATURES))
        and (len(set(second)), len(second)) == (3, 3)
        and (first, subscripts[2]) == (second[:2], second[0] + second[2])
    )
    if not is_weighted_sum:
        raise layer.refuse("is no sum over the steps of two sequences' products")
    return weighted_sum(packer, weights, values)


def _where(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    condition, *branches = arguments
    for number, branch in ((1.0, branches[0]), (0.0, branches[1])):
        if packer.is_all(condition, number):
            return _value(packer, branch)
    raise layer.refuse("chooses by something else than the mask")


def _logical(how: str) -> Convert:
    """Of truths, which are 1 and 0 here, `and` is the smaller and `or` the larger."""
    return _arithmetic({"and": "minimum", "or": "maximum"}[how])


def _not(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    return packer.apply(Combine("equal"), arguments[0], packer.constant(0.0))


def _any(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    (value,) = arguments
    if value.axis(layer.config.get("axis")) != FEATURES or layer.config.get("keepdims"):
        raise layer.refuse("goes along another axis than the features")
    return packer.apply(Combine("not_equal"), _reduction("sum")(packer, layer, arguments), packer.constant(0.0))


def _filled(number: float) -> Convert:
    def convert(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
        value = arguments[0]
        zeros = packer.apply(Combine("subtract"), value, value)
        return packer.apply(Combine("add"), zeros, packer.constant(number))

    return convert


def _full_like(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    return _filled(float(arguments[1]))(packer, layer, arguments)


def _same(packer: Packer, layer: Layer, arguments: Sequence[Any]) -> Value:
    return _value(packer, arguments[0])


FUNCTIONS: Mapping[str, Convert] = {
    **{name: _arithmetic(how) for name, how in {
        "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide",
        "Maximum": "maximum", "Minimum": "minimum", "Power": "power", "Equal": "equal", "NotEqual": "not_equal",
        "Greater": "greater", "GreaterEqual": "greater_equal", "Less": "less", "LessEqual": "less_equal",
    }.items()},
    **{name: _elementwise(how) for name, how in {
        "Absolute": "abs", "Abs": "abs", "Exp": "exponential", "Log": "log", "Log1p": "log1p", "Negative": "negative",
        "Relu": "relu", "Relu6": "relu6", "Rsqrt": "rsqrt", "Selu": "selu", "Sigmoid": "sigmoid", "Silu": "silu",
        "Softplus": "softplus", "Softsign": "softsign", "Sqrt": "sqrt", "Square": "square", "Tanh": "tanh",
        "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "HardTanh": "hard_tanh", "LogSigmoid": "log_sigmoid",
        "Mish": "mish", "TanhShrink": "tanh_shrink",
    }.items()},
    "LeakyRelu": _elementwise("leaky_relu", "negative_slope"),
    "Celu": _elementwise("celu", "alpha"),
    "Gelu": _gelu,
    "Clip": _clip,
    "Softmax": _softmax(log=False),
    "LogSoftmax": _softmax(log=True),
    "Sum": _reduction("sum"),
    "Mean": _reduction("average"),
    "Max": _reduction("maximum"),
    "Min": _reduction("minimum"),
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "GetItem": get_item,
    "CountNonzero": _count_nonzero,
    "Concatenate": _concatenate,
    "Einsum": _einsum,
    "Where": _where,
    "LogicalAnd": _logical("and"),
    "LogicalOr": _logical("or"),
    "LogicalNot": _not,
    "Any": _any,
    "FullLike": _full_like,
    "Logsumexp": log_sum_exp,
    "Matmul": product_with_constant,
    "Normalize": normalize,
    "OnesLike": _filled(1.0),
    "ZerosLike": _filled(0.0),
    "Cast": _same,
    "ConvertToTensor": _same,
    "StopGradient": _same,
    "Identity": _same,
}  # fmt: skip
