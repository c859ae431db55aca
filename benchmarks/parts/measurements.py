"""What was measured, and the file it is kept in."""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.parts.trials import Sample, Trial
from saiten.model.errors import UsageError

_PACKAGES = ("apache-beam", "mecab-python3", "unidic-lite", "numpy", "numba", "pyarrow", "keras", "tensorflow-cpu")


@dataclass
class Measurements:
    """One sitting.

    Attributes:
        about: When, on what machine, with which options; JSON-able.
        samples: How each trial went, one sample a round.
        probes: What each program in `benchmarks.probes` said, by its name and corpus.
    """

    about: dict[str, Any]
    samples: dict[Trial, list[Sample]] = field(default_factory=dict)
    probes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def values(self, trial: Trial, attribute: str = "seconds") -> list[float]:
        """Returns an attribute of a trial's samples, one a round."""
        return [float(getattr(sample, attribute)) for sample in self.samples[trial]]

    def combine(self, formula: Callable[..., float], *trials: Trial) -> list[float]:
        """Returns the formula of the trials' seconds, round by round."""
        return [formula(*seconds) for seconds in zip(*map(self.values, trials), strict=False)]

    def median(self, trial: Trial, attribute: str = "seconds") -> float:
        """Returns the median over the rounds."""
        return median(self.values(trial, attribute))

    def save(self, path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
        """Writes everything as JSON, with the table's rows as they came out."""
        trials = [
            {**dataclasses.asdict(trial), "samples": [dataclasses.asdict(sample) for sample in samples]}
            for trial, samples in self.samples.items()
        ]
        content = {"about": self.about, "rows": rows, "trials": trials, "probes": self.probes}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: pathlib.Path) -> "Measurements":
        """Reads what `save` wrote; the rows are computed anew.

        Raises:
            UsageError: There is no such file.
        """
        if not path.is_file():
            raise UsageError(f"There are no measurements at {path}; benchmarks.run writes them.")
        content = json.loads(path.read_text(encoding="utf-8"))
        samples = {}
        for trial in content["trials"]:
            taken = [Sample(**sample) for sample in trial.pop("samples")]
            samples[Trial(**trial)] = taken
        return cls(content["about"], samples, content["probes"])


def describe_machine() -> dict[str, Any]:
    """Returns what the figures depend on, and the load that others put on the machine."""
    return {
        "processor": _first_field(pathlib.Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES if _is_installed(name)},
    }


def _is_installed(name: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=name))


def _first_field(path: pathlib.Path, name: str) -> str:
    if not path.exists():
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
