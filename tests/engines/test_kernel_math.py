"""What the kernels share: functions as exact as single precision is, and machine code that is kept."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from saiten.model.compiled import compiled
from saiten.model.engines.kernel_math import sigmoid, tanh
from saiten.model.text.ragged import FloatArray

MATH = """
from saiten.model.compiled import compiled

FACTOR = {factor}

@compiled(fast={fast})
def twice(x):
    return x {operator} FACTOR
"""
KERNEL = """
from mathematics import twice
from saiten.model.compiled import compiled

@compiled(fast=False)
def kernel(x):
    return twice(x) + 1

print(kernel(3.0), sum(kernel.stats.cache_hits.values()))
"""


def run_in(folder: pathlib.Path, *, factor: str = "2.0", operator: str = "*", fast: bool = False) -> str:
    """Runs the kernel after its mathematics changed, with size and date of its own file as they were."""
    (folder / "mathematics.py").write_text(MATH.format(factor=factor, operator=operator, fast=fast), encoding="utf-8")
    (folder / "kernel.py").write_text(KERNEL, encoding="utf-8")
    for name in ("mathematics.py", "kernel.py"):
        path = folder / name
        os.utime(path, (1_600_000_000, 1_600_000_000))
    command = [sys.executable, "-B", "-c", "import kernel"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.thorough
def test_an_inlined_function_that_changed_is_compiled_anew(tmp_path: pathlib.Path) -> None:
    assert run_in(tmp_path) == "7.0 0"
    assert run_in(tmp_path) == "7.0 1"
    assert run_in(tmp_path, operator="/") == "2.5 0"
    assert run_in(tmp_path, factor="4.0") == "13.0 0"
    assert run_in(tmp_path, fast=True) == "7.0 0"


@pytest.mark.parametrize(
    ("module", "inlined"),
    [
        ("engines.packed.kernels", "accumulate_"),
        ("engines.packed.general_kernels", "accumulate_"),
        ("text.segmenter.search", "find_words_"),
    ],
)
def test_the_same_code_has_the_same_name_in_every_process(module: str, inlined: str) -> None:
    program = f"import saiten.model.{module} as m; print([getattr(v, '__qualname__', '') for v in vars(m).values()])"
    once, again = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(2)
    )
    assert once.stdout == again.stdout
    assert inlined in once.stdout


@compiled(fast=True)
def both(values: FloatArray, sigmoids: FloatArray, tangents: FloatArray) -> None:
    for i in range(values.shape[0]):
        sigmoids[i] = sigmoid(values[i])
        tangents[i] = tanh(values[i])


@pytest.mark.parametrize(
    ("least", "most", "allowed"), [(0, 1e-3, 6.8e-8), (0, 2, 9e-8), (2, 8, 4.8e-8), (8, 20, 3.1e-8), (20, 1e30, 3.1e-8)]
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_gate_is_as_exact_as_single_precision_and_leans_to_no_side(
    least: float, most: float, allowed: float, sign: int
) -> None:
    """An error of one sign adds up over a text's steps: a gate that is open forgets a little at each."""
    values = sign * np.linspace(least, most, 100_000).astype(np.float32)
    found = np.empty((2, len(values)), np.float32)
    both(values, *found)
    with np.errstate(over="ignore"):
        exact = np.array([1 / (1 + np.exp(-values.astype(np.float64))), np.tanh(values.astype(np.float64))])
    errors = found - exact
    assert np.abs(errors).max() <= allowed
    assert np.abs(errors.mean(axis=1)).max() <= 5e-9
    # Near 0 the tangent is exact as a small number is.
    assert (np.abs(errors[1]) <= 2.5e-7 * np.abs(exact[1])).all()


def test_a_hole_stays_one() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0], np.float32)
    found = np.empty((2, 4), np.float32)
    both(values, *found)
    np.testing.assert_array_equal(found, np.array([[np.nan, 1, found[0, 2], 0.5], [np.nan, 1, -1, 0]], np.float32))
    assert 0 <= found[0, 2] < 1e-37
