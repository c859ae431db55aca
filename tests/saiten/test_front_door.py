"""The public names: what they cost, that type checkers see them, and that their examples are true."""

import ast
import doctest
import inspect
import os
import pathlib
import re
import subprocess
import sys

import pytest

import saiten
from saiten.model.bundle.bundle import StoredBundle

ROOT = pathlib.Path(__file__).parents[2]
HEAVY = ("apache_beam", "tensorflow", "keras", "pyarrow", "numpy", "numba", "gensim", "msgspec")
WITH_EXAMPLES = ("Bundle", "ScoreTexts", "load", "read_dead_letters", "read_scores", "score_files")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_public_name_are_true(name: str, workplace: pathlib.Path) -> None:
    import apache_beam

    public = getattr(saiten, name)
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    for test in doctest.DocTestFinder().find(public, name, globs={"saiten": saiten, "beam": apache_beam}):
        runner.run(test)
    assert (runner.tries > 0, runner.failures) == (True, 0)


def test_no_other_public_name_has_an_example() -> None:
    """It would be tried nowhere."""
    documents = {name: inspect.getdoc(getattr(saiten, name)) or "" for name in saiten.__all__}
    assert [name for name, document in documents.items() if ">>> " in document] == sorted(WITH_EXAMPLES)


def test_importing_it_is_quick_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, time\n"
        "began = time.process_time()\n"
        "import saiten\n"
        "print(time.process_time() - began)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    secs, heavy = subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()
    assert heavy == "[]"
    assert float(secs) < 0.2


def test_scoring_in_this_process_imports_neither_beam_nor_tensorflow(tiny_bundle: StoredBundle) -> None:
    program = (
        "import saiten, sys\n"
        "print(saiten.load(sys.argv[1]).score(['良い。']).shape)\n"
        "print([name for name in ('apache_beam', 'tensorflow', 'keras') if name in sys.modules])\n"
    )
    said = subprocess.check_output([sys.executable, "-c", program, str(tiny_bundle.path)], text=True)
    assert said == "(1, 2)\n[]\n"


def test_every_public_name_is_there_and_no_other_is_promised() -> None:
    assert saiten.__all__ == sorted(saiten.__all__)
    assert set(saiten.__all__) <= set(dir(saiten))
    assert [name for name in saiten.__all__ if getattr(saiten, name).__doc__ is None] == []
    with pytest.raises(AttributeError, match="module 'saiten' has no attribute 'score'"):
        saiten.score  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_what_is_imported_when_it_is_used() -> None:
    tree = ast.parse(pathlib.Path(saiten.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imported = {
        node.module: tuple(alias.name for alias in node.names)
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
    }
    assert imported == saiten._MODULES
    assert sorted(name for names in imported.values() for name in names) == saiten.__all__


USER_FILE = """
from pathlib import Path
import saiten

bundle = saiten.load(Path("bundles") / "reviews", engine="packed")
reveal_type(bundle)
reveal_type(bundle.outputs)
reveal_type(bundle.score(["text"]))
reveal_type(bundle.explain("text").tokens[0].token_id)
run = saiten.score_files(input="a", bundle="b", output="c", workers=2)
reveal_type(run.counts.scored)
reveal_type(saiten.TextScore("text", "scored", {}, 1, 0, False).scores)
try:
    saiten.read_scores(Path("runs"))
except saiten.BundleError as error:
    reveal_type(error.exit_code)
"""
REVEALED = [
    "saiten.pipelines.library.bundle.Bundle",
    "tuple[str, ...]",
    "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.floating[numpy._typing._nbit_base._32Bit]]]",
    "int | None",
    "int",
    "dict[str, float] | None",
    "int",
]
MISTAKES = {
    "saiten.scoer_files": 'Module has no attribute "scoer_files"',
    'saiten.score_files(input="a", bundle="b", output="c", worker=2)': 'Unexpected keyword argument "worker"',
    'saiten.load("b").score(1)': 'Argument 1 to "score" of "Bundle" has incompatible type "int"',
}


def mypy(file: pathlib.Path) -> list[str]:
    """What mypy says of a file of somebody who has installed Saiten: nothing of what is wrong within that."""
    installed = file.parent / "installed" / "saiten"
    if not installed.exists():
        installed.mkdir(parents=True)
        for path in [*(ROOT / "saiten").iterdir(), ROOT / "model", ROOT / "pipelines"]:
            (installed / path.name).symlink_to(path)
    options = ["--strict", "--config-file=", "--follow-imports=silent", f"--cache-dir={ROOT / '.mypy_cache' / 'user'}"]
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(file)],
        env={**os.environ, "MYPYPATH": str(installed.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout.splitlines()


@pytest.mark.thorough
def test_a_users_file_is_checked_strictly(tmp_path: pathlib.Path) -> None:
    (tmp_path / "user.py").write_text(USER_FILE, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("\n".join(["import saiten", *MISTAKES]) + "\n", encoding="utf-8")
    said = mypy(tmp_path / "user.py")
    assert [re.findall('note: Revealed type is "(.*)"', line) for line in said[:-1]] == [[type_] for type_ in REVEALED]
    assert said[-1] == "Success: no issues found in 1 source file"
    errors = [line for line in mypy(tmp_path / "wrong.py") if " error: " in line]
    assert len(errors) == len(MISTAKES)
    for line, mistake in zip(errors, MISTAKES.values(), strict=True):
        assert mistake in line
