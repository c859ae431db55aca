"""`saiten validate`: proves a bundle anew."""

import argparse

from saiten.pipelines.commands.score_flags import add_trust_argument
from saiten.pipelines.quiet import import_tensorflow

EXAMPLE = "saiten validate --bundle=bundles/mine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten validate`."""
    parser.add_argument("--bundle", metavar="DIR", required=True, help="the bundle's directory")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Shows what holds, a line each; returns 0.

    Raises:
        BundleError: The first thing that does not hold.
    """
    from saiten.pipelines.steps.scoring_bundle import opened_bundle
    from saiten.pipelines.terminal import escape, make_console, say

    console = make_console()
    n_findings = 0
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        import_tensorflow()
        from saiten.model.bundle.validation import validate_bundle

        for finding in validate_bundle(bundle):
            console.print(f"[green]✓[/] {finding.what:<14} {escape(finding.figure)}", soft_wrap=True)
            n_findings += 1
    say(f"{args.bundle} holds: {n_findings} checks, bundle {bundle.bundle_id[:12]}")
    return 0
