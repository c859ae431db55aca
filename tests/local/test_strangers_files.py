"""A folder full of files named like everything that is imported: neither launcher nor workers execute one of them."""

import pathlib
import subprocess
import sys

import pytest

from saiten.model.bundle.bundle import StoredBundle
from tests.helpers.scoring import rows

# All that a run imports, in the launcher or in a worker.
IMPORTED = (
    "import sys\n"
    "from saiten.pipelines.commands.main import main\n"
    "assert main(['score', '--workers=1', '--quiet', *sys.argv[1:]]) == 0\n"
    "import apache_beam.runners.worker.sdk_worker_main, saiten.pipelines.local.worker\n"
    "print(*{name.partition('.')[0] for name in sys.modules if sys.modules[name]})\n"
)
# What Python has looked for, in the folder where the person stands first, before `python -m` comes to the module.
OF_PYTHON_M = "import runpy, sys; print(*{name.partition('.')[0] for name in sys.modules})"
FURTHER = {"model", "pipelines", "saiten", "sitecustomize", "usercustomize", "tensorflow", "pymongo", "scipy"}


def names_of(program: str, *arguments: str) -> set[str]:
    command = [sys.executable, "-c", program, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    "start", ["saiten score", pytest.param("python -m saiten.pipelines.score", marks=pytest.mark.thorough)]
)
@pytest.mark.thorough
def test_nobody_executes_what_lies_in_the_folder_where_the_person_stands(
    tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path, start: str
) -> None:
    flags = [f"--input={reviews}", f"--bundle={tiny_bundle.path}"]
    names = {*names_of(IMPORTED, *flags, f"--output={tmp_path / 'first'}"), *sys.stdlib_module_names, *FURTHER}
    command = [str(pathlib.Path(sys.executable).with_name("saiten")), "score"]
    if start != "saiten score":
        command = [sys.executable, "-m", "saiten.pipelines.score"]
        names -= {*names_of(OF_PYTHON_M), "saiten"}
    assert names >= {"json", "typing", "numba", "apache_beam", "grpc", "model", "pipelines", "pyarrow", "MeCab"}
    folder, executed = tmp_path / "folder", tmp_path / "executed"
    for i, name in enumerate(sorted(names)):
        stranger = folder / f"{name}.py" if i % 2 else folder / name / "__init__.py"
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text(f"open({str(executed)!r}, 'a').write(__file__ + '\\n')\n")
    ended = subprocess.run(
        [*command, *flags, "--output=here", "--workers=2", "--quiet"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not executed.exists(), executed.read_text()
    assert (ended.returncode, ended.stderr.count("\n")) == (0, 1), ended.stderr
    assert (folder / "here" / "_SUCCESS").exists()
    assert len(rows(folder / "here")) == 5
