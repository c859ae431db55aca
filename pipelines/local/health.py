"""What Saiten needs of a machine, tried rather than looked up: a library that is there may still not load."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from saiten.model.cores import available_cores
from saiten.model.errors import SaitenError, missing_library
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.versions import installed_version
from saiten.pipelines.startup import STORES, missing_clients

Level = Literal["good", "note", "bad"]

_SENTENCE = "すもももももももものうち"
_PROBE_SECS = 180.0
# docs/performance.md: the peak of a worker of the packed engine.
_WORKER_BYTES = 350 << 20
_LITTLE_DISK_BYTES = 2 << 30
_PYTHONS = ((3, 11), (3, 13))
_ANEW = "run ./scripts/setup in Saiten's checkout, or install its wheel anew: pip install --force-reinstall WHEEL"
CGROUP = pathlib.Path("/sys/fs/cgroup")
# What a process of its own tries, and says of its memory. A library that ends the process ends that one.
_PROGRAM = """
import resource, sys, importlib
from saiten.pipelines.quiet import quiet_libraries
quiet_libraries()
for name in sys.argv[1:]: importlib.import_module(name)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes:
        name: What.
        level: ``bad``: nothing can be scored; ``note``: something else than scoring is not possible, or slow.
        figure: What was found.
        remedy: What to do about it; ``""`` where nothing has to be done.
    """

    name: str
    level: Level
    figure: str
    remedy: str = ""


@dataclass(frozen=True)
class Part:
    """Something of Saiten that needs libraries.

    Attributes:
        name: What a person calls it.
        purpose: What it is for.
        modules: What is imported to try it.
        packages: Their versions are shown.
        extra: Brings them; None where Saiten itself does.
    """

    name: str
    purpose: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    extra: str | None = None


PARTS = (
    Part("Beam", "runs the pipeline", ("apache_beam", "pyarrow"), ("apache-beam", "pyarrow")),
    Part(
        "files, reports",
        "reads records, writes report.html",
        ("isal.igzip", "msgspec", "orjson", "xxhash", "jinja2", "pygal", "rich"),
        ("isal", "msgspec", "orjson", "xxhash", "jinja2", "pygal", "rich"),
    ),
    Part(
        "packed engine",
        "scores without TensorFlow",
        ("saiten.model.engines.packed.kernels",),
        ("numba", "numpy"),
    ),
    Part(
        "keras engine",
        "scores any model that masks its padding; checks bundles",
        ("tensorflow", "keras", "h5py"),
        ("tensorflow", "keras", "h5py"),
        "keras",
    ),
    Part("training", "word vectors", ("gensim", "scipy"), ("gensim", "scipy"), "train"),
    Part(
        "evaluation",
        "saiten evaluate, and train --baseline",
        ("sklearn.svm", "scipy.stats"),
        ("scikit-learn", "scipy"),
        "evaluate",
    ),
)


def examine(folder: str) -> Iterator[Diagnosis]:
    """Looks at everything, the quick things first.

    Args:
        folder: Where runs are to be written.
    """
    probes = [start_probe(part) for part in PARTS]
    try:
        yield judge_python(sys.version_info[:3])
        yield judge_dictionary("unidic-lite")
        for part, probe in zip(PARTS, probes, strict=True):
            yield judge_part(part, probe)
        yield judge_stores(missing_clients())
        yield judge_memory(available_memory(), available_cores())
        yield judge_disk(folder)
    finally:
        for probe in probes:
            probe.kill()
            probe.communicate()


def judge_python(version: tuple[int, ...]) -> Diagnosis:
    """Says whether Saiten is made for this Python."""
    shown = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}, {available_cores()} cores"
    if _PYTHONS[0] <= version[:2] <= _PYTHONS[1]:
        return Diagnosis("Python", "good", shown)
    return Diagnosis("Python", "bad", shown, "install Python 3.11, 3.12 or 3.13 and make the environment with that one")


def judge_dictionary(name: str) -> Diagnosis:
    """Segments a sentence."""
    try:
        tokenizer = Tokenizer(TokenizerConfig(dictionary=name))
        tokens = tokenizer.tokenize(_SENTENCE)
    except SaitenError as error:
        return Diagnosis("dictionary", "bad", name, str(error))
    return Diagnosis("dictionary", "good", f"{name} {tokenizer.dictionary.version}: {' '.join(tokens)}")


def judge_stores(missing: Mapping[str, str]) -> Diagnosis:
    """Says where files may lie; a store without its client is no fault: most people have none.

    Args:
        missing: The extra that brings its client, by the beginning of a store's paths.
    """
    stores = {store: f"{store} with the extra {missing[store]}" if store in missing else store for store in STORES}
    return Diagnosis("stores", "good", f"files of this machine; {'; '.join(stores.values())}")


def judge_memory(n_bytes: int | None, cores: int) -> Diagnosis:
    """Says for how many workers there is room."""
    if n_bytes is None:
        return Diagnosis("memory", "note", "unknown on this system", f"a worker takes {_size(_WORKER_BYTES)}")
    room = n_bytes // _WORKER_BYTES
    figure = f"{_size(n_bytes)} free; a worker of the packed engine takes {_size(_WORKER_BYTES)}"
    if room < 1:
        return Diagnosis("memory", "bad", figure, "close other programs, or give this container more memory")
    if room < cores:
        return Diagnosis(
            "memory", "note", figure, f"give saiten score --workers={room}: the default is all {cores} cores"
        )
    return Diagnosis("memory", "good", figure)


def judge_disk(folder: str) -> Diagnosis:
    """Looks at the places that are written to: the folder, and where training keeps its text meanwhile."""
    there = pathlib.Path(folder).absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK):
        return Diagnosis("disk", "bad", f"{there} cannot be written to", "give --output a folder of your own")
    free = {str(place): shutil.disk_usage(place).free for place in (there, pathlib.Path(tempfile.gettempdir()))}
    figure = ", ".join(f"{_size(n_bytes)} free in {place}" for place, n_bytes in free.items())
    if min(free.values()) < _LITTLE_DISK_BYTES:
        remedy = "a run takes about as much as its ids and kept fields, training as much as its text (in TMPDIR)"
        return Diagnosis("disk", "note", figure, remedy)
    return Diagnosis("disk", "good", figure)


def available_memory() -> int | None:
    """Returns how many bytes this process may still take, as far as a container leaves them to it; None: unknown."""
    amounts = []
    try:
        fields = dict(line.split(":", 1) for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
        amounts.append(int(fields["MemAvailable"].split()[0]) << 10)
    except (OSError, KeyError):
        return None
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
        amounts += [max(0, int(limit) - used)] if limit != "max" else []
    except (OSError, ValueError):
        pass  # no such container
    return min(amounts)


def start_probe(part: Part) -> "subprocess.Popen[str]":
    """Starts a process that imports what the part needs."""
    command = [sys.executable, "-P", "-c", _PROGRAM, *part.modules]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def judge_part(part: Part, probe: "subprocess.Popen[str]") -> Diagnosis:
    """Says how the process ended; waits for it."""
    level: Level = "note" if part.extra else "bad"
    versions = _versions(part)
    try:
        peak, said = probe.communicate(timeout=_PROBE_SECS)
    except subprocess.TimeoutExpired:
        remedy = f"importing it took more than {_PROBE_SECS:g} s: is the disk slow, or the machine busy?"
        return Diagnosis(part.name, level, _shown(versions), remedy)
    if probe.returncode == 0:
        memory = f"{_size(int(peak) << 10)} once imported"
        return Diagnosis(part.name, "good", f"{_shown(versions)}; {part.purpose}; {memory}")
    missing = next((name for name, version in versions.items() if version is None), None)
    if missing:
        remedy = str(missing_library(missing, part.extra)) if part.extra else f"{missing} is not installed: {_ANEW}"
        return Diagnosis(part.name, level, f"needs {missing}; {part.purpose}", remedy)
    reason = said.strip().splitlines()[-1] if said.strip() else f"the process ended with {probe.returncode}"
    remedy = f"{_ANEW}; where it says Illegal instruction, this processor lacks what it was built for"
    return Diagnosis(part.name, level, f"{_shown(versions)} does not load: {reason:.200}", remedy)


def _versions(part: Part) -> dict[str, str | None]:
    return {name: installed_version(name) for name in part.packages}


def _shown(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())


def _size(n_bytes: int) -> str:
    return f"{n_bytes / (1 << 30):.1f} GB" if n_bytes >= 1 << 30 else f"{n_bytes >> 20} MB"
