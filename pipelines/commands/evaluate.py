"""`saiten evaluate`: how well a bundle's scores, or a run's, fit the labels of their texts."""

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from saiten.model.errors import FINDINGS_EXIT_CODE, UsageError, refuse_missing
from saiten.pipelines.commands.command_line.input_flags import OTHER_FILES, add_format_arguments, add_input_arguments
from saiten.pipelines.commands.flags import add_engine_argument, add_trust_argument
from saiten.pipelines.commands.training.flags import add_label_arguments
from saiten.pipelines.local.settings import check_dead_letter_rate
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from saiten.pipelines.commands.training.labelled_records import LabelFields
    from saiten.pipelines.commands.training.labelled_scores import Collected

# Figures that are better the larger they are: of these a least value can be asked for.
_RISING = ("accuracy", "macro_f1", "f1", "precision", "recall", "pearson", "spearman")


EXAMPLE = "saiten evaluate --bundle=bundles/news --input=held-out.jsonl \\\n    --class_field=category"


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
        help="the share of the records, from 0 to 1, that may be unusable; above it nothing is evaluated",
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
        help="exit 3 when the figure is lower: accuracy, macro_f1, spearman (the outputs' mean), taste.spearman, ...",
    )
    shown.add_argument("--json", action="store_true", help="the figures as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Evaluates; returns 0, or 3 where a figure is below its `--min_metric`.

    Raises:
        UsageError: Flags, input, bundle or labels will not do.
    """
    limits = [_limit(text) for text in args.min_metric]
    check_dead_letter_rate(args.max_dead_letter_rate)
    refuse_missing("sklearn", "evaluate")
    from saiten.model.evaluation.evaluation import evaluate_whole
    from saiten.pipelines.commands.training.labelled_records import parse_labels

    labels = parse_labels(args.label_fields, args.class_field)
    collected, task = _collect(args, labels)
    figures = {**evaluate_whole(collected.labelled_scores(task)), "left_out": dict(+collected.left_out)}
    reached = [(name, least, _value(figures, name)) for name, least in limits]
    if args.json:
        show(json.dumps(figures, indent=1))
    else:
        from saiten.pipelines.commands.pages.evaluation_page import print_evaluation

        print_evaluation(figures)
    below = [f"{name} {value:.4g} is below {least:g}" for name, least, value in reached if not value >= least]
    say("; ".join([_summary(figures, collected.left_out), *below]))
    return FINDINGS_EXIT_CODE if below else 0


def _collect(args: argparse.Namespace, labels: "LabelFields") -> tuple["Collected", Any]:
    """Returns scores with labels, and the model's task where a bundle says it."""
    from saiten.pipelines.commands.training.labelled_scores import read_run, score_records

    if args.run is not None:
        if args.bundle is not None or args.input is not None:
            raise UsageError("--run has its scores already: leave out --bundle and --input.")
        return read_run(args.run, labels), None
    if args.bundle is None or args.input is None:
        raise UsageError("saiten evaluate needs --bundle and --input, or --run; see saiten evaluate --help.")
    from saiten.pipelines.commands.training.labelled_records import LabelledRecords, read_options
    from saiten.pipelines.reading.plan import plan_work
    from saiten.pipelines.steps.scoring_bundle import opened_bundle

    plan = plan_work(args.input, read_options(args, labels))
    records = LabelledRecords(plan, labels, args.max_dead_letter_rate)
    with opened_bundle(args.bundle, trusted=args.trust_bundle) as bundle:
        return score_records(records, labels, bundle, args.engine), bundle.manifest.task


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition(":")
    try:
        least = float(value)
    except ValueError:
        least = float("nan")
    if not name or least != least:
        raise UsageError(f"--min_metric is a name, a colon and a number, such as accuracy:0.9, not {text!r:.100}.")
    if name.rpartition(".")[2] not in _RISING:
        raise UsageError(f"--min_metric={text:.100} names no figure of which more is better: {', '.join(_RISING)}.")
    return name, least


def _value(figures: dict[str, Any], name: str) -> float:
    """Returns a figure by its name: of all texts, of all outputs the mean, or of one output or class."""
    whose, _, figure = name.rpartition(".")
    of_one = {**figures.get("outputs", {}), **figures.get("classes", {})}
    found = of_one.get(whose, {}) if whose else {**figures.get("mean", {}), **figures}
    if figure not in found:
        there = [*figures, *figures.get("mean", {}), *(f"{one}.{key}" for one, each in of_one.items() for key in each)]
        raise UsageError(
            f"There is no figure {name!r:.100}; there are "
            f"{', '.join(other for other in there if other.rpartition('.')[2] in _RISING):.500}."
        )
    return float(found[figure]["value"]) if found[figure] else float("nan")


def _summary(figures: dict[str, Any], left_out: Counter[str]) -> str:
    shown = {**figures.get("mean", {}), **figures}
    wanted = ("accuracy", "macro_f1") if "macro_f1" in shown else ("f1",) if "f1" in shown else ("spearman", "accuracy")
    parts = [
        f"{name.replace('_', '-')} {shown[name]['value']:.4f} "
        f"({shown[name]['interval'][0]:.4f} to {shown[name]['interval'][1]:.4f})"
        for name in wanted
        if shown.get(name)
    ]
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(left_out.items()) if count)
    return f"{figures['texts']:,} texts: {', '.join(parts) or 'no figure'}{f'; left out: {codes}' if codes else ''}"
