"""Labelled corpora in two parts, and their texts as tokens."""

import pathlib
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from benchmarks.parts.settings import CHECKOUT
from benchmarks.quality.stand_ins import PART_OF_TITLES, STAND_INS, make_stand_ins
from saiten.model.errors import UsageError
from saiten.model.text.ragged import DoubleArray
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.training.targets import ClassLabels, LabelReader, NumberLabels, Targets
from saiten.pipelines.commands.training.labelled_records import LabelledRecords, parse_labels
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work

_SCORES = "taste,price,service,atmosphere,cleanliness,access,volume,overall"
_SAMPLE_SEED = "6"
# The sample's second part has a few broken records on purpose.
_BAD_RATE = 0.02


@dataclass(frozen=True)
class Corpus:
    """Labelled texts in two parts.

    Attributes:
        train, test: Files.
        text_field: The text.
        class_field: The name of its class; None where `label_fields` has numbers.
        label_fields: The numbers, commas between.
    """

    train: pathlib.Path
    test: pathlib.Path
    text_field: str
    class_field: str | None = None
    label_fields: str | None = None

    @property
    def label_flag(self) -> str:
        """The flag of `saiten` that names the labels."""
        return f"--class_field={self.class_field}" if self.class_field else f"--label_fields={self.label_fields}"

    def segmented(self) -> tuple[list[str], list[str], Targets]:
        """Returns the texts of both parts, one space between tokens, and the targets of both, end to end."""
        labels = parse_labels(self.label_fields, self.class_field)
        reader: LabelReader = ClassLabels() if labels.is_class else NumberLabels(labels.names)
        options = ReadOptions(text_field=self.text_field, kept_fields=labels.fields)
        tokenizer, rows, parts = Tokenizer(TokenizerConfig()), list[DoubleArray](), []
        for path in (self.train, self.test):
            lines = []
            for text, label in LabelledRecords(plan_work(str(path), options), labels, _BAD_RATE):
                if segmented := tokenizer.segment(text):
                    lines.append(segmented)
                    rows.append(reader.row(label, len(rows)))
            parts.append(lines)
        train, test = parts
        return train, test, reader.targets(np.stack(rows), len(train), None)


def make_corpora(corpora: pathlib.Path, out: pathlib.Path) -> dict[str, Corpus]:
    """Writes the corpora, unless they are there, and returns them by name.

    Args:
        corpora: The folder with ``prepare_livedoor.py`` and its archive.
        out: Where to.

    Raises:
        UsageError: There is no archive of the news, or it cannot be read.
    """
    news, sample = out / "livedoor", out / "sample"
    sample_command = [str(CHECKOUT / "scripts" / "make_sample.py"), f"--out={sample}", f"--seed={_SAMPLE_SEED}"]
    for folder, command in (
        (news, [str(corpora / "prepare_livedoor.py"), str(news), "--split"]),
        (sample, sample_command),
    ):
        if folder.exists():
            continue
        if subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=False).returncode:
            raise UsageError(f"{command[0]} failed; name the folder of the news by --corpora=DIR.")
    train, test, small = news / "train.jsonl", news / "test.jsonl", out / "stand-ins"
    if not small.exists():
        make_stand_ins(train, small)
    stand_ins = {
        name: Corpus(small / f"{name}-train.jsonl", small / f"{name}-test.jsonl", "text", class_field="category")
        for name in (*STAND_INS, PART_OF_TITLES)
    }
    return {
        "articles": Corpus(train, test, "text", class_field="category"),
        "titles": Corpus(train, test, "title", class_field="category"),
        "sample": Corpus(sample / "train.jsonl", sample / "reviews.jsonl", "text", label_fields=_SCORES),
        **stand_ins,
    }
