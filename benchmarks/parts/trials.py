"""One run of one side on one corpus."""

import json
import pathlib
import shutil
import sys
from dataclasses import dataclass

from benchmarks.parts.corpora import TEN_LINES, corpus_path
from benchmarks.parts.processes import run_command
from benchmarks.parts.settings import Settings
from saiten.pipelines.run.layout import SUCCESS

# What a person calls.
_SAITEN = str(pathlib.Path(sys.executable).with_name("saiten"))

# A multiple beyond this takes minutes, and is run once: it tells how cost grows, not what it is.
_ONCE_ABOVE = 4


@dataclass(frozen=True, order=True)
class Trial:
    """What is run.

    Attributes:
        side: ``saiten``, ``help`` (`saiten --help`), or one of the peers, ``floor`` and ``script``.
        corpus: ``news``, ``sentences`` or ``ten``.
        times: How often the corpus is repeated.
        workers: Processes; 0 leaves the choice to the side.
        ending: Of the corpus's file, which says its format.
    """

    side: str
    corpus: str = TEN_LINES
    times: int = 1
    workers: int = 0
    ending: str = ".txt"

    @property
    def runs_once(self) -> bool:
        """Whether it is run in the first round only."""
        return self.times > _ONCE_ABOVE

    def __str__(self) -> str:
        corpus = f" {self.corpus}{self.ending.removesuffix('.txt')}" if self.side != "help" else ""
        times = f" x {self.times}" if self.times > 1 else ""
        return f"{self.side}{corpus}{times}{f', {self.workers} workers' if self.workers else ''}"


@dataclass(frozen=True)
class Sample:
    """How a trial went.

    Attributes:
        seconds: Start to ``_SUCCESS`` for Saiten's runs on a corpus, what the peer says of itself for a peer;
            the whole process for small ones, whose end is what a person waits for.
        launcher_bytes: Peak resident set of the process that was started.
        worker_bytes: The largest of its worker processes'; 0 where there was none.
    """

    seconds: float
    launcher_bytes: int
    worker_bytes: int


def run_trial(trial: Trial, settings: Settings) -> Sample:
    """Runs a trial.

    Raises:
        SaitenError: The command failed.
    """
    if trial.side == "saiten":
        return _run_saiten(trial, settings)
    if trial.side == "help":
        finished = run_command([_SAITEN, "--help"])
        return Sample(finished.seconds, finished.own_bytes, finished.child_bytes)
    path = corpus_path(settings, trial.corpus, trial.times)
    flags = [f"--bundle={settings.bundle}", f"--processes={trial.workers}", f"--out={settings.folder / 'peer'}"]
    finished = run_command([sys.executable, str(settings.peers_script), trial.side, str(path), *flags])
    seconds = float(json.loads(finished.output.splitlines()[-1])["seconds"])
    return Sample(seconds, finished.own_bytes, finished.child_bytes)


def _run_saiten(trial: Trial, settings: Settings) -> Sample:
    path, output = corpus_path(settings, trial.corpus, trial.times, trial.ending), settings.folder / "run"
    shutil.rmtree(output, ignore_errors=True)
    flags = [f"--input={path}", f"--bundle={settings.bundle}", f"--output={output}", "--quiet"]
    if trial.workers:
        flags.append(f"--workers={trial.workers}")
    finished = run_command([_SAITEN, "score", *flags])
    to_success = (output / SUCCESS).stat().st_mtime - finished.started
    shutil.rmtree(output)
    seconds = finished.seconds if trial.corpus == TEN_LINES else to_success
    return Sample(seconds, finished.own_bytes, finished.child_bytes)
