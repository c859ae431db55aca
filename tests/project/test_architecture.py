"""Imports go one way, from room to room, and what is heavy is imported only where it is used."""

import ast
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# From the ground up: a room imports from itself and from those before it.
ROOMS = (
    "model",
    "model.text",
    "model.keras_models",
    "model.engines",
    "model.bundle",
    "model.evaluation",
    "model.training",
    "pipelines",
    "pipelines.reading",
    "pipelines.statistics",
    "pipelines.run",
    "pipelines.comparison",
    "pipelines.reports",
    "pipelines.steps",
    "pipelines.local",
    "pipelines.streaming",
    "pipelines.commands",
    "pipelines.library",
    "saiten",
)
MOST_FILES, MOST_LINES = 14, 250


def sources() -> Iterator[pathlib.Path]:
    for package in ("saiten", "model", "pipelines"):
        yield from (ROOT / package).rglob("*.py")


def name_of(path: pathlib.Path) -> str:
    """The module's name: a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    whole = parts if parts[0] == "saiten" else ("saiten", *parts)
    return ".".join(whole[:-1] if whole[-1] == "__init__" else whole)


MODULES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def imports(node: ast.AST, *, at_top: bool = False) -> Iterator[str]:
    """Yields the modules that are imported, for type checking too; `at_top`: outside of functions and classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            submodules = [f"{module}.{alias.name}" for alias in child.names]
            found = [name for name in submodules if name in MODULES]
            yield from found
            if len(found) < len(submodules):
                yield module
        elif not (at_top and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)):
            if at_top and isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            yield from imports(child, at_top=at_top)


def packages(module: str, *, at_top: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(MODULES[module], at_top=at_top)}


def room_of(module: str) -> int:
    """The number of the room a module is in, with all rooms within that one; the entry point of the score pipeline is
    a command."""
    below = "pipelines.commands" if module == "saiten.pipelines.score" else module.removeprefix("saiten.")
    return max(
        (i for i, room in enumerate(ROOMS) if below == room or below.startswith(f"{room}.")),
        key=lambda i: len(ROOMS[i]),
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_from_itself_and_those_below(module: str) -> None:
    own = [name for name in imports(MODULES[module]) if name in MODULES]
    assert [name for name in own if room_of(name) > room_of(module)] == []


def test_modules_import_each_other_in_no_circle_types_included() -> None:
    graph = {name: set(imports(tree)) & MODULES.keys() - {name} for name, tree in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(MODULES)


def test_nothing_imports_the_folders_by_their_own_names() -> None:
    """`model` and `pipelines` are names that a thousand other projects have."""
    bare = {name for module in MODULES for name in packages(module) if name in ("model", "pipelines")}
    assert bare == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("saiten.model")])
def test_the_model_never_imports_beam(module: str) -> None:
    assert "apache_beam" not in packages(module)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("saiten.pipelines")])
def test_pipelines_never_import_gensim_and_tensorflow_never_at_the_top(module: str) -> None:
    assert "gensim" not in packages(module)
    assert not packages(module, at_top=True) & {"tensorflow", "keras"}


def test_no_room_is_crowded_and_no_file_long() -> None:
    rooms = {path.parent for path in [*sources(), *(ROOT / "tests").rglob("*.py")]}
    crowded = [path for path in rooms if len(list(path.glob("*.py"))) > MOST_FILES]
    crowded += [path for path in [ROOT / "scripts"] if sum(file.is_file() for file in path.iterdir()) > MOST_FILES]
    long = [path for path in sources() if path.read_text(encoding="utf-8").count("\n") > MOST_LINES]
    assert (crowded, long) == ([], [])


def test_the_commands_names_and_flags_cost_no_import_but_pythons_own() -> None:
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from saiten.pipelines.commands.main import COMMANDS, main\n"
        "for command in COMMANDS:\n"
        "    try: main([command, '--help'])\n"
        "    except SystemExit as end: assert not end.code\n"
        "found = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert found - set(sys.stdlib_module_names) == {'saiten'}, found\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_launcher_and_a_verdict_load_nothing_that_draws() -> None:
    """What draws is loaded where the report is written, by the process that commits."""
    program = (
        "import sys\n"
        "import saiten.pipelines.commands.score, saiten.pipelines.local.launch, saiten.pipelines.reports.verdict\n"
        "drawing = {'pygal', 'jinja2'} & set(sys.modules)\n"
        "assert not drawing, drawing\n"
        "import saiten.pipelines.reports.run_report\n"
        "assert 'pygal' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_the_look_at_imports_sees_them() -> None:
    assert "apache_beam" in packages("saiten.pipelines.steps.pipeline", at_top=True)
    assert "tensorflow" in packages("saiten.model.engines.keras_engine", at_top=True)
