"""How Numba compiles the kernels of all rooms: once a machine, for its processor."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be regrouped and fused; NaN and infinities must stay what they are, to become dead letters.
_FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}


def compiled(fast: bool, *, inlined: bool = False) -> Callable[[Function], Function]:
    """Compiles for this processor, keeping the machine code on disk where that can be written.

    Numba takes kept code for its own while size and date of the function's file are the same. An upgrade
    can leave those as they are, and may change a function of another file that was inlined, so the name
    that the code is kept by says what all of it was compiled from.

    Args:
        fast: Sums may be regrouped.
        inlined: A part of other kernels, which makes no array. As a call of its own a small function that takes many
            arrays spends its time on handing them over and counting who holds them.
    """

    def compile_function(function: Function) -> Function:
        options = {"nogil": True, "error_model": "numpy", "fastmath": _FAST_MATH if fast else False}
        if inlined:
            options |= {"forceinline": True, "_nrt": False}
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
