"""`saiten train`: labelled text to a bundle."""

import argparse
import dataclasses
import json
import os
import pathlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from saiten.pipelines.commands.flags import add_segmenter_argument
from saiten.pipelines.commands.score_flags import add_input_arguments
from saiten.pipelines.commands.training.flags import add_label_arguments, add_training_arguments, training_config
from saiten.pipelines.local.settings import check_dead_letter_rate
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from saiten.pipelines.commands.training.further_texts import FurtherTexts
    from saiten.pipelines.commands.training.labelled_records import LabelledRecords

# OpenBLAS's threads wait by spinning, and get in the way of training's own: two of them on two busy cores
# made an epoch two to seven times longer. One also sums in the same order on any machine.
_BLAS_THREADS = "1"


EXAMPLE = "saiten train --input=news.jsonl --text_field=body --class_field=category \\\n    --bundle=bundles/news"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten train`."""
    texts = parser.add_argument_group("what to learn from")
    add_input_arguments(texts)
    add_label_arguments(texts)
    texts.add_argument(
        "--max_dead_letter_rate",
        metavar="SHARE",
        type=float,
        default=0.01,
        help="from 0 to 1; with more bad records nothing is trained",
    )
    made = parser.add_argument_group("what is made")
    made.add_argument("--bundle", metavar="DIR", required=True, help="the bundle's directory; must be new or empty")
    add_segmenter_argument(made)
    made.add_argument("--quiet", action="store_true", help="no progress")
    made.add_argument("--json", action="store_true", help="the training's metrics as JSON on standard output")
    add_training_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Trains and writes the bundle; returns the exit code.

    Raises:
        UsageError: Flags, input or labels will not do.
        BundleError: The bundle's directory is in use.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", _BLAS_THREADS)  # before NumPy is first imported
    from rich.console import Console

    from saiten.model.bundle.writer import refuse_used
    from saiten.model.training.targets import ClassLabels, NumberLabels
    from saiten.pipelines.commands.training.further_texts import FurtherTexts
    from saiten.pipelines.commands.training.labelled_records import (
        LabelledRecords,
        parse_labels,
        read_options,
    )
    from saiten.pipelines.commands.training.view import TrainingView, metrics_table
    from saiten.pipelines.reading.plan import plan_work

    check_dead_letter_rate(args.max_dead_letter_rate)
    config = training_config(args)
    labels = parse_labels(args.label_fields, args.class_field)
    options = read_options(args, labels)
    plan = plan_work(args.input, options)
    others = dataclasses.replace(options, input_format="auto")
    validation_plan = plan_work(args.validation_input, others) if args.validation_input else None
    unlabelled = dataclasses.replace(others, kept_fields=(), allow_plain_text=True)
    further_plan = plan_work(args.word2vec_input, unlabelled) if args.word2vec_input else None
    records = LabelledRecords(plan, labels, args.max_dead_letter_rate)
    validation = LabelledRecords(validation_plan, labels, args.max_dead_letter_rate, "records of --validation_input")
    further = FurtherTexts(further_plan, args.max_dead_letter_rate)
    refuse_used(pathlib.Path(args.bundle))
    for labelled in (records, validation):
        labelled.look()
    console = Console(stderr=True, quiet=args.quiet)
    with TrainingView(console) as view:
        view.begin("loading TensorFlow", None)
        import_tensorflow()
        from saiten.model.bundle.bundle_files import TRAINING_PAGE
        from saiten.model.training.findings import baseline_line, coverage_line
        from saiten.model.training.train import train
        from saiten.pipelines.reports.training_report import training_report
        from saiten.pipelines.reports.training_verdict import judge_training

        result = train(
            records,
            labels=ClassLabels() if labels.is_class else NumberLabels(labels.names),
            bundle_path=pathlib.Path(args.bundle),
            config=config,
            validation=validation,
            further_texts=further,
            data={"files": len(plan.files), "bytes": plan.total_bytes},
            with_baseline=args.baseline,
            segmenter=args.segmenter,
            make_page=training_report,
            watcher=view,
        )
    if result.training["metrics"]:
        console.print(metrics_table(result.training["metrics"]))
    if comparison := result.training.get("baseline"):
        console.print(metrics_table(comparison["metrics"], "the linear baseline on them"))
    if args.json:
        show(json.dumps({"bundle_id": result.bundle.bundle_id, **result.training}, indent=1))
    if not args.quiet:
        engines = result.bundle.engines.rstrip(".")  # the reason why there is one alone is a sentence
        say(f"scores with {engines}; {os.path.join(args.bundle, TRAINING_PAGE)} shows the training")
        say(coverage_line(result.training))
        verdict = judge_training(result.training, len(result.bundle.outputs))
        for finding in verdict.findings if verdict else ():
            say(finding.sentence)
    elif comparison:
        say(baseline_line(comparison))
    say(summary_line(result.training, records, validation, further, args.bundle))
    return 0


def summary_line(
    training: dict[str, Any],
    records: "LabelledRecords",
    validation: "LabelledRecords",
    further: "FurtherTexts",
    bundle: str,
) -> str:
    """Returns what happened in numbers, one line."""
    data, epochs = training["data"], training["epochs"]
    codes = _codes(records.bad + validation.bad + Counter(data["skipped"]))
    further_codes = _codes(further.bad + Counter(data["further_skipped"]))
    missing = _codes(records.missing + validation.missing)
    best = max(report["epoch"] for report in epochs if report["is_best"])
    n_refit = training["settings"]["refit_epochs"]
    return (
        f"{records.n_read + validation.n_read:,} records read, {data['used'] - data['held_out']:,} trained on, "
        f"{data['held_out']:,} held out ({data['held_out_by']}){f', {codes}' if codes else ''}"
        f"{f'; missing labels: {missing}' if missing else ''}"
        f"{f'; left out of the further text: {further_codes}' if further_codes else ''}; "
        f"best of {len(epochs)} epochs is {best}{f', then {n_refit} on all texts' if n_refit else ''}; in {bundle}"
    )


def _codes(counts: Counter[str]) -> str:
    """Returns what was counted, by name; ``""`` where nothing was."""
    return ", ".join(f"{code} {count:,}" for code, count in sorted(counts.items()) if count)
