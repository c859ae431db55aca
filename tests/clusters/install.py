"""What the engines need, brought from package registries into `build/engines` once, and kept there."""

import hashlib
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.clusters.processes import BUILD, ClusterError

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = pathlib.Path(__file__).parent / "programs"

# Beam's runner is made for one minor version of Flink: both change together.
FLINK_VERSION = "1.19.3"
FLINK_MINOR = FLINK_VERSION.rpartition(".")[0]
# The newest whose jars the registry serves; it takes jobs of the Python SDK that requirements.lock pins.
JOB_SERVER_VERSION = "2.62.0"
_FLINK_SHA256 = "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60"
# Flink without its table API, its CEP and Scala.
_FLINK_JARS = ("flink-dist-", "log4j-")

_TOOLS = {
    "java": "a Java 17 runtime (Debian: openjdk-17-jre-headless)",
    "mvn": "Maven (Debian: maven), which brings Beam's job server",
    "go": "Go 1.25 or newer, which builds Beam's Prism and the Pub/Sub emulator",
}
_TRIES = 3


def missing_tools(*names: str) -> list[str]:
    """Returns what this machine lacks, by name and with what brings it."""
    return [f"{name}: {_TOOLS[name]}" for name in names if shutil.which(name) is None]


def install_flink() -> tuple[pathlib.Path, pathlib.Path]:
    """Brings Flink and Beam's job server.

    Returns:
        The folder of Flink's jars and that of the job server's one.

    Raises:
        ClusterError: The machine lacks a tool, or a registry did not give what was asked for.
    """
    _refuse_missing("java", "mvn")
    flink, beam = BUILD / f"flink-{FLINK_VERSION}", BUILD / f"job-server-{JOB_SERVER_VERSION}-{FLINK_MINOR}"
    if not flink.is_dir():
        _unpack_flink(flink)
    if not beam.is_dir():
        partial = _emptied(beam)
        versions = [f"-Dflink.minor={FLINK_MINOR}", f"-Dbeam.version={JOB_SERVER_VERSION}"]
        _run(["mvn", "-q", "-B", "-f", str(PROGRAMS / "pom.xml"), *versions, f"-Djar.folder={partial}", "package"])
        partial.rename(beam)
    return flink, beam


def install_worker() -> pathlib.Path:
    """Installs Saiten as a worker has it: its source distribution, alone in an environment, at the locked versions.

    Returns:
        The environment's folder; it is made anew when the sources change.

    Raises:
        ClusterError: It cannot be built or installed.
    """
    environment, stamp = BUILD / "worker", BUILD / "worker" / "stamp"
    wanted = f"{_digest(ROOT / 'requirements.lock')} {_digest_of_sources()} {environment}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return environment
    constraints = BUILD / "constraints.txt"
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text("\n".join(locked_versions()))
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation"]
    locked = [*pip, "--constraint", str(constraints)]
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(environment)])
        _run([*locked, "setuptools", "wheel"])  # what builds unidic-lite and Saiten itself
    sdist = str(_build_sdist())
    # Beside it what its extra for Google Cloud brings to read a subscription.
    _run([*locked, sdist, "google-cloud-pubsub"])
    _run([*pip, "--force-reinstall", "--no-deps", sdist])  # its version is the same whatever is in it
    stamp.write_text(wanted)
    return environment


def install_prism() -> pathlib.Path:
    """Builds Beam's Prism, of the version of the Python SDK; returns the program."""
    _refuse_missing("go")
    version = importlib.metadata.version("apache-beam")
    program = BUILD / f"prism-{version}" / "prism"
    if not program.is_file():
        _run(
            ["go", "install", f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{version}"], {"GOBIN": str(program.parent)}
        )
    return program


def install_pubsub() -> pathlib.Path:
    """Builds the emulator of Pub/Sub; returns the program."""
    _refuse_missing("go")
    program = BUILD / "pubsub" / "pubsub"
    _run(["go", "build", "-o", str(program), "."], folder=PROGRAMS / "pubsub")
    return program


def _build_sdist() -> pathlib.Path:
    """Makes the source distribution as `--setup_file` does."""
    folder = _emptied(BUILD / "sdist")
    egg = _emptied(BUILD / "egg")
    _run([sys.executable, "setup.py", "-q", "egg_info", f"--egg-base={egg}", "sdist", f"--dist-dir={folder}"])
    return next(folder.glob("saiten-*.tar.gz"))


def locked_versions() -> list[str]:
    """Returns the lock as constraints: hashes would ask for one of each package, also of what is built here."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [line.removesuffix("\\").strip() for line in lines if line[:1].isalnum()]


def _unpack_flink(folder: pathlib.Path) -> None:
    """Takes Flink's jars out of the Python package that brings them, without installing it."""
    downloads, partial = _emptied(BUILD / "downloads"), _emptied(folder)
    package = [f"apache-flink-libraries=={FLINK_VERSION}", "--no-binary=:all:", "--no-deps", "--no-build-isolation"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *package, f"--dest={downloads}"])
    archive = next(downloads.glob("*.tar.gz"))
    if _digest(archive) != _FLINK_SHA256:
        raise ClusterError(f"{archive.name} has another sha256 than the one that was tried: {_digest(archive)}")
    with tarfile.open(archive) as packed:
        for member in packed:
            name = pathlib.PurePath(member.name).name
            content = packed.extractfile(member) if name.startswith(_FLINK_JARS) and name.endswith(".jar") else None
            if content:
                with (partial / name).open("wb") as jar:
                    shutil.copyfileobj(content, jar)
    shutil.rmtree(downloads)
    partial.rename(folder)


def _refuse_missing(*names: str) -> None:
    missing = missing_tools(*names)
    if missing:
        raise ClusterError(f"this machine lacks {'; '.join(missing)}")


def _emptied(folder: pathlib.Path) -> pathlib.Path:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_sources() -> str:
    sources = [
        ROOT / "setup.py",
        *(path for room in ("saiten", "model", "pipelines") for path in (ROOT / room).rglob("*.*")),
    ]
    digests = [f"{path} {_digest(path)}" for path in sorted(sources) if path.suffix != ".pyc"]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _run(command: Sequence[str], environment: Mapping[str, str] = {}, folder: pathlib.Path = ROOT) -> None:
    """Runs a command that may have to try again: registries are not always there at once."""
    for attempt in range(_TRIES):
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        if attempt == _TRIES - 1:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise ClusterError(f"{' '.join(command[:4])} … failed: {' | '.join(lines[-4:])}")


def main() -> int:
    """Brings everything, and says by name what this machine lacks for it."""
    missing = missing_tools(*_TOOLS)
    for line in missing:
        print(f"test-engines: this machine lacks {line}.", file=sys.stderr)
    if missing:
        return 1
    # Side by side: some wait for a registry while others build.
    with ThreadPoolExecutor() as pool:
        brought = list(pool.map(_bring, (install_flink, install_worker, install_prism, install_pubsub)))
    return 0 if all(brought) else 1


def _bring(install: Callable[[], object]) -> bool:
    name, began = install.__name__.removeprefix("install_"), time.monotonic()
    try:
        install()
    except ClusterError as error:
        print(f"test-engines: {name}: {error}.", file=sys.stderr)
        return False
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
