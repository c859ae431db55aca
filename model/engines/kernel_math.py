"""What the Numba kernels of scoring and training share: how they are compiled, tanh, vector times matrix."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

from saiten.model.text.ragged import FloatArray

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be regrouped and fused; NaN and infinities must stay what they are, to become dead letters.
_FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}


def compiled(fast: bool) -> Callable[[Function], Function]:
    """Compiles for this processor, keeping the machine code on disk where that can be written.

    Numba takes kept code for its own while size and date of the function's file are the same. An upgrade
    can leave those as they are, and may change a function of another file that was inlined, so the name
    that the code is kept by says what all of it was compiled from.
    """

    def compile_function(function: Function) -> Function:
        options = {"nogil": True, "error_model": "numpy", "fastmath": _FAST_MATH if fast else False}
        function.__qualname__ = f"{function.__qualname__}_{_digest(function, fast)}"
        try:
            return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return numba.njit(**options)(function)  # type: ignore[no-any-return]

    return compile_function


def _digest(function: Callable[..., Any], fast: bool) -> str:
    """Returns a digest of a function's code, and of what it reads: constants, and other functions by their digests."""
    code = function.__code__
    read = [function.__globals__.get(name) for name in code.co_names]
    named = [getattr(value, "__qualname__", repr(value)) for value in read]
    content = (code.co_code, code.co_consts, code.co_names, named, sorted(_FAST_MATH) if fast else [])
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


# tanh as a ratio of polynomials, the one TensorFlow uses (Eigen, MathFunctionsImpl.h): 2 units in the last place.
_A1, _A3, _A5, _A7, _A9, _A11, _A13 = (
    np.float32(value)
    for value in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_B0, _B2, _B4, _B6 = (
    np.float32(value)
    for value in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
_TANH_LIMIT = np.float32(7.99881172180175781)
HALF = np.float32(0.5)
ONE = np.float32(1)


@compiled(fast=True)
def tanh(x: np.float32) -> np.float32:
    """Returns the hyperbolic tangent; a loop over it is vectorised."""
    # min and max may drop a NaN; it passes both comparisons unchanged.
    x = -_TANH_LIMIT if x < -_TANH_LIMIT else x  # noqa: FURB136
    x = _TANH_LIMIT if x > _TANH_LIMIT else x  # noqa: FURB136
    s = x * x
    p = ((((((_A13 * s + _A11) * s + _A9) * s + _A7) * s + _A5) * s + _A3) * s + _A1) * x
    q = ((_B6 * s + _B4) * s + _B2) * s + _B0
    return p / q


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
