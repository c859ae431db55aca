"""Each function of TensorFlow that is converted computes in Keras 3 what TensorFlow's own does."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from saiten.model.errors import BundleError
from saiten.model.keras_models.older.keras2_config import to_keras3
from saiten.model.keras_models.older.tensorflow_functions import _FUNCTIONS
from saiten.model.keras_models.saved_config import check_classes

X, Y = ["x", 0, 0], ["y", 0, 0]
LAST = {"axis": -1}
BY_STEPS = {"axis": 1, "keepdims": True}

# Each with its first argument and the others; "x" is from 0.1 to 1, "y" of both signs.
CALLS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    **{f"math.{name}": (X, {"y": Y, "name": None}) for name in (
        "add", "subtract", "multiply", "truediv", "divide", "divide_no_nan", "pow", "maximum", "minimum", "equal",
        "not_equal", "greater", "greater_equal", "less", "less_equal", "floordiv", "floormod", "mod",
    )},
    **{f"math.{name}": (X, {}) for name in (
        "abs", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "tanh", "negative", "reciprocal", "sign", "sin", "cos",
        "floor", "ceil", "round", "expm1", "erf", "sigmoid", "softplus", "log_sigmoid",
    )},
    **{f"nn.{name}": (Y, {}) for name in (
        "relu", "relu6", "selu", "silu", "swish", "elu", "leaky_relu", "gelu", "softmax", "log_softmax", "softsign",
    )},
    **{f"math.reduce_{name}": (Y, BY_STEPS) for name in (
        "sum", "mean", "max", "min", "prod", "std", "variance", "logsumexp",
    )},
    **{f"math.logical_{name}": (["x > 0.5", 0, 0], {"y": ["y > 0", 0, 0]}) for name in ("and", "or")},
    "math.logical_not": (["y > 0", 0, 0], {}),
    "math.reduce_any": (["y > 0", 0, 0], {"axis": -1}),
    "math.reduce_all": (["y > 0", 0, 0], {"axis": [1, 2]}),
    "math.l2_normalize": (Y, {**LAST, "epsilon": 1e-12}),
    "math.count_nonzero": (Y, {"axis": 1, "keepdims": False}),
    "math.cumsum": (Y, {"axis": 1}),
    "compat.v1.div": (X, {"y": Y}),
    "compat.v1.div_no_nan": (X, {"y": 0.0}),
    "__operators__.add": (["_CONSTANT_VALUE", -1, 1.0], {"y": Y}),
    "__operators__.eq": (X, {"y": Y}),
    "__operators__.ne": (X, {"y": 0}),
    "__operators__.getitem": (
        X, {"slice_spec": [{"class_name": "__ellipsis__"}, None, {"start": 1, "stop": None, "step": None}]}
    ),
    "cast": (Y, {"dtype": "int32"}),
    "stop_gradient": (X, {}),
    "expand_dims": (X, {"axis": 2}),
    "compat.v1.squeeze": (["x[:, :, :1]", 0, 0], {"axis": -1, "name": None}),
    "concat": ([[*X, LAST], [*Y, LAST]], LAST),
    "stack": ([[*X, {"axis": 1}], [*Y, {"axis": 1}]], {"axis": 1}),
    "where": (["y > 0", 0, 0], {"x": X, "y": -1e9}),
    "ones_like": (X, {}),
    "zeros_like": (X, {}),
    "clip_by_value": (Y, {"clip_value_min": -0.5, "clip_value_max": 0.5}),
    "transpose": (X, {"perm": [0, 2, 1]}),
    "reshape": (X, {"shape": [-1, 12]}),
    "linalg.matmul": (X, {"b": ["z", 0, 0], "transpose_a": False}),
}  # fmt: skip

_GENERATOR = np.random.default_rng(0)
TENSORS = {
    "x": _GENERATOR.uniform(0.1, 1, (2, 4, 3)).astype(np.float32),
    "y": _GENERATOR.normal(0, 1, (2, 4, 3)).astype(np.float32),
    "z": _GENERATOR.normal(0, 1, (2, 3, 5)).astype(np.float32),
}
TENSORS |= {"x > 0.5": TENSORS["x"] > 0.5, "y > 0": TENSORS["y"] > 0, "x[:, :, :1]": TENSORS["x"][:, :, :1]}


def older_model(named: str, first: Any, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a model of one function, as Keras 2 writes it."""
    node = [*first, keywords] if isinstance(first[0], str) else first
    function = {
        "class_name": "TFOpLambda",
        "config": {"name": "made", "trainable": True, "dtype": "float32", "function": named},
        "name": "made",
        "inbound_nodes": [node],
    }
    read = [name for name in TENSORS if f"'{name}'" in str(node)]
    inputs = [
        {
            "class_name": "InputLayer",
            "config": {"name": name, "batch_input_shape": [None, *TENSORS[name].shape[1:]]},
            "name": name,
            "inbound_nodes": [],
        }
        for name in read
    ]
    settings = {"name": "model", "layers": [*inputs, function], "output_layers": [["made", 0, 0]]}
    return {"class_name": "Functional", "config": {**settings, "input_layers": [[name, 0, 0] for name in read]}}


def built(config: dict[str, Any]) -> Any:
    for layer in config["config"]["layers"]:  # inputs of Keras 2 are of one kind, these of several
        if layer["class_name"] == "InputLayer":
            layer["config"]["dtype"] = str(TENSORS[layer["config"]["name"]].dtype)
    check_classes("the file", config)
    return keras.models.Model.from_config(config["config"])


def by_tensorflow(named: str, first: Any, keywords: Mapping[str, Any]) -> Any:
    def resolved(node: Any) -> Any:
        if isinstance(node, list) and node and isinstance(node[0], str):
            return node[2] if node[0] == "_CONSTANT_VALUE" else tf.constant(TENSORS[node[0]])
        return [resolved(item) for item in node] if isinstance(node, list) else node

    if named == "__operators__.getitem":
        return TENSORS["x"][..., None, 1:]
    operators = {"__operators__.add": "add", "__operators__.eq": "equal", "__operators__.ne": "not_equal"}
    function = reduce(getattr, operators.get(named, named).split("."), tf)
    return function(resolved(first), **{name: resolved(value) for name, value in keywords.items()})


@pytest.mark.parametrize("named", CALLS)
def test_a_function_computes_what_tensorflow_computes(named: str) -> None:
    first, keywords = CALLS[named]
    model = built(to_keras3(older_model(named, first, keywords)))
    tensors = [TENSORS[tensor.name] for tensor in model.inputs]
    found = model(tensors if len(tensors) > 1 else tensors[0])
    expected = np.asarray(by_tensorflow(named, first, keywords))
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found, np.float64), np.asarray(expected, np.float64), atol=1e-6)


@pytest.mark.parametrize("numbers", [[1.0, 2.0, 3.0], [[1], [2], [3], [4]]])
def test_a_list_of_numbers_is_an_array(numbers: Any) -> None:
    """Such as what classes stand for, of which the average is asked."""
    model = built(to_keras3(older_model("math.multiply", X, {"y": numbers, "name": None})))
    found = model([TENSORS[tensor.name] for tensor in model.inputs])
    np.testing.assert_allclose(found, TENSORS["x"] * np.array(numbers, np.float32), rtol=1e-6)


def test_each_entry_is_tried() -> None:
    assert {named.split(".")[-1] for named in CALLS} == set(_FUNCTIONS)


@pytest.mark.parametrize(
    ("named", "first", "keywords", "said"),
    [
        ("py_function", X, {}, "py_function of TensorFlow, which"),
        ("math.cumsum", X, {"axis": 1, "exclusive": True}, "math.cumsum of TensorFlow with exclusive=True, which"),
        ("linalg.matmul", X, {"b": Y, "transpose_b": True}, "linalg.matmul of TensorFlow with transpose_b=True, which"),
        ("reshape", X, {"shape": [Y, 4]}, "reshape of TensorFlow with a setting that is computed or unknown, which"),
        ("cast", X, {"dtype": "string"}, "cast of TensorFlow with a setting that is computed or unknown, which"),
        ("math.multiply", X, {"y": [X, Y]}, "math.multiply of TensorFlow with a list of tensors, which"),
        ("where", ["y > 0", 0, 0], {}, "where of TensorFlow without all that it reads, which"),
    ],
)
def test_what_is_not_converted_is_refused_by_name(named: str, first: Any, keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(BundleError) as caught:
        to_keras3(older_model(named, first, keywords))
    assert str(caught.value) == (
        f"The older model's layer made (TFOpLambda) is the function {said} is not converted; put a layer of Keras in "
        "its place, or build it with Keras 3 and take the weights over."
    )
