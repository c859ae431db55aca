"""How good scores are on texts that no training has seen: each way of training, by seed, on each corpus's test part.

    python -m benchmarks.quality.run --corpora=DIR --out=DIR [--corpus=NAME ...] [--way=NAME ...] [--seeds 0 1 2]

Writes a JSON for each corpus, way and seed into OUT; what is there already is not done again. Settings are chosen by
what `saiten train` says of held-out texts and on the stand-ins, which are made of training parts; the test parts of
articles, titles and sample are for the end.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.quality.corpus import Corpus, make_corpora
from saiten.model.errors import UsageError
from saiten.model.evaluation.baseline import score_by_baseline, without_probabilities
from saiten.model.evaluation.metrics import evaluate

WAYS = ("default", "article", "baseline")


def measure(corpus: Corpus, way: str, seed: int, bundle: pathlib.Path) -> dict[str, Any]:
    """Trains once and returns the figures on the test part, with the seconds that training took.

    Args:
        corpus: What on.
        way: One of `WAYS`.
        seed: Of all that is left to chance.
        bundle: Where it goes.
    """
    started = time.monotonic()
    if way == "baseline":
        figures = _evaluate_baseline(corpus, seed)
        return {"seconds": time.monotonic() - started, "figures": figures}
    recipe = [] if way == "default" else [f"--recipe={way}"]
    reading = [f"--text_field={corpus.text_field}", corpus.label_flag, f"--bundle={bundle}"]
    command = ["train", f"--input={corpus.train}", *reading, *recipe, f"--seed={seed}", "--quiet", "--json"]
    training = json.loads(_saiten(*command))
    seconds = time.monotonic() - started
    test = ["evaluate", f"--input={corpus.test}", *reading, "--max_dead_letter_rate=0.02", "--json"]
    return {"seconds": seconds, "epochs": len(training["epochs"]), "figures": json.loads(_saiten(*test))}


def _evaluate_baseline(corpus: Corpus, seed: int) -> dict[str, Any]:
    train, test, targets = corpus.segmented()
    known, n_outputs = targets.values, len(targets.outputs)
    scores = score_by_baseline(train, test, known[: len(train)], targets.task, n_outputs, seed=seed)
    return without_probabilities(evaluate(targets.task, scores, known[len(train) :], targets.outputs))


def _saiten(*arguments: str) -> str:
    command = [sys.executable, "-m", "saiten.pipelines.commands.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"saiten {arguments[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def _asked(args: argparse.Namespace, names: list[str]) -> Iterator[tuple[str, str, int]]:
    for name in args.corpus or names:
        for way in args.way or WAYS:
            for seed in args.seeds if way != "baseline" else args.seeds[:1]:  # it leaves next to nothing to chance
                yield name, way, seed


def main() -> None:
    """Measures what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--corpus", action="append")
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    corpora = make_corpora(args.corpora, args.out)
    for name, way, seed in _asked(args, list(corpora)):
        path = args.out / f"{name}-{way}-{seed}.json"
        if not path.exists():
            found = measure(corpora[name], way, seed, path.with_suffix(""))
            path.write_text(json.dumps({"corpus": name, "way": way, "seed": seed, **found}, indent=1) + "\n")
            print(path, flush=True)


if __name__ == "__main__":
    main()
