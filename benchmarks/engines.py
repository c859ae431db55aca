"""Measures both engines beside the careful script, in turn, with the article's model and with attention pooling.

    python -m benchmarks.engines [--repeats 3] [--limit 300]

On `news.txt`, two processes each. A line of JSON for each run: seconds, from start to ``_SUCCESS`` or to the script's
end. Then a line of medians, and of each engine's share of the script's.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import sys
from collections import defaultdict

from benchmarks.parts.corpora import corpus_path, prepare_corpora
from benchmarks.parts.processes import run_command, run_module
from benchmarks.parts.settings import CHECKOUT, Settings
from saiten.pipelines.run.layout import SUCCESS

_SAITEN = str(pathlib.Path(sys.executable).with_name("saiten"))
_MODELS, _SIDES = ("lstm", "attention"), ("script", "keras", "packed")


def seconds(side: str, bundle: pathlib.Path, settings: Settings) -> float:
    """Runs one side once."""
    corpus, output = corpus_path(settings, "news"), settings.folder / "run"
    if side == "script":
        flags = [f"--bundle={bundle}", "--processes=2", f"--out={settings.folder / 'peer'}"]
        finished = run_command([sys.executable, str(settings.peers_script), side, str(corpus), *flags])
        return float(json.loads(finished.output.splitlines()[-1])["seconds"])
    flags = [f"--input={corpus}", f"--bundle={bundle}", f"--output={output}", f"--engine={side}"]
    finished = run_command([_SAITEN, "score", *flags, "--workers=2", "--quiet"])
    found = (output / SUCCESS).stat().st_mtime - finished.started
    shutil.rmtree(output)
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=int, help="only so many lines")
    args = parser.parse_args()
    shared = CHECKOUT.parent / "shared"
    out = CHECKOUT / "local" / "bench"
    settings = Settings(shared / "corpora", shared / "bench", out, args.repeats, 2, args.limit)
    prepare_corpora(settings)
    taken: dict[str, list[float]] = defaultdict(list)
    for model in _MODELS:
        bundle = settings.folder / f"bundle-{model}"
        if not bundle.exists():
            run_module("benchmarks.make_bundle", str(corpus_path(settings, "news")), str(bundle), model)
        for number in range(args.repeats):
            for side in _SIDES:
                taken[f"{model} {side}"].append(seconds(side, bundle, settings))
                print(
                    json.dumps({"model": model, "side": side, "round": number, "seconds": taken[f"{model} {side}"][-1]})
                )
                sys.stdout.flush()
    medians = {name: statistics.median(values) for name, values in taken.items()}
    shares = {name: medians[name] / medians[f"{name.split()[0]} script"] for name in medians}
    print(json.dumps({"medians": medians, "share_of_script": shares}))


if __name__ == "__main__":
    main()
