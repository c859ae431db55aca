"""What is installed: the two packages and the command, and no more than scoring needs."""

import pathlib
import shutil
import subprocess
import sys
import zipfile

import pyarrow.parquet as pq

from saiten.model.bundle.bundle import Bundle

ROOT = pathlib.Path(__file__).parents[2]

# Not among the base requirements: the extras `keras`, `train` and `dev` bring them.
EXTRAS = ("tensorflow", "keras", "h5py", "gensim", "scipy", "matplotlib", "hypothesis", "pytest")


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_scoring_works_where_only_the_base_requirements_are_installed(
    tiny_bundle: Bundle, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "texts.txt").write_text("とても美味しい。\n\n", encoding="utf-8")
    hide = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS}))"  # None there makes an import fail
    result = run(
        f"{hide}; from saiten.pipelines.commands.main import main; sys.exit(main())",
        *("score", f"--input={tmp_path / 'texts.txt'}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'run'}"),
    )
    assert result.returncode == 0, result.stderr
    assert pq.read_table(tmp_path / "run/scores")["status"].to_pylist() == ["scored", "empty"]


def test_the_wheel_holds_the_two_packages_and_the_command(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    for name in ("model", "pipelines"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(source)]
    subprocess.run([*command, f"--wheel-dir={tmp_path}"], check=True)
    with zipfile.ZipFile(next(tmp_path.glob("saiten-*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        scripts = next(wheel.read(name) for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert names == {
        path.relative_to(source).as_posix() for path in source.glob("*/*") if path.parent.name in ("model", "pipelines")
    }
    assert scripts.decode().split() == ["[console_scripts]", "saiten", "=", "saiten.pipelines.commands.main:console"]


def test_the_lock_names_no_index_and_pins_every_package_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert [line for line in lock.splitlines() if "://" in line or line.startswith("-")] == []
    packages = lock.replace("\\\n", " ").splitlines()
    unpinned = [
        line for line in packages if not line.startswith("#") and not ("==" in line and "--hash=sha256:" in line)
    ]
    assert unpinned == []
