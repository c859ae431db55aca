"""What the Numba kernels of scoring and training share: sigmoid, tanh, vector times matrix."""

import numpy as np

from saiten.model.compiled import compiled
from saiten.model.text.ragged import FloatArray

# exp(x) is 2**n * exp(r), and exp(r) - 1 - r is r**2 times a polynomial of r, 3e-9 from exact at most (found by least
# squares, reweighted until the largest difference was the smallest).
_LOG2_E, _LOG_2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
_C2, _C3, _C4, _C5, _C6 = (
    np.float32(value) for value in (0.50000001, 0.166665183, 0.0416662041, 0.00836895346, 0.0013950602)
)
_EXP_LIMIT = np.float32(87)
# Below it tanh is computed from exp(x) - 1, so that it is as exact as a small number can be.
_SMALL = np.float32(0.5)
_EXPONENT_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
ONE = np.float32(1)


@compiled(fast=True)
def _exp_of_negative(x: np.float32) -> tuple[np.float32, np.float32]:
    """Returns 2**n and 2**n * (exp(r) - 1), whose sum is exp(-x), of x from 0 on; a NaN stays one."""
    x = _EXP_LIMIT if x > _EXP_LIMIT else x  # noqa: FURB136 - min may drop a NaN; it passes a comparison unchanged
    n = np.float32(np.rint(x * _LOG2_E))
    r = n * _LOG_2 - x
    power = (((_C6 * r + _C5) * r + _C4) * r + _C3) * r + _C2
    scale = np.int32((_EXPONENT_BIAS - np.int32(n)) << _MANTISSA_BITS).view(np.float32)
    return scale, scale * (power * r * r + r)


# Both are at most one unit in the last place of 1 from exact, half a unit beyond 2, and not to one side: a gate that
# is open forgets a little at every step otherwise, and an LSTM adds it up. A loop over them is vectorised.


@compiled(fast=True)
def sigmoid(x: np.float32) -> np.float32:
    """Returns the logistic function."""
    scale, rest = _exp_of_negative(abs(x))
    power = scale + rest
    least = power / (ONE + power)
    return least if x < 0 else ONE - least


@compiled(fast=False)
def tanh(x: np.float32) -> np.float32:
    """Returns the hyperbolic tangent."""
    size = abs(x)
    scale, rest = _exp_of_negative(size + size)
    power = scale + rest
    is_small = size < _SMALL
    share = ((ONE - scale) - rest if is_small else power + power) / (ONE + power)
    return np.float32(np.copysign(share if is_small else ONE - share, x))


@compiled(fast=True)
def accumulate(sums: FloatArray, values: FloatArray, weights: FloatArray) -> None:
    """Adds ``values @ weights`` to sums, eight values at a time."""
    whole = values.shape[0] - values.shape[0] % 8
    for k in range(0, whole, 8):
        v0, v1, v2, v3 = values[k], values[k + 1], values[k + 2], values[k + 3]
        v4, v5, v6, v7 = values[k + 4], values[k + 5], values[k + 6], values[k + 7]
        for j in range(sums.shape[0]):
            first = v0 * weights[k, j] + v1 * weights[k + 1, j] + v2 * weights[k + 2, j] + v3 * weights[k + 3, j]
            last = v4 * weights[k + 4, j] + v5 * weights[k + 5, j] + v6 * weights[k + 6, j] + v7 * weights[k + 7, j]
            sums[j] += first + last
    for k in range(whole, values.shape[0]):
        for j in range(sums.shape[0]):
            sums[j] += values[k] * weights[k, j]
