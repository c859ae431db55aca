"""Imports go one way, and what is heavy is imported only where it is used."""

import ast
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

ROOT = pathlib.Path(__file__).parents[1]
MODULES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): ast.parse(path.read_text(encoding="utf-8"))
    for package in ("model", "pipelines")
    for path in (ROOT / package).glob("*.py")
}


def imports(node: ast.AST, *, at_top: bool) -> Iterator[str]:
    """Yields the modules that are imported: at the module's top level, or anywhere but for type checking."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            submodules = [f"{module}.{alias.name}" for alias in child.names]
            yield from (name for name in submodules if name in MODULES)
            yield module
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        elif not (at_top and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from imports(child, at_top=at_top)


def packages(module: str, *, at_top: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(MODULES[module], at_top=at_top)}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("model.")])
def test_the_model_knows_neither_beam_nor_the_pipelines(module: str) -> None:
    assert not packages(module) & {"apache_beam", "pipelines"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("pipelines.")])
def test_pipelines_never_import_gensim_and_tensorflow_never_at_the_top(module: str) -> None:
    assert "gensim" not in packages(module)
    assert not packages(module, at_top=True) & {"tensorflow", "keras"}


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {name: set(imports(tree, at_top=True)) & MODULES.keys() for name, tree in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(MODULES)


def test_the_commands_names_and_flags_cost_no_heavy_import() -> None:
    program = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "for command in ('train', 'score', 'bundle', 'validate', 'inspect', 'explain'):\n"
        "    try: main([command, '--help'])\n"
        "    except SystemExit as end: assert not end.code\n"
        "heavy = {'apache_beam', 'numpy', 'pyarrow', 'tensorflow', 'keras', 'numba', 'gensim', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_the_look_at_imports_sees_them() -> None:
    assert "apache_beam" in packages("pipelines.score", at_top=True)
    assert "tensorflow" in packages("model.keras_engine", at_top=True)
