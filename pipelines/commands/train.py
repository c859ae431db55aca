"""`saiten train`: labelled text to a bundle."""

import argparse
import dataclasses
import json
import os
import pathlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from saiten.model.training.config import LOSSES, NETWORKS, OPTIMIZERS, TrainingConfig, Word2VecConfig
from saiten.pipelines.commands.flags import add_text_arguments, tokenizer_config
from saiten.pipelines.commands.options import add_input_arguments
from saiten.pipelines.local.settings import check_dead_letter_rate
from saiten.pipelines.quiet import import_tensorflow
from saiten.pipelines.terminal import say, show

if TYPE_CHECKING:
    from rich.console import Console

    from saiten.model.training.train import TrainingResult
    from saiten.pipelines.commands.labels import FurtherTexts, LabelledRecords
    from saiten.pipelines.reading.options import KeptField, ReadOptions

# OpenBLAS's threads wait by spinning, and get in the way of training's own: two of them on two busy cores
# made an epoch two to seven times longer. One also sums in the same order on any machine.
_BLAS_THREADS = "1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `saiten train`."""
    add_input_arguments(parser)
    parser.add_argument("--label_fields", required=True, help="fields with the labels, numbers, comma-separated")
    parser.add_argument("--bundle", required=True, help="directory for the bundle; must be new or empty")
    parser.add_argument("--max_dead_letter_rate", type=float, default=0.01, help="with more bad records, train nothing")
    _add_text_arguments(parser.add_argument_group("text to word vectors"))
    _add_network_arguments(parser.add_argument_group("network"))
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", action="store_true", help="the training's metrics as JSON on standard output")


def _add_text_arguments(group: "argparse._ArgumentGroup") -> None:
    add_text_arguments(group, normalization="nfkc")
    group.add_argument("--max_sequence_length", type=int, default=8_000, help="tokens; longer texts are truncated")
    group.add_argument("--truncating", choices=["pre", "post"], default="pre", help="drop the beginning or the end")
    group.add_argument("--oov", choices=["token", "drop"], default="token", help="words outside the vocabulary")
    group.add_argument("--min_count", type=int, default=5, help="rarer words are not in the vocabulary")
    group.add_argument("--vocabulary_size", type=int, help="at most so many ids, padding and OOV included")
    group.add_argument("--embedding_dim", type=int, default=200, help="length of a word vector (--vectors has its own)")
    group.add_argument("--vectors", type=pathlib.Path, help="word2vec text or binary file, instead of training them")
    group.add_argument("--word2vec_input", help="further text for word2vec: file, directory, glob or list")
    group.add_argument("--word2vec_epochs", type=int, default=5)
    group.add_argument("--context_window", type=int, default=5, help="word2vec looks at so many words on either side")
    group.add_argument("--skip_gram", action="store_true", help="word2vec by skip-gram instead of CBOW")


def _add_network_arguments(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--network", choices=NETWORKS, default="lstm")
    group.add_argument("--lstm_units", type=int, default=32, help="size of its state, in each direction")
    group.add_argument("--loss", choices=LOSSES, default="mse", help="on standardised labels")
    group.add_argument("--optimizer", choices=OPTIMIZERS, default="adam")
    group.add_argument("--learning_rate", type=float, default=1e-3)
    group.add_argument("--batch_size", type=int, default=32)
    group.add_argument("--epochs", type=int, default=12, help="at most")
    group.add_argument("--patience", type=int, default=3, help="end after so many epochs without a better one")
    group.add_argument("--validation_fraction", type=float, default=0.1, help="share of the texts that is held out")
    group.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Trains and writes the bundle; returns the exit code.

    Raises:
        UsageError: Flags, input or labels will not do.
        BundleError: The bundle's directory is in use.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", _BLAS_THREADS)  # before NumPy is first imported
    from rich.console import Console

    from saiten.pipelines.commands.labels import FurtherTexts, LabelledRecords, parse_label_fields
    from saiten.pipelines.commands.training_view import TrainingView
    from saiten.pipelines.reading.plan import plan_work

    check_dead_letter_rate(args.max_dead_letter_rate)
    config = training_config(args)
    labels = parse_label_fields(args.label_fields)
    options = _read_options(args, labels)
    further_options = dataclasses.replace(options, input_format="auto", kept_fields=(), allow_plain_text=True)
    plan = plan_work(args.input, options)
    further_plan = plan_work(args.word2vec_input, further_options) if args.word2vec_input else None
    records = LabelledRecords(plan, args.max_dead_letter_rate)
    further = FurtherTexts(further_plan, args.max_dead_letter_rate)
    import_tensorflow()
    from saiten.model.training.train import train

    console = Console(stderr=True, quiet=args.quiet)
    with TrainingView(console) as view:
        result = train(
            records,
            outputs=[field.name for field in labels],
            bundle_path=pathlib.Path(args.bundle),
            config=config,
            further_texts=further,
            data={"files": len(plan.files), "bytes": plan.total_bytes},
            watcher=view,
        )
    _report(result, console, as_json=args.json)
    say(f"scores with {result.bundle.engines}")
    say(summary_line(result.training, records, further, args.bundle))
    return 0


def _read_options(args: argparse.Namespace, labels: tuple["KeptField", ...]) -> "ReadOptions":
    from saiten.pipelines.reading.options import ReadOptions

    return ReadOptions(
        input_format=args.input_format,
        encoding=args.encoding,
        quoting=args.quoting,
        text_field=args.text_field,
        kept_fields=labels,
        kept_fields_flag="--label_fields",
        table_files=args.table_files,
        max_record_bytes=args.max_record_bytes,
    )


def _report(result: "TrainingResult", console: "Console", *, as_json: bool) -> None:
    from saiten.pipelines.commands.training_view import metrics_table

    if result.training["metrics"]:
        console.print(metrics_table(result.training["metrics"]))
    if as_json:
        show(json.dumps({"bundle_id": result.bundle.bundle_id, **result.training}, indent=1))


def training_config(args: argparse.Namespace) -> TrainingConfig:
    """Returns the training's settings.

    Raises:
        UsageError: A value is out of range.
    """
    named = {field.name for field in dataclasses.fields(TrainingConfig)}
    return TrainingConfig(
        tokenizer=tokenizer_config(args),
        word2vec=Word2VecConfig(args.embedding_dim, args.context_window, args.word2vec_epochs, args.skip_gram),
        units=args.lstm_units,
        **{name: value for name, value in vars(args).items() if name in named},
    )


def summary_line(training: dict[str, Any], records: "LabelledRecords", further: "FurtherTexts", bundle: str) -> str:
    """Returns what happened in numbers, one line."""
    data, epochs = training["data"], training["epochs"]
    codes, further_codes = _codes(records.bad, data["skipped"]), _codes(further.bad, data["further_skipped"])
    best = max(report["epoch"] for report in epochs if report["is_best"])
    return (
        f"{records.n_read:,} records read, {data['used'] - data['held_out']:,} trained on, "
        f"{data['held_out']:,} held out{f', {codes}' if codes else ''}"
        f"{f'; left out of the further text: {further_codes}' if further_codes else ''}; "
        f"best of {len(epochs)} epochs is {best}; in {bundle}"
    )


def _codes(bad: Counter[str], skipped: dict[str, int]) -> str:
    """Returns why how many were left out; ``""`` where none was."""
    return ", ".join(f"{code} {count:,}" for code, count in sorted((bad + Counter(skipped)).items()))
