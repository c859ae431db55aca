"""What is installed: one package and the command, and no more than scoring needs."""

import importlib.metadata
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.transforms.environments import EmbeddedPythonEnvironment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.run.owner import write_owner
from saiten.pipelines.steps.pipeline import build as build_pipeline
from tests.helpers.scoring import rows, score, stop_when_planned

ROOT = pathlib.Path(__file__).parents[2]

# Not among the base requirements: the extras `keras`, `train` and `dev` bring them.
EXTRAS = ("tensorflow", "keras", "h5py", "gensim", "scipy", "matplotlib", "hypothesis", "pytest")


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_scoring_works_where_only_the_base_requirements_are_installed(
    tiny_bundle: StoredBundle, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "texts.txt").write_text("とても美味しい。\n\n", encoding="utf-8")
    hide = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS}))"  # None there makes an import fail
    result = run(
        f"{hide}; from saiten.pipelines.commands.main import main; sys.exit(main())",
        *("score", f"--input={tmp_path / 'texts.txt'}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'run'}"),
    )
    assert result.returncode == 0, result.stderr
    assert pq.read_table(tmp_path / "run/scores")["status"].to_pylist() == ["scored", "empty"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of this one: building writes into it."""
    copy = tmp_path_factory.mktemp("packaging") / "checkout"
    copy.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    for name in ("saiten", "model", "pipelines", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: pathlib.Path) -> pathlib.Path:
    """The wheel of the source distribution, which so holds all that a wheel is made of."""
    sdist = build("sdist", checkout)
    with tarfile.open(sdist) as archive:
        archive.extractall(checkout.parent, filter="data")
    return build("wheel", checkout.parent / sdist.name.removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def for_workers(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """An environment with what Beam makes of `--setup_file`, as it installs it on a worker; its Python."""
    folder = tmp_path_factory.mktemp("worker")
    command = [sys.executable, "setup.py", "-q", "sdist", f"--dist-dir={folder}"]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (sdist,) = folder.glob("saiten-*.tar.gz")
    return install(folder / "environment", str(sdist))


def build(kind: str, source: pathlib.Path) -> pathlib.Path:
    program = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    folder = source.parent / "dist"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=source, capture_output=True, text=True, check=True
    )
    return folder / ended.stdout.splitlines()[-1]


def install(folder: pathlib.Path, *what: str) -> pathlib.Path:
    """Makes an environment with this and with all packages of the one that the tests run in; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    site = pathlib.Path(
        subprocess.check_output([python, "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip()
    )
    # A folder that a .pth names is searched, but its own .pth files are not read: the checkout is not there.
    (site / "below.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, *what], check=True)
    return python


def test_the_wheel_holds_one_name_and_the_command(checkout: pathlib.Path, wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        scripts = next(archive.read(name) for name in archive.namelist() if name.endswith("/entry_points.txt"))
    sources = [path for folder in ("saiten", "model", "pipelines") for path in (checkout / folder).rglob("*")]
    files = {path.relative_to(checkout).as_posix() for path in sources if path.is_file()}
    assert names == {name if name.startswith("saiten/") else f"saiten/{name}" for name in files}
    assert {"saiten/py.typed", "saiten/pipelines/score.py", "saiten/model/text/tokenizer.py"} < names
    assert scripts.decode().split() == ["[console_scripts]", "saiten", "=", "saiten.pipelines.commands.main:console"]


@pytest.mark.thorough
def test_the_wheel_alone_scores_and_adds_no_other_name(
    wheel: pathlib.Path, tiny_bundle: StoredBundle, reviews: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    python = install(tmp_path / "environment", str(wheel))
    assert places(python, tmp_path) == [str(tmp_path / "environment"), "None", "None"]
    said = subprocess.check_output([python.with_name("saiten"), "--version"], cwd=tmp_path, text=True)
    assert said.splitlines()[0] == f"saiten {wheel.name.split('-')[1]}"
    flags = [f"--input={reviews}", f"--bundle={tiny_bundle.path}", f"--output={tmp_path / 'out'}"]
    subprocess.run([python, "-m", "saiten.pipelines.score", *flags], cwd=tmp_path, check=True, capture_output=True)
    assert len(rows(tmp_path / "out")) == 5


def test_an_editable_install_is_the_checkout_and_adds_no_other_name(
    checkout: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    python = install(tmp_path / "environment", "--editable", str(checkout))
    assert places(python, tmp_path) == [str(checkout), "None", "None"]


def places(python: pathlib.Path, cwd: pathlib.Path) -> list[str]:
    """Where the package and its folders are imported from, and what `model` and `pipelines` are outside of it."""
    program = (
        "import importlib.util, os, saiten.model.errors, saiten.pipelines.local.worker as worker\n"
        "paths = [saiten.model.errors.__file__, worker.__file__]\n"
        "print(os.path.commonpath(paths).removesuffix('/saiten').partition('/lib/')[0])\n"
        "for name in ('model', 'pipelines'): print(importlib.util.find_spec(name))\n"
    )
    return subprocess.check_output([python, "-P", "-c", program], cwd=cwd, text=True).splitlines()


def test_the_lock_names_no_index_and_pins_every_package_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert [line for line in lock.splitlines() if "://" in line or line.startswith("-")] == []
    packages = lock.replace("\\\n", " ").splitlines()
    unpinned = [
        line for line in packages if not line.startswith("#") and not ("==" in line and "--hash=sha256:" in line)
    ]
    assert unpinned == []


@pytest.mark.parametrize("extra", ["gcp", "aws"])
def test_what_the_extras_for_a_cloud_bring_fits_the_locks_versions(extra: str) -> None:
    """The workers' image installs both at once: what the lock has must be what Beam's extra takes."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line.removesuffix("\\").strip()) for line in lines if line[:1].isalnum()]
    wanted = [Requirement(each) for each in importlib.metadata.requires("apache-beam") or ()]
    of_extra = {
        canonicalize_name(each.name): each.specifier
        for each in wanted
        if each.marker and each.marker.evaluate({"extra": extra}) and not each.marker.evaluate({"extra": ""})
    }
    assert of_extra
    misfits = [
        str(each)
        for each in pinned
        for version in (next(iter(each.specifier)).version,)
        if version not in of_extra.get(canonicalize_name(each.name), SpecifierSet())
    ]
    assert misfits == []


@pytest.mark.thorough
def test_every_step_unpickles_and_scores_where_only_the_source_distribution_is_installed(
    for_workers: pathlib.Path,
    tiny_bundle: StoredBundle,
    reviews: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a worker of another machine: nothing of the launcher's is there but the pipeline's description."""
    planned = stop_when_planned(monkeypatch)
    assert score(tiny_bundle, reviews, tmp_path / "out") == 1
    write_owner(planned[0].commit.run.output, planned[0].commit.run.token)
    pipeline = beam.Pipeline()
    build_pipeline(pipeline, planned[0])
    proto = pipeline.to_runner_api(default_environment=EmbeddedPythonEnvironment.default())
    (tmp_path / "pipeline").write_bytes(proto.SerializeToString())
    program = (
        "import sys\n"
        "from apache_beam.internal import pickler\n"
        "from apache_beam.options.pipeline_options import PipelineOptions\n"
        "from apache_beam.portability.api import beam_runner_api_pb2 as api\n"
        "from apache_beam.runners.portability.fn_api_runner import FnApiRunner\n"
        "proto = api.Pipeline.FromString(open(sys.argv[1], 'rb').read())\n"
        "for step in proto.components.transforms.values():\n"
        "    if step.spec.urn == 'beam:transform:pardo:v1':\n"
        "        dofn = api.ParDoPayload.FromString(step.spec.payload).do_fn\n"
        "        if dofn.urn == 'beam:dofn:pickled_python_info:v1':\n"
        "            print(type(pickler.loads(dofn.payload)[0]).__module__)\n"
        "FnApiRunner().run_via_runner_api(proto, PipelineOptions([])).wait_until_finish()\n"
    )
    command = [for_workers, "-P", "-c", program, str(tmp_path / "pipeline")]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    ours = {name for name in said.stdout.split() if name.startswith("saiten.")}
    assert ours == {f"saiten.pipelines.steps.{name}" for name in ("read", "encode", "write", "commit")}
    assert len(rows(tmp_path / "out")) == 5
