"""Scores beside their labels: a bundle scores labelled records, or a run has kept their labels."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.engines.engine import Engine
from saiten.model.engines.score_encoded import score_encoded
from saiten.model.errors import UsageError
from saiten.model.evaluation.evaluation import LabelledScores
from saiten.model.evaluation.metrics import are_exclusive
from saiten.model.task import Task
from saiten.model.text.encoder import Encoder
from saiten.model.text.ragged import DoubleArray, FloatArray, IntArray
from saiten.model.training.targets import NumberLabels
from saiten.pipelines.commands.training.labelled_records import (
    LABEL_MISSING,
    LABEL_NOT_FINITE,
    LabelFields,
    LabelledRecords,
    class_name,
)
from saiten.pipelines.run.results import read_scores
from saiten.pipelines.run.run_manifest import committed_manifest

_BATCH_TEXTS = 2_048
# The scores of exclusive classes sum to 1, but for single precision.
_SUM_TOLERANCE = 1e-3

Row = Sequence[float] | str


class Collected:
    """Scores and labels as they come, and why records are left out.

    Args:
        labels: Where the labels are.
        outputs: Of the model.

    Attributes:
        left_out: Records that are not evaluated, by code.
    """

    def __init__(self, labels: LabelFields, outputs: Sequence[str]) -> None:
        unknown = [] if labels.is_class else [name for name in labels.names if name not in outputs]
        if unknown:
            raise UsageError(f"The model has no output {unknown[0]!r}; its outputs are {', '.join(outputs):.300}.")
        self._labels, self._outputs = labels, tuple(outputs)
        self._numbers = {name: i for i, name in enumerate(outputs)}
        self._parts: list[tuple[FloatArray, DoubleArray, IntArray, IntArray]] = []
        self.left_out: Counter[str] = Counter()

    def add(self, scores: FloatArray, labels: Sequence[Row], n_tokens: IntArray, n_oov: IntArray) -> None:
        """Takes the scores of some texts, [n, outputs], with a label each; texts without tokens are left out."""
        if self._labels.is_class:
            rows = np.array([[self._numbers.get(str(label), np.nan)] for label in labels], np.float64)
        else:
            rows = np.array(labels, np.float64).reshape(len(labels), -1)
        is_empty, is_unknown = np.equal(n_tokens, 0), np.isnan(rows).all(axis=1)
        self.left_out["EMPTY"] += int(is_empty.sum())
        self.left_out["CLASS_UNKNOWN"] += int((is_unknown & ~is_empty).sum())
        kept = ~is_empty & ~is_unknown
        self._parts.append((scores[kept], rows[kept], n_tokens[kept], n_oov[kept]))

    def labelled_scores(self, task: Task | None) -> LabelledScores:
        """Returns all of them.

        Args:
            task: The model's; None: as labels and scores are.

        Raises:
            UsageError: There are none, or the labels are not of the task.
        """
        if not sum(len(part[0]) for part in self._parts):
            codes = ", ".join(f"{code} {count:,}" for code, count in sorted(self.left_out.items()) if count)
            raise UsageError(f"No record is left to evaluate{f' ({codes})' if codes else ''}.")
        columns = (np.concatenate(values) for values in zip(*self._parts, strict=True))
        scores, rows, n_tokens, n_oov = columns
        if self._labels.is_class:
            if task is None and not _are_of_classes(scores):
                raise UsageError(
                    "--class_field is for scores of exclusive classes, and these do not add up to 1: name the fields "
                    "with their labels by --label_fields."
                )
            return LabelledScores("classes", self._outputs, scores, rows.astype(np.float32), n_tokens, n_oov)
        chosen = [self._outputs.index(name) for name in self._labels.names]
        if task is None:
            task = _task_of(rows, scores[:, chosen])
        if task == "classes" and len(chosen) < len(self._outputs):
            raise UsageError("The model's outputs are exclusive classes: name all of them by --label_fields.")
        targets = NumberLabels(self._labels.names).values(rows, task, f"A model of {task}")
        return LabelledScores(task, tuple(self._labels.names), scores[:, chosen], targets, n_tokens, n_oov)


def _are_of_classes(scores: FloatArray) -> bool:
    return bool(np.abs(scores.sum(axis=1) - 1).max() < _SUM_TOLERANCE)


def _task_of(labels: DoubleArray, scores: FloatArray) -> Task:
    if are_exclusive(labels) and _are_of_classes(scores):
        return "classes"
    are_flags = bool(np.isin(labels[~np.isnan(labels)], (0, 1)).all())
    return "labels" if are_flags and scores.min() >= 0 and scores.max() <= 1 else "numbers"


def score_records(records: LabelledRecords, labels: LabelFields, bundle: StoredBundle, engine_name: str) -> Collected:
    """Scores labelled records with a bundle, some thousand at a time.

    Raises:
        BundleError: The bundle is refused.
        UsageError: Labels or records will not do.
    """
    from saiten.pipelines.steps.scoring_bundle import load_encoder, load_engine

    if labels.is_class and bundle.manifest.task != "classes":
        raise UsageError(
            f"--class_field is for models of classes, and this one gives {bundle.manifest.task}: name the fields with "
            "its labels by --label_fields."
        )
    collected = Collected(labels, bundle.outputs)
    encoder, engine = load_encoder(bundle), load_engine(bundle, bundle.engine_name(engine_name))
    waiting = iter(records)
    while some := list(islice(waiting, _BATCH_TEXTS)):
        _score(collected, some, encoder, engine)
    collected.left_out += records.bad
    return collected


def _score(collected: Collected, some: Sequence[tuple[str, Row]], encoder: Encoder, engine: Engine) -> None:
    encoded, errors = encoder.encode_all([text for text, _ in some])
    scores, failures = score_encoded(engine, encoded)
    collected.left_out.update([*(error.code for error in errors.values()), *(code for code, _ in failures.values())])
    kept = np.setdiff1d(np.arange(len(some)), [*errors, *failures])
    labels = [some[i][1] for i in kept.tolist()]
    collected.add(scores[kept], labels, encoded.n_tokens[kept], encoded.n_oov[kept])


def read_run(directory: str, labels: LabelFields) -> Collected:
    """Returns the scores of a committed run whose labels were kept beside them (``--keep_fields``).

    Raises:
        UsageError: There is no such run, or it has not kept the labels.
    """
    manifest = committed_manifest(directory)
    collected = Collected(labels, manifest.outputs_scored)
    columns = ["status", "n_tokens", "n_oov", *(f"score_{name}" for name in manifest.outputs_scored)]
    table = read_scores(directory, [*columns, *labels.names])
    labels_there = list(_kept_labels(table, labels))
    reasons = [_reason_against(label) for label in labels_there]
    collected.left_out.update(reason for reason in reasons if reason)
    is_there = np.array([not reason for reason in reasons], np.bool_)
    table = table.filter(pa.array(is_there))
    scores = [pc.fill_null(table[f"score_{name}"], 0).to_numpy() for name in manifest.outputs_scored]
    is_scored = np.array(pc.equal(table["status"], "scored"))
    n_tokens, n_oov = (table[name].to_numpy().astype(np.int32) for name in ("n_tokens", "n_oov"))
    kept = [label for label, reason in zip(labels_there, reasons, strict=True) if label is not None and not reason]
    collected.add(np.stack(scores, axis=1).astype(np.float32), kept, np.where(is_scored, n_tokens, 0), n_oov)
    return collected


def _kept_labels(table: pa.Table, labels: LabelFields) -> Iterator[Row | None]:
    if labels.is_class:
        yield from (class_name(value) or None for value in table[labels.names[0]].cast(pa.string()).to_pylist())
        return
    for values in zip(*(_numbers(table[name], name) for name in labels.names), strict=True):
        yield None if all(np.isnan(values)) else values


def _reason_against(label: Row | None) -> str:
    """Returns the code of why a label is none; ``""`` for one that is."""
    if label is None:
        return LABEL_MISSING
    return LABEL_NOT_FINITE if not isinstance(label, str) and np.isinf(label).any() else ""


def _numbers(column: pa.ChunkedArray, name: str) -> list[float]:
    try:
        return [np.nan if value is None else value for value in column.cast(pa.float64()).to_pylist()]
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"The kept field {name!r} holds text where a number is meant; for names of classes give "
            f"--class_field={name}, and to keep numbers score with --keep_fields={name}:float64."
        ) from error
