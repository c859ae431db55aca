"""Tries Saiten's promises in full volume and prints the table; run by hand, hours in all.

python benchmarks/reliability/run.py --bundle=DIR [ROW ...] [--times=N] [--seed=N] [--out=FILE]
"""

import argparse
import importlib
import json
import pathlib
import random
import sys
import tempfile
import time
from dataclasses import asdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from benchmarks.reliability.bench import CHECKOUT, Bench
from benchmarks.reliability.outcome import Outcome
from saiten.pipelines.quiet import quiet_libraries

ROWS = (
    "properties",
    "mutations",
    "poison",
    "faulty_models",
    "kills",
    "reruns",
    "hostile_inputs",
    "hostile_bundles",
    "soak",
)


def main() -> int:
    """Runs the rows that are named; returns 0 where every try held, else 1."""
    parser = argparse.ArgumentParser(description="Tries Saiten's promises in full volume.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--bundle", type=pathlib.Path, default=CHECKOUT / "local" / "bundle", help="what scores")
    parser.add_argument("--times", type=int, help="tries of each kind (default: the row's full volume)")
    parser.add_argument("--seed", type=int, default=1, help="of the random places")
    parser.add_argument("--folder", type=pathlib.Path, help="for inputs and outputs (default: a temporary one)")
    parser.add_argument("--out", type=pathlib.Path, help="a JSON file for the figures")
    args = parser.parse_args()
    if unknown := set(args.rows) - set(ROWS):
        parser.error(f"there is no row {min(unknown)}; rows are {', '.join(ROWS)}")
    quiet_libraries()
    outcomes: list[Outcome] = []
    for row in args.rows or ROWS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"saiten-{row}-", dir=args.folder) as folder:
            bench = Bench(args.bundle.resolve(), pathlib.Path(folder), random.Random(args.seed))
            module = importlib.import_module(f"benchmarks.reliability.promises.{row}")
            found = module.run(bench, args.times)
        print_row(found, time.monotonic() - began)
        outcomes += found
        if args.out:
            args.out.write_text(json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False, indent=1))
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def print_row(outcomes: list[Outcome], seconds: float) -> None:
    """Prints a row of the table, a line a kind."""
    for outcome in outcomes:
        notes = ", ".join(f"{name} {amount:,.6g}" for name, amount in outcome.notes.items())
        held = outcome.tries - len(outcome.broken)
        print(f"| {outcome.row} | {outcome.kind} | {held:,} of {outcome.tries:,} | {notes} |")
        for broken in outcome.broken[:3]:
            print(f"    broken: {broken}")
    print(f"    {seconds:,.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
