"""Functions of TensorFlow in a Keras 2 model, by their names, as those of `keras.ops` that compute the same.

Keras 2 writes ``tf.not_equal(ids, 0)`` as a layer of its own, TFOpLambda, with the function's name and its arguments:
plain data, of which nothing is looked up in TensorFlow. To add one: its entry in `_FUNCTIONS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from saiten.model.errors import BundleError

TENSORFLOW_LAYERS = ("TFOpLambda", "SlicingOpLambda")
# What a call may be given beside; no part of what is computed.
_NAMES = ("name",)
_MODULES = ("math.", "nn.", "linalg.", "compat.v1.", "compat.v2.", "__operators__.", "")
_DTYPES = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float32", "int8": "int32",
           "int16": "int32", "int32": "int32", "int64": "int32", "uint8": "int32", "bool": "bool"}  # fmt: skip

Config = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """One function.

    Attributes:
        module: Of `keras.ops` where its class is.
        name: Of the class.
        tensors: What TensorFlow calls the tensors behind the first.
        settings: What Keras calls a setting, by TensorFlow's name for it.
        defaults: Settings as TensorFlow has them where none is said.
        ignored: Settings of TensorFlow that may be said, with the values that change nothing.
    """

    module: str
    name: str
    tensors: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ignored: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def _binary(name: str) -> Function:
    return Function("numpy", name, ("y",))


def _reduction(name: str, module: str = "numpy", **more: Any) -> Function:
    settings = {"axis": "axis", "keepdims": "keepdims"}
    return Function(module, name, (), settings, {"axis": None, "keepdims": False, **more})


_AXIS = {"axis": "axis"}
_OF_LAST = {"axis": -1}
_FUNCTIONS: Mapping[str, Function] = {
    **{name: _binary(kind) for name, kind in {
        "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "truediv": "TrueDivide", "divide": "TrueDivide",
        "div": "TrueDivide", "div_no_nan": "DivideNoNan", "divide_no_nan": "DivideNoNan", "pow": "Power",
        "maximum": "Maximum", "minimum": "Minimum", "equal": "Equal", "not_equal": "NotEqual", "greater": "Greater",
        "greater_equal": "GreaterEqual", "less": "Less", "less_equal": "LessEqual", "logical_and": "LogicalAnd",
        "logical_or": "LogicalOr", "floordiv": "FloorDivide", "floormod": "Mod", "mod": "Mod", "eq": "Equal",
        "ne": "NotEqual",
    }.items()},
    **{name: Function("numpy", kind) for name, kind in {
        "abs": "Absolute", "exp": "Exp", "log": "Log", "log1p": "Log1p", "sqrt": "Sqrt", "square": "Square",
        "tanh": "Tanh", "negative": "Negative", "reciprocal": "Reciprocal", "sign": "Sign", "sin": "Sin", "cos": "Cos",
        "floor": "Floor", "ceil": "Ceil", "round": "Round", "logical_not": "LogicalNot", "expm1": "Expm1",
    }.items()},
    **{name: Function("nn", kind) for name, kind in {
        "sigmoid": "Sigmoid", "relu": "Relu", "relu6": "Relu6", "selu": "Selu", "silu": "Silu", "swish": "Silu",
        "softplus": "Softplus", "softsign": "Softsign", "log_sigmoid": "LogSigmoid",
    }.items()},
    "rsqrt": Function("math", "Rsqrt"),
    "erf": Function("math", "Erf"),
    "elu": Function("nn", "Elu", defaults={"alpha": 1.0}),
    "leaky_relu": Function("nn", "LeakyRelu", (), {"alpha": "negative_slope"}, {"negative_slope": 0.2}),
    "gelu": Function("nn", "Gelu", (), {"approximate": "approximate"}, {"approximate": False}),
    "softmax": Function("nn", "Softmax", (), _AXIS, _OF_LAST),
    "log_softmax": Function("nn", "LogSoftmax", (), _AXIS, _OF_LAST),
    "l2_normalize": Function(
        "nn", "Normalize", (), {**_AXIS, "dim": "axis"}, {"axis": -1, "order": 2, "epsilon": 1e-6},
        {"epsilon": (1e-12,)},
    ),
    "reduce_sum": _reduction("Sum"),
    "reduce_mean": _reduction("Mean"),
    "reduce_max": _reduction("Max", initial=None),
    "reduce_min": _reduction("Min", initial=None),
    "reduce_prod": _reduction("Prod", dtype=None),
    "reduce_any": _reduction("Any"),
    "reduce_all": _reduction("All"),
    "reduce_std": _reduction("Std"),
    "reduce_variance": _reduction("Var"),
    "reduce_logsumexp": _reduction("Logsumexp", "math"),
    "count_nonzero": Function(
        "numpy", "CountNonzero", (), _AXIS, {"axis": None}, {"keepdims": (False,), "dtype": ("int64", "int32")}
    ),
    "cumsum": Function("numpy", "Cumsum", (), _AXIS, {"axis": 0}, {"exclusive": (False,), "reverse": (False,)}),
    "cast": Function("core", "Cast", (), {"dtype": "dtype"}),
    "stop_gradient": Function("core", "StopGradient"),
    "expand_dims": Function("numpy", "ExpandDims", (), _AXIS),
    "squeeze": Function("numpy", "Squeeze", (), _AXIS, {"axis": None}),
    "concat": Function("numpy", "Concatenate", (), _AXIS),
    "stack": Function("numpy", "Stack", (), _AXIS, {"axis": 0}),
    "where": Function("numpy", "Where", ("x", "y")),
    "ones_like": Function("numpy", "OnesLike", (), {}, {"dtype": None}),
    "zeros_like": Function("numpy", "ZerosLike", (), {}, {"dtype": None}),
    "clip_by_value": Function("numpy", "Clip", (), {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "transpose": Function("numpy", "Transpose", (), {"perm": "axes"}, {"axes": None}, {"conjugate": (False,)}),
    "reshape": Function("numpy", "Reshape", (), {"shape": "newshape"}),
    "matmul": Function(
        "numpy", "Matmul", ("b",), {}, {},
        dict.fromkeys(("transpose_a", "transpose_b", "adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"), (False,)),
    ),
    "getitem": Function("numpy", "GetItem", ("slice_spec",)),
}  # fmt: skip


def convert_function(layer: Mapping[str, Any], title: str, tensor_of: Callable[[Sequence[Any]], Config]) -> Config:
    """Returns a function of TensorFlow, as Keras 2 writes it, as the function of `keras.ops` that computes the same.

    Args:
        layer: A TFOpLambda or SlicingOpLambda with its only call.
        title: What it is called in messages.
        tensor_of: From what Keras 2 writes for a tensor, ``[layer, node, output]``, to what Keras 3 does.

    Raises:
        BundleError: The function, or what it is called with, is not converted.
    """
    named = str(layer["config"].get("function"))
    function, title = _FUNCTIONS.get(_short(named)), f"{title} is the function {named:.40} of TensorFlow"
    nodes = layer.get("inbound_nodes") or []
    if function is None or len(nodes) != 1:
        raise _refusal(title)
    first, said = _call(nodes[0], tensor_of)
    arguments = [first, *(said.pop(name) for name in function.tensors if name in said)]
    settings = dict(function.defaults)
    for name, value in said.items():
        if name in function.settings:
            settings[function.settings[name]] = value
        elif name not in _NAMES and value is not None and value not in function.ignored.get(name, ()):
            raise _refusal(f"{title} with {name:.20}={value!s:.20}")
    if function.name == "Cast":
        settings["dtype"] = _DTYPES.get(str(settings.get("dtype")))
    elif function.name == "GetItem":
        arguments[1] = _slices(arguments[1])
    elif function.name not in ("Concatenate", "Stack"):
        arguments = [_numbers(argument) for argument in arguments]
    _refuse_computed(title, function, arguments, settings)
    return {
        "module": f"keras.src.ops.{function.module}",
        "class_name": function.name,
        "config": {"name": layer["config"]["name"], **settings},
        "registered_name": function.name,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }


def _call(node: Sequence[Any], tensor_of: Callable[[Sequence[Any]], Config]) -> tuple[Any, dict[str, Any]]:
    """Returns the first argument, a tensor, a list of them or a number, and the others by name."""

    def resolved(value: Any) -> Any:
        if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int:
            return value[2] if value[0] == "_CONSTANT_VALUE" else tensor_of(value)
        if isinstance(value, Mapping):
            return {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    head = node if isinstance(node[0], str) else node[0]
    return resolved(list(node)), resolved(dict(head[3])) if len(head) > 3 else {}


def _refuse_computed(title: str, function: Function, arguments: Sequence[Any], settings: Mapping[str, Any]) -> None:
    """Refuses what lacks a tensor, and settings that are none of the file's: computed, or not known."""
    if len(arguments) != 1 + len(function.tensors):
        raise _refusal(f"{title} without all that it reads")
    rows = arguments if function.name in ("Concatenate", "Stack") else [[value] for value in arguments]
    if function.name != "GetItem" and any(isinstance(item, list) for row in rows for item in row):
        raise _refusal(f"{title} with a list of tensors")
    is_unknown = function.name == "Cast" and settings["dtype"] is None
    if is_unknown or _has_tensor(settings) or (function.name == "GetItem" and _has_tensor(arguments[1])):
        raise _refusal(f"{title} with a setting that is computed or unknown")


def _short(named: str) -> str:
    """Returns a function's name without its module, of which TensorFlow has several for one function."""
    return next(named.removeprefix(module) for module in _MODULES if named.startswith(module))


def _refusal(what: str) -> BundleError:
    return BundleError(
        f"The older model's {what}, which is not converted; put a layer of Keras in its place, or build it with Keras "
        "3 and take the weights over."
    )


def _numbers(node: Any) -> Any:
    """Returns an argument; a list of numbers, or of lists of them, as the array that it is."""
    rows = node if isinstance(node, list) and node and all(isinstance(row, list) for row in node) else [node]
    if all(isinstance(row, list) and row and all(isinstance(item, int | float) for item in row) for row in rows):
        return {"class_name": "__numpy__", "config": {"value": node, "dtype": "float32"}}
    return node


def _slices(node: Any) -> Any:
    """Returns what stands in brackets behind a tensor; Keras 2 writes a slice as a dict, and ``...`` as a class."""
    if isinstance(node, Mapping) and set(node) == {"start", "stop", "step"}:
        return {"class_name": "__slice__", "config": dict(node)}
    if isinstance(node, Mapping) and node.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return [_slices(item) for item in node] if isinstance(node, list) else node


def _has_tensor(node: Any) -> bool:
    if isinstance(node, Mapping):
        return node.get("class_name") == "__keras_tensor__" or any(map(_has_tensor, node.values()))
    return isinstance(node, list) and any(map(_has_tensor, node))
