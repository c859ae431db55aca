"""`saiten explain`: how one text is normalised, tokenized and scored."""

import argparse
import sys
from typing import TYPE_CHECKING

from saiten.pipelines.quiet import import_tensorflow, quiet_libraries

if TYPE_CHECKING:
    from saiten.model.bundle.explain import Explanation

_SHOWN_TOKENS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten explain`."""
    parser.add_argument("--bundle", required=True, help="the bundle's directory")
    parser.add_argument("--engine", choices=["auto", "packed", "keras"], default="auto")
    parser.add_argument("--trust_bundle", action="store_true", help="let through layers that Saiten does not build")
    parser.add_argument("text", metavar="TEXT", help="the text; - reads it from standard input")


def run(args: argparse.Namespace) -> int:
    """Shows the text's normal form, its tokens with their ids, and its scores; returns 0.

    Raises:
        UsageError: The bundle is refused, or the text cannot be tokenized.
    """
    quiet_libraries()
    from saiten.model.bundle.explain import explain_text
    from saiten.pipelines.steps.scoring_bundle import opened_bundle

    text = sys.stdin.read() if args.text == "-" else args.text
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        if bundle.engine_name(args.engine) == "keras":
            import_tensorflow()
        explanation = explain_text(bundle.encoder(), bundle.engine(args.engine), text)
    _show(explanation, bundle.outputs)
    return 0


def _show(explanation: "Explanation", outputs: list[str]) -> None:
    from rich.table import Table

    from saiten.pipelines.terminal import escape, make_console

    console = make_console()
    console.print(f"[bold]normal form[/]  {escape(explanation.normal_form)}")
    tokens = explanation.tokens
    kinds = {"oov": "[yellow]{} (OOV)[/]", "dropped": "[yellow]{} (OOV, dropped)[/]", "cut": "[dim]{} (cut)[/]"}
    shown = [kinds.get(token.fate, "{}").format(f"{escape(token.surface)} {token.shown_id}") for token in tokens]
    rest = f" … and {len(tokens) - _SHOWN_TOKENS:,} more" if len(tokens) > _SHOWN_TOKENS else ""
    console.print(f"[bold]tokens[/]       {' | '.join(shown[:_SHOWN_TOKENS])}{rest}")
    console.print(
        f"[bold]length[/]       {explanation.n_tokens:,} tokens, {explanation.n_oov:,} OOV, "
        f"{explanation.length:,} read by the model"
    )
    if explanation.scores is None:
        console.print("[bold]scores[/]       none: no token is left (status empty)")
        return
    table = Table("output", "score")
    for name, score in zip(outputs, explanation.scores, strict=True):
        table.add_row(escape(name), f"{score:.6f}")
    console.print(table)
