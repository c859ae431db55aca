"""The texts that are scored: the livedoor news, whole articles and single sentences, and multiples of both."""

import pathlib
import shutil
import subprocess
import sys
from itertools import islice

from benchmarks.parts.packings import write_packed
from benchmarks.parts.settings import Settings
from saiten.model.errors import UsageError

# Enough to start everything, little enough to cost nothing.
TEN_LINES = "ten"
_FILES = ("news.txt", "sentences.txt", "train.jsonl")


def prepare_corpora(settings: Settings) -> None:
    """Writes the corpora, unless they are there from an earlier run.

    Raises:
        UsageError: The archive could not be read.
    """
    whole = settings.out / "livedoor"
    if not all((whole / name).exists() for name in _FILES):
        command = [sys.executable, str(settings.prepare_script), str(whole), "--split"]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise UsageError(f"{settings.prepare_script} failed; see its message above.")
    settings.folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        _copy_head(whole / name, settings.folder / name, settings.limit)
    _copy_head(whole / "news.txt", settings.folder / f"{TEN_LINES}.txt", 10)


def corpus_path(settings: Settings, corpus: str, times: int = 1, ending: str = ".txt") -> pathlib.Path:
    """Returns a corpus, so many times over; makes the multiple, or the file of another format, if it is not there.

    Args:
        corpus: ``news``, ``sentences`` or ``ten``.
        ending: ``.txt``, or one that `write_packed` knows.
    """
    if ending != ".txt":
        path = settings.folder / f"{corpus}-{times}x{ending}"
        if not path.exists():
            with corpus_path(settings, corpus).open(encoding="utf-8", newline="\n") as lines:
                texts = [line.removesuffix("\n") for line in lines]
            write_packed(texts, times, path)
        return path
    once = settings.folder / f"{corpus}.txt"
    if times == 1:
        return once
    path = settings.folder / f"{corpus}-{times}x.txt"
    if not path.exists() or path.stat().st_size != times * once.stat().st_size:
        with path.open("wb") as out:
            for _ in range(times):
                with once.open("rb") as source:
                    shutil.copyfileobj(source, out)
    return path


def _copy_head(source: pathlib.Path, target: pathlib.Path, lines: int | None) -> None:
    with source.open("rb") as file, target.open("wb") as out:
        out.writelines(islice(file, lines))
