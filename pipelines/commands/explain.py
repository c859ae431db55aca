"""`saiten explain`: how texts are normalised, tokenized and scored, and which tokens made the scores."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from saiten.model.errors import UsageError
from saiten.pipelines.commands.command_line.input_flags import (
    OTHER_FILES,
    add_format_arguments,
    add_id_argument,
    add_input_arguments,
)
from saiten.pipelines.commands.flags import add_engine_argument, add_trust_argument
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say, short_id, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from saiten.model.bundle.explain import Explanation
    from saiten.model.engines.engine import Engine
    from saiten.model.text.encoder import Encoder
    from saiten.pipelines.reports.effects import ExplainedText


EXAMPLE = "saiten explain --bundle=bundles/mine とても美味しい。"
ONE_OF = (("TEXT", "--input"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten explain`."""
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the text; - reads it from standard input")
    model = parser.add_argument_group("to choose the model")
    model.add_argument("--bundle", metavar="DIR", required=True, help="the model: what train or bundle has made")
    add_engine_argument(model)
    add_trust_argument(model)
    texts = parser.add_argument_group("to explain texts of a file, instead of TEXT")
    add_input_arguments(texts, is_required=False)
    add_id_argument(texts)
    texts.add_argument("--records", type=int, default=10, help="how many records of --input, from the first one on")
    add_format_arguments(parser.add_argument_group(OTHER_FILES))
    shown = parser.add_argument_group("to say what is shown")
    shown.add_argument("--output", metavar="NAME", help="colour the text by this score (default: the most moved)")
    shown.add_argument("--json", action="store_true", help="a JSON object for each text, a line each, instead")
    shown.add_argument("--html", metavar="FILE", help="a page for the browser, beside what is printed")


def run(args: argparse.Namespace) -> int:
    """Shows each text's normal form, its tokens with their ids, its scores and what made them; returns 0.

    Raises:
        UsageError: The bundle is refused, there is no text, or it cannot be tokenized.
    """
    if (args.text is None) == (args.input is None):
        raise UsageError("saiten explain needs a text, or --input=FILE with some: give one of them.")
    if args.records < 1:
        raise UsageError(f"--records is 1 or more, not {args.records}.")
    from saiten.pipelines.commands.pages.page_file import refuse_unwritable, write_page
    from saiten.pipelines.steps.scoring_bundle import opened_bundle

    refuse_unwritable(args.html)
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        outputs = list(bundle.outputs)
        if args.output is not None and args.output not in outputs:
            raise UsageError(f"--output={args.output} is none of the bundle's outputs: {', '.join(outputs)}.")
        if bundle.engine_name(args.engine) == "keras":
            import_tensorflow()
        from saiten.pipelines.reports.effects import ExplainedText

        explained = _explain(args, bundle.encoder(), bundle.engine(args.engine))
        is_class = bundle.manifest.task == "classes"
        texts = [ExplainedText(name, found, is_class) for name, found in explained]
    if args.html:
        from saiten.pipelines.reports.explanation_report import explanation_report

        write_page(args.html, explanation_report(texts, outputs))
    if args.json:
        for text in texts:
            show(json.dumps(_figures(text, outputs)))
    else:
        from saiten.pipelines.commands.pages.explanation_page import print_explanations

        print_explanations(texts, outputs, args.output)
    return 0


def _explain(args: argparse.Namespace, encoder: "Encoder", engine: "Engine") -> "list[tuple[str | None, Explanation]]":
    """Explains the text, which has no id, or the first records of the input."""
    from saiten.model.bundle.explain import explain_text

    if args.text is not None:
        return [(None, explain_text(encoder, engine, sys.stdin.read() if args.text == "-" else args.text))]
    explained = list(_explain_records(args, encoder, engine))
    if not explained:
        say(f"--input={args.input} holds no record that can be explained.")
    return explained


def _explain_records(
    args: argparse.Namespace, encoder: "Encoder", engine: "Engine"
) -> "Iterator[tuple[str | None, Explanation]]":
    """Explains the first records of the input; says of each that cannot be why."""
    from saiten.model.bundle.explain import explain_text
    from saiten.pipelines.reading.options import ReadOptions
    from saiten.pipelines.reading.plan import plan_work
    from saiten.pipelines.reading.read_range import first_records

    options = ReadOptions(
        input_format=args.input_format,
        encoding=args.encoding,
        quoting=args.quoting,
        text_field=args.text_field,
        id_field=args.id_field,
        max_record_bytes=args.max_record_bytes,
        table_files=args.table_files,
    )
    for block in first_records(plan_work(args.input, options), args.records):
        for letter in block.dead_letters:
            why = letter.message.rstrip(".")
            say(f"{letter.source}:{letter.position} would be a dead letter: {letter.code}, {why}.")
        for record_id, text in zip(block.ids, block.texts, strict=True):
            try:
                yield record_id, explain_text(encoder, engine, text)
            except UsageError as error:
                say(f"{short_id(record_id)}: {error}")


def _figures(text: "ExplainedText", outputs: list[str]) -> dict[str, object]:
    found, label = text.found, text.label
    named = {"label": outputs[label], "label_score": found.scores[label]} if found.scores and label is not None else {}
    return {
        **({"id": text.id} if text.id is not None else {}),
        "normal_form": found.normal_form,
        "n_tokens": found.n_tokens,
        "n_oov": found.n_oov,
        "length": found.length,
        **named,
        "scores": dict(zip(outputs, found.scores, strict=True)) if found.scores else None,
        "left_out_together": found.left_out_together,
        "tokens": [
            {
                "token": token.surface,
                "id": token.token_id,
                "fate": token.fate,
                "effects": dict(zip(outputs, token.effects, strict=True)) if token.effects else None,
            }
            for token in found.tokens
        ],
    }
