"""`saiten evaluate`: how well a bundle's scores, or a run's, fit the labels of their texts."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from saiten.model.counted import counted
from saiten.model.errors import FINDINGS_EXIT_CODE, UsageError, refuse_missing
from saiten.pipelines.commands.command_line.input_flags import OTHER_FILES, add_format_arguments, add_input_arguments
from saiten.pipelines.commands.flags import add_engine_argument, add_trust_argument
from saiten.pipelines.commands.training.flags import add_label_arguments
from saiten.pipelines.commands.training.least_figures import LeastFigure, figure_of, parse_limit
from saiten.pipelines.local.settings import check_dead_letter_rate
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from saiten.model.evaluation.evaluation import LabelledScores
    from saiten.pipelines.commands.training.collected import Collected
    from saiten.pipelines.commands.training.labelled_records import LabelFields

_NAMED_CLASSES = 5
_NO_FIGURE = "no correlation can be told, because the labels are all the same, or the scores are"

EXAMPLE = (
    "saiten evaluate --bundle=bundles/news --input=held-out.jsonl \\\n    --text_field=body --class_field=category"
)
ONE_OF = (("--bundle,--input", "--run"), ("--class_field", "--label_fields"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten evaluate`."""
    scored = parser.add_argument_group("to say what is evaluated")
    scored.add_argument(
        "--bundle", metavar="DIR", help="the model, which scores --input: what train or bundle has made"
    )
    add_input_arguments(scored, is_required=False)
    scored.add_argument("--run", metavar="DIR", help="instead: a run that has kept its labels (score --keep_fields)")
    add_label_arguments(scored)
    files = parser.add_argument_group(OTHER_FILES)
    add_format_arguments(files)
    files.add_argument(
        "--max_dead_letter_rate",
        metavar="SHARE",
        type=float,
        default=0.01,
        help="the share of the records, from 0 to 1, that may lack a label or fail; above it nothing is evaluated",
    )
    model = parser.add_argument_group("to choose how texts are scored")
    add_engine_argument(model)
    add_trust_argument(model)
    shown = parser.add_argument_group("to say what is shown, and when to fail")
    shown.add_argument(
        "--min_metric",
        action="append",
        default=[],
        metavar="NAME:NUMBER",
        help="exit 3 when the figure is lower: accuracy, macro_f1, spearman (the outputs' mean), taste.spearman, ...; "
        "a text of a class that the model does not have counts as wrong",
    )
    shown.add_argument("--json", action="store_true", help="the figures as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Evaluates; returns 0, or 3 where a figure is below its `--min_metric`.

    Raises:
        UsageError: Flags, input, bundle or labels will not do.
    """
    limits = [parse_limit(text) for text in args.min_metric]
    check_dead_letter_rate(args.max_dead_letter_rate)
    refuse_missing("sklearn", "evaluate")
    from saiten.model.evaluation.evaluation import evaluate_whole
    from saiten.pipelines.commands.training.labelled_records import parse_labels

    labelled, collected = _collect(args, parse_labels(args.label_fields, args.class_field), limits)
    unknown = {"unknown_classes": dict(collected.unknown.most_common())} if labelled.task == "classes" else {}
    figures = {**evaluate_whole(labelled), **unknown, "left_out": dict(+collected.left_out)}
    reached = [(limit, figure_of(figures, limit.name)) for limit in limits]
    if args.json:
        show(json.dumps(figures, indent=1))
    else:
        from saiten.pipelines.commands.pages.evaluation_page import print_evaluation

        print_evaluation(figures)
    below = [
        f"{limit.name} {value:.4g} is below {limit.least:g}" for limit, value in reached if not value >= limit.least
    ]
    say("; ".join([_summary(figures), *below]))
    return FINDINGS_EXIT_CODE if below else 0


def _collect(
    args: argparse.Namespace, labels: "LabelFields", limits: Sequence[LeastFigure]
) -> tuple["LabelledScores", "Collected"]:
    """Returns scores with labels, and what is left out of them."""
    from saiten.pipelines.commands.training.labelled_scores import read_run, score_records

    if args.run is not None:
        if args.bundle is not None or args.input is not None:
            raise UsageError("--run has its scores already: leave out --bundle and --input.")
        return read_run(args.run, labels, args.max_dead_letter_rate, limits)
    if args.bundle is None or args.input is None:
        raise UsageError("saiten evaluate needs --bundle and --input, or --run; see saiten evaluate --help.")
    from saiten.pipelines.commands.training.labelled_records import LabelledRecords, read_options
    from saiten.pipelines.reading.plan import plan_work
    from saiten.pipelines.steps.scoring_bundle import opened_bundle

    plan = plan_work(args.input, read_options(args, labels))
    records = LabelledRecords(plan, labels, args.max_dead_letter_rate)
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        return score_records(records, labels, bundle, args.engine, limits)


def _summary(figures: dict[str, Any]) -> str:
    shown = {**figures.get("mean", {}), **figures}
    wanted = ("accuracy", "macro_f1") if "macro_f1" in shown else ("f1",) if "f1" in shown else ("spearman", "accuracy")
    parts = [
        f"{name.replace('_', '-')} {shown[name]['value']:.4f} "
        f"({shown[name]['interval'][0]:.4f} to {shown[name]['interval'][1]:.4f})"
        for name in wanted
        if shown.get(name)
    ]
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(figures["left_out"].items()))
    left_out = f"; left out: {codes}" if codes else ""
    unknown = _unknown(figures.get("unknown_classes", {}))
    return f"{counted(figures['texts'], 'text')}: {', '.join(parts) or _NO_FIGURE}{unknown}{left_out}"


def _unknown(classes: dict[str, int]) -> str:
    """Says how many texts have a class that the model does not have; ``""`` where none has."""
    if not classes:
        return ""
    named = ", ".join(f"{name:.40} {count:,}" for name, count in list(classes.items())[:_NAMED_CLASSES])
    n, more = sum(classes.values()), ", …" if len(classes) > _NAMED_CLASSES else ""
    wrong = (
        "text is of a class that the model does not have, and counts"
        if n == 1
        else ("texts are of classes that the model does not have, and count")
    )
    return f"; {n:,} {wrong} as wrong ({named}{more})"
