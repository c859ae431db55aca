"""What a benchmark run was asked to do, and where things lie."""

import pathlib
from dataclasses import dataclass

from saiten.model.errors import UsageError

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """A benchmark run.

    Attributes:
        corpora: The folder with ``prepare_livedoor.py`` and its archive.
        peers: The folder with ``peers.py``.
        out: Where corpora, bundle and scores are written; kept for the next run, but for the scores.
        repeats: How often each side runs, in turn with the others.
        workers: Processes of each side.
        limit: Only so many lines of each corpus, to try the benchmarks themselves; None takes all.
    """

    corpora: pathlib.Path
    peers: pathlib.Path
    out: pathlib.Path
    repeats: int
    workers: int
    limit: int | None

    def __post_init__(self) -> None:
        for name in ("repeats", "workers"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be 1 or more, not {getattr(self, name)}.")
        for folder, file, flag in (
            (self.corpora, self.prepare_script, "corpora"),
            (self.peers, self.peers_script, "peers"),
        ):
            if not file.is_file():
                raise UsageError(f"There is no {file.name} in {folder}; name the folder that has it: --{flag}=DIR.")

    @property
    def prepare_script(self) -> pathlib.Path:
        """What writes the corpora."""
        return self.corpora / "prepare_livedoor.py"

    @property
    def peers_script(self) -> pathlib.Path:
        """What runs the peers."""
        return self.peers / "peers.py"

    @property
    def folder(self) -> pathlib.Path:
        """Where this run's corpora and bundle lie; cut corpora have a folder of their own."""
        return self.out / ("whole" if self.limit is None else f"first-{self.limit}")

    @property
    def bundle(self) -> pathlib.Path:
        """The bundle that is measured."""
        return self.folder / "bundle"
