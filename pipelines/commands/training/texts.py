"""All the texts that a training reads."""

import argparse
import dataclasses

from saiten.pipelines.commands.training.further_texts import FurtherTexts
from saiten.pipelines.commands.training.labelled_records import LabelFields, LabelledRecords, read_options
from saiten.pipelines.reading.plan import plan_work


@dataclasses.dataclass(frozen=True)
class Texts:
    """What a training reads.

    Attributes:
        labelled: To learn from, and to hold a share of out.
        validation: To hold out instead; none where it has no plan.
        further: Without labels, for word vectors.
        sizes: Of the labelled input, for the manifest.
    """

    labelled: LabelledRecords
    validation: LabelledRecords
    further: FurtherTexts
    sizes: dict[str, int]


def plan_texts(args: argparse.Namespace, labels: LabelFields) -> Texts:
    """Says what to read; no record is read before they are iterated over.

    Raises:
        UsageError: An input, or a field of it, will not do.
    """
    options = read_options(args, labels)
    plan = plan_work(args.input, options)
    others = dataclasses.replace(options, input_format="auto")
    validation_plan = (
        plan_work(args.validation_input, others, flag="--validation_input") if args.validation_input else None
    )
    unlabelled = dataclasses.replace(others, kept_fields=(), allow_plain_text=True)
    further_plan = plan_work(args.word2vec_input, unlabelled, flag="--word2vec_input") if args.word2vec_input else None
    rate = args.max_dead_letter_rate
    return Texts(
        LabelledRecords(plan, labels, rate),
        LabelledRecords(validation_plan, labels, rate, "records of --validation_input"),
        FurtherTexts(further_plan, rate),
        {"files": len(plan.files), "bytes": plan.total_bytes},
    )
