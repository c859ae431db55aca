"""Measures Saiten beside what a user would otherwise do, in turn, on the machine it runs on.

    python -m benchmarks.run                              everything; about an hour on two cores
    python -m benchmarks.run --rows=long,model            some of it
    python -m benchmarks.run --limit=300 --repeats=1      tries the benchmarks themselves

Writes the measurements to benchmarks/results/<date>.json and prints the table. Run it on a machine that does
nothing else: ratios stand a busy hour better than seconds do, but not well.
"""

import argparse
import datetime as dt
import json
import pathlib
import sys
from collections.abc import Sequence

from benchmarks.parts.corpora import corpus_path, prepare_corpora
from benchmarks.parts.goals import GROUPS, make_rows
from benchmarks.parts.measurements import Measurements, describe_machine
from benchmarks.parts.processes import run_module
from benchmarks.parts.settings import CHECKOUT, Settings
from benchmarks.parts.trials import Trial, run_trial
from benchmarks.report import render_text
from saiten.model.errors import SaitenError, UsageError

_SHARED = CHECKOUT.parent / "shared"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what the flags say; returns the exit code."""
    try:
        args = _parse(arguments)
        groups = _choose_groups(args.rows)
        settings = Settings(args.corpora, args.peers, args.out, args.repeats, args.workers, args.limit)
        _say("corpora and bundle")
        prepare_corpora(settings)
        _prepare_bundle(settings)
        measured = measure(settings, groups)
    except SaitenError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    rows = make_rows(measured)
    result = args.result or _default_result(settings)
    measured.save(result, [row.to_dict() for row in rows])
    print(render_text(measured))
    _say(f"written to {result}")
    return 0


def measure(settings: Settings, groups: Sequence[str]) -> Measurements:
    """Runs all that the groups need, each trial once a round, so that sides take turns.

    Raises:
        SaitenError: A side failed.
    """
    about = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "groups": list(groups),
        "repeats": settings.repeats,
        "workers": settings.workers,
        "limit": settings.limit,
        "machine": describe_machine(),
    }
    measured = Measurements(about)
    trials = list(dict.fromkeys(trial for name in groups for trial in GROUPS[name].trials(settings.workers)))
    if trials:
        run_trial(Trial("saiten"), settings)  # Numba compiles once a machine, and files come from the disk once
    for number in range(settings.repeats):
        for trial in trials:
            if number == 0 or not trial.runs_once:
                _take(measured, trial, number, settings)
    for probe, corpus in dict.fromkeys(probe for name in groups for probe in GROUPS[name].probes):
        _say(f"{probe} on {corpus}")
        measured.probes[f"{probe} {corpus}"] = _run_probe(probe, corpus, settings)
    return measured


def _take(measured: Measurements, trial: Trial, number: int, settings: Settings) -> None:
    sample = run_trial(trial, settings)
    measured.samples.setdefault(trial, []).append(sample)
    _say(f"round {number + 1} of {settings.repeats}: {trial}: {sample.seconds:.2f} s")
    measured.save(settings.out / "so-far.json", [])


def _run_probe(probe: str, corpus: str, settings: Settings) -> dict[str, object]:
    repeats = [str(settings.repeats)] if probe == "engine" else []
    path = corpus_path(settings, corpus)
    finished = run_module(f"benchmarks.probes.{probe}", str(settings.bundle), str(path), *repeats)
    said: dict[str, object] = json.loads(finished.output.splitlines()[-1])
    return said


def _prepare_bundle(settings: Settings) -> None:
    if not settings.bundle.exists():
        run_module("benchmarks.make_bundle", str(corpus_path(settings, "news")), str(settings.bundle))


def _choose_groups(names: str) -> list[str]:
    chosen = list(GROUPS) if names == "all" else names.split(",")
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        raise UsageError(f"There is no row {unknown[0]!r}; choose of {', '.join(GROUPS)}.")
    return chosen


def _default_result(settings: Settings) -> pathlib.Path:
    """Results of a whole corpus are for keeping; those of a cut one are not."""
    folder = CHECKOUT / "benchmarks" / "results" if settings.limit is None else settings.folder
    return folder / f"{dt.datetime.now(dt.UTC):%Y-%m-%d}.json"


def _say(message: str) -> None:
    print(f"{dt.datetime.now():%H:%M:%S} {message}", file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description="Measures Saiten beside its peers.")
    parser.add_argument("--rows", default="all", help=f"comma-separated, of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes of each side (default %(default)s)")
    parser.add_argument("--limit", type=int, help="only so many lines of each corpus")
    parser.add_argument("--corpora", type=pathlib.Path, default=_SHARED / "corpora", help="has prepare_livedoor.py")
    parser.add_argument("--peers", type=pathlib.Path, default=_SHARED / "bench", help="has peers.py")
    parser.add_argument("--out", type=pathlib.Path, default=CHECKOUT / "local" / "bench", help="for what is written")
    parser.add_argument("--result", type=pathlib.Path, help="the JSON file (default: benchmarks/results/<date>.json)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
