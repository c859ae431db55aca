"""`saiten train`: labelled text to a bundle."""

import argparse
import json
import os
import pathlib
from typing import TYPE_CHECKING

from saiten.pipelines.commands.command_line.input_flags import OTHER_FILES, add_format_arguments, add_input_arguments
from saiten.pipelines.commands.training.flags import add_label_arguments, add_training_arguments, training_config
from saiten.pipelines.local.settings import check_dead_letter_rate
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from rich.console import Console

    from saiten.model.training.config import TrainingConfig
    from saiten.model.training.train import TrainingResult
    from saiten.pipelines.commands.training.labelled_records import LabelFields
    from saiten.pipelines.commands.training.texts import Texts

# OpenBLAS's threads wait by spinning, and get in the way of training's own: two of them on two busy cores
# made an epoch two to seven times longer. One also sums in the same order on any machine.
_BLAS_THREADS = "1"


EXAMPLE = "saiten train --input=news.jsonl --text_field=body --class_field=category \\\n    --bundle=bundles/news"
ONE_OF = (("--class_field", "--label_fields"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten train`."""
    usual = parser.add_argument_group("most trainings need no more than these")
    add_input_arguments(usual)
    add_label_arguments(usual)
    usual.add_argument("--bundle", metavar="DIR", required=True, help="where to write the bundle, a new directory")
    files = parser.add_argument_group(OTHER_FILES)
    add_format_arguments(files)
    files.add_argument(
        "--max_dead_letter_rate",
        metavar="SHARE",
        type=float,
        default=0.01,
        help="the share of the records, from 0 to 1, that may be unusable; above it nothing is trained",
    )
    add_training_arguments(parser)
    shown = parser.add_argument_group("to say what is shown")
    shown.add_argument("--quiet", action="store_true", help="show no progress")
    shown.add_argument("--json", action="store_true", help="the training's metrics as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Trains and writes the bundle; returns the exit code.

    Raises:
        UsageError: Flags, input or labels will not do.
        BundleError: The bundle's directory is in use.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", _BLAS_THREADS)  # before NumPy is first imported
    from rich.console import Console

    from saiten.model.bundle.writer import refuse_used
    from saiten.model.training.config import refuse_unready
    from saiten.pipelines.commands.training.labelled_records import parse_labels
    from saiten.pipelines.commands.training.texts import plan_texts

    check_dead_letter_rate(args.max_dead_letter_rate)
    config = training_config(args)
    refuse_unready(config, with_baseline=args.baseline)
    labels = parse_labels(args.label_fields, args.class_field)
    texts = plan_texts(args, labels)
    refuse_used(pathlib.Path(args.bundle))
    for labelled in (texts.labelled, texts.validation):
        labelled.look()
    console = Console(stderr=True, quiet=args.quiet)
    trained = _train(args, config, labels, texts, console)
    from saiten.pipelines.commands.training.outcome import say_findings, show_figures, summary_line

    show_figures(trained.training, console)
    if args.json:
        show(json.dumps({"bundle_id": trained.bundle.bundle_id, **trained.training}, indent=1))
    say_findings(trained, args.bundle, is_quiet=args.quiet)
    say(summary_line(trained.training, texts, args.bundle))
    return 0


def _train(
    args: argparse.Namespace, config: "TrainingConfig", labels: "LabelFields", texts: "Texts", console: "Console"
) -> "TrainingResult":
    from saiten.pipelines.commands.training.view import TrainingView

    with TrainingView(console) as view:
        view.begin("loading TensorFlow", None)
        import_tensorflow()
        from saiten.model.training.targets import ClassLabels, NumberLabels
        from saiten.model.training.train import train
        from saiten.pipelines.reports.training_report import training_report

        return train(
            texts.labelled,
            labels=ClassLabels() if labels.is_class else NumberLabels(labels.names),
            bundle_path=pathlib.Path(args.bundle),
            config=config,
            validation=texts.validation,
            further_texts=texts.further,
            data=texts.sizes,
            with_baseline=args.baseline,
            segmenter=args.segmenter,
            make_page=training_report,
            watcher=view,
        )
