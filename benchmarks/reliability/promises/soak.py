"""Mixed lengths at full speed for 20 minutes: the memory of launcher and workers must not grow."""

import os
import pathlib
import signal
import subprocess
import time
from collections import defaultdict

import numpy as np

from benchmarks.reliability.bench import SENTENCES, Bench
from benchmarks.reliability.outcome import Outcome, promise

_MINUTES = 20
_SAMPLE_SECS = 5.0
_WARM_UP = 0.25  # of the time
_MAX_MB_A_MINUTE = 1.0
_FILE_BYTES = 32 * 1024 * 1024
_FILES = 2_000


def _write_mixed(bench: Bench) -> pathlib.Path:
    """Writes one file of short, long and very long texts, and links it so often that no run comes to its end."""
    folder = bench.folder / "in"
    folder.mkdir()
    first = folder / "00000.txt"
    with first.open("w", encoding="utf-8") as file:
        while file.tell() < _FILE_BYTES:
            length = round(10 ** bench.random.uniform(0, 3.3))
            file.write("".join(bench.random.choices(SENTENCES, k=length)) + f"{bench.random.random()}\n")
    for i in range(1, _FILES):
        os.link(first, folder / f"{i:05d}.txt")
    return folder


def resident_mb(pid: int) -> float | None:
    """Returns how much memory a process holds, in MB; None where it is gone."""
    try:
        pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _sample(process: "subprocess.Popen[str]", output: pathlib.Path, minutes: float) -> dict[str, list[list[float]]]:
    """Returns minutes and MB of the launcher and each worker."""
    samples: dict[str, list[list[float]]] = defaultdict(list)
    began = time.monotonic()
    while (elapsed := (time.monotonic() - began) / 60) < minutes and process.poll() is None:
        workers = sorted(int(path.name.partition("-")[2]) for path in output.glob("_work/*/worker-*"))
        pids = {"launcher": process.pid} | {f"worker {i}": pid for i, pid in enumerate(workers)}
        for name, pid in pids.items():
            held = resident_mb(pid)
            if held is not None:
                samples[name].append([elapsed, held])
        time.sleep(_SAMPLE_SECS)
    return samples


def _check_slope(samples: list[list[float]], minutes: float, outcome: Outcome) -> None:
    warm = np.array([sample for sample in samples if sample[0] >= minutes * _WARM_UP])
    promise(len(warm) > 2, "the process did not live long enough")
    slope = float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0])
    outcome.notes |= {"MB a minute": slope, "MB at most": float(warm[:, 1].max()), "minutes": float(warm[-1, 0])}
    promise(slope < _MAX_MB_A_MINUTE, f"its memory grows by {slope:.2f} MB a minute")


def run(bench: Bench, times: int | None) -> list[Outcome]:
    """Scores for 20 minutes, or `times` minutes, then ends the run."""
    minutes = times or _MINUTES
    output = bench.folder / "output"
    with bench.start(bench.arguments(_write_mixed(bench), output, "--workers=2")) as process:
        samples = _sample(process, output, minutes)
        lived = process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    outcomes = [Outcome("soak", name) for name in samples]
    for outcome in outcomes:
        outcome.attempt(lambda: _check_slope(samples[outcome.kind], minutes, outcome))  # noqa: B023 - called at once
    ended = Outcome("soak", "goes on to the end")
    ended.attempt(lambda: promise(lived, f"the run ended early: {said}"))
    return [*outcomes, ended]
