"""What a command that is interrupted has left behind, and how to go on; what a run's own signals say comes before."""

import argparse
import os
from contextlib import suppress

NOTHING_WRITTEN = "nothing was written; run the same command again"


def left_behind(command: str, args: argparse.Namespace) -> str:
    """Returns it for the last line, such as "nothing was written; run the same command again".

    Of commands that only look at something, ``""``.
    """
    if command in ("train", "bundle"):
        is_there = os.path.exists(os.path.join(args.bundle, "manifest.json"))
        return f"the bundle in {args.bundle} is whole" if is_there else NOTHING_WRITTEN
    if command != "score":
        return ""
    return _left_of_run(args.output) if args.output and not args.check else NOTHING_WRITTEN


def _left_of_run(output: str) -> str:
    from saiten.model.errors import SaitenError
    from saiten.pipelines.run.run_plan import newest_planned

    with suppress(SaitenError, OSError):
        if newest_planned(output):
            return "nothing was committed, --resume goes on from here"
    return NOTHING_WRITTEN
