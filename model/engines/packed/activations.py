"""Elementwise functions by Keras' names, for single and double precision.

To add one: an entry of `ACTIVATIONS`. `tests/engines` compares every entry with Keras.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from saiten.model.compiled import compiled

Floats = npt.NDArray[Any]

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@compiled(fast=False)
def _erf(values: Floats, result: Floats) -> None:
    for i in range(values.size):
        result.flat[i] = math.erf(values.flat[i])


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def _elu(x: Floats, alpha: float = 1.0) -> Floats:
    return np.asarray(_relu(x) + alpha * np.expm1(np.minimum(x, 0)))


def _gelu(x: Floats) -> Floats:
    result = np.empty_like(x)
    _erf(np.ascontiguousarray(x * np.sqrt(0.5).astype(x.dtype)), result)
    return np.asarray(0.5 * x * (1 + result))


def _gelu_by_tanh(x: Floats) -> Floats:
    return np.asarray(0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))))


def _softplus(x: Floats) -> Floats:
    return np.asarray(_relu(x) + np.log1p(np.exp(-np.abs(x))))


def _hard_sigmoid(x: Floats) -> Floats:
    return np.asarray(np.clip(x + 3, 0, 6) / 6)


def _leaky_relu(x: Floats, slope: float) -> Floats:
    return np.where(x > 0, x, slope * x)


# Each takes the values and the one number that some of them have, such as the slope of leaky_relu.
ACTIVATIONS: Mapping[str, Callable[[Floats, float], Floats]] = {
    "linear": lambda x, _: x,
    "abs": lambda x, _: np.abs(x),
    "celu": lambda x, alpha: np.asarray(_relu(x) + alpha * np.expm1(np.minimum(x, 0) / alpha)),
    "elu": lambda x, _: _elu(x),
    "exponential": lambda x, _: np.exp(x),
    "gelu": lambda x, _: _gelu(x),
    "gelu_by_tanh": lambda x, _: _gelu_by_tanh(x),
    "hard_sigmoid": lambda x, _: _hard_sigmoid(x),
    "hard_silu": lambda x, _: x * _hard_sigmoid(x),
    "hard_tanh": lambda x, _: np.clip(x, -1, 1),
    "leaky_relu": _leaky_relu,
    "log": lambda x, _: np.log(x),
    "log1p": lambda x, _: np.log1p(x),
    "log_sigmoid": lambda x, _: -_softplus(-x),
    "mish": lambda x, _: x * np.tanh(_softplus(x)),
    "negative": lambda x, _: -x,
    "relu": lambda x, _: _relu(x),
    "relu6": lambda x, _: np.clip(x, 0, 6),
    "rsqrt": lambda x, _: 1 / np.sqrt(x),
    "selu": lambda x, _: _SELU_SCALE * _elu(x, _SELU_ALPHA),
    "sigmoid": lambda x, _: _sigmoid(x),
    "silu": lambda x, _: x * _sigmoid(x),
    "softplus": lambda x, _: _softplus(x),
    "softsign": lambda x, _: x / (1 + np.abs(x)),
    "sqrt": lambda x, _: np.sqrt(x),
    "square": lambda x, _: np.square(x),
    "squareplus": lambda x, _: (x + np.sqrt(np.square(x) + 4)) / 2,
    "tanh": lambda x, _: np.tanh(x),
    "tanh_shrink": lambda x, _: x - np.tanh(x),
}
