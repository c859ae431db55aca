"""Kept machine code is used only for what it was compiled from."""

import os
import pathlib
import subprocess
import sys

import pytest

MATH = """
from saiten.model.engines.kernel_math import compiled

FACTOR = {factor}

@compiled(fast={fast})
def twice(x):
    return x {operator} FACTOR
"""
KERNEL = """
from mathematics import twice
from saiten.model.engines.kernel_math import compiled

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


def test_an_inlined_function_that_changed_is_compiled_anew(tmp_path: pathlib.Path) -> None:
    assert run_in(tmp_path) == "7.0 0"
    assert run_in(tmp_path) == "7.0 1"
    assert run_in(tmp_path, operator="/") == "2.5 0"
    assert run_in(tmp_path, factor="4.0") == "13.0 0"
    assert run_in(tmp_path, fast=True) == "7.0 0"


@pytest.mark.parametrize("module", ["engines.packed.kernels", "engines.packed.general_kernels"])
def test_the_same_code_has_the_same_name_in_every_process(module: str) -> None:
    program = f"import saiten.model.{module} as m; print([getattr(v, '__qualname__', '') for v in vars(m).values()])"
    once, again = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(2)
    )
    assert once.stdout == again.stdout
    assert "accumulate_" in once.stdout
