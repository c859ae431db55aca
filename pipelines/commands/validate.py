"""`saiten validate`: proves a bundle anew."""

import argparse

from saiten.pipelines.commands.flags import add_trust_argument
from saiten.pipelines.quiet import import_tensorflow

_NAME_WIDTH = 14

EXAMPLE = "saiten validate --bundle=bundles/mine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten validate`."""
    parser.add_argument("--bundle", metavar="DIR", required=True, help="what train or bundle has made")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Shows what holds, a line each; returns 0.

    Raises:
        BundleError: The first thing that does not hold.
    """
    from saiten.pipelines.commands.pages.tables import GOOD, facts
    from saiten.pipelines.steps.scoring_bundle import opened_bundle
    from saiten.pipelines.terminal import make_console, say

    console = make_console()
    n_findings = 0
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        import_tensorflow()
        from saiten.model.bundle.validation import validate_bundle

        for finding in validate_bundle(bundle):
            console.print(facts([(GOOD, finding.what, finding.figure)], _NAME_WIDTH))
            n_findings += 1
    say(f"{args.bundle} holds: {n_findings} checks, bundle {bundle.bundle_id[:12]}")
    return 0
