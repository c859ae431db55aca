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
from saiten.model.text.encoder import Encoder
from saiten.pipelines.commands.training.collected import Collected, Row
from saiten.pipelines.commands.training.further_texts import refuse_bad_rate
from saiten.pipelines.commands.training.labelled_records import (
    LABEL_MISSING,
    LABEL_NOT_FINITE,
    LabelFields,
    LabelledRecords,
    class_name,
)
from saiten.pipelines.commands.training.least_figures import LeastFigure, refuse_absent_figures
from saiten.pipelines.run.parquet_part import MissingColumnError
from saiten.pipelines.run.results import read_scores
from saiten.pipelines.run.run_manifest import committed_manifest

_BATCH_TEXTS = 2_048


def score_records(
    records: LabelledRecords, labels: LabelFields, bundle: StoredBundle, engine_name: str, limits: Sequence[LeastFigure]
) -> tuple[LabelledScores, Collected]:
    """Scores labelled records with a bundle, some thousand at a time.

    Args:
        records: What is scored; what the first of them show to be wrong is said before any of them is.
        labels: Where the labels are.
        bundle: The model.
        engine_name: Of the engine, or ``auto``.
        limits: Of figures that there must be.

    Returns:
        The scores with their labels, and what is left out of them.

    Raises:
        BundleError: The bundle is refused.
        UsageError: Labels or records will not do, too many failed, or there is no such figure.
    """
    from saiten.pipelines.steps.scoring_bundle import load_encoder, load_engine

    task = bundle.manifest.task
    collected = Collected(labels, bundle.outputs)
    collected.refuse_unfit(task, records.look())
    refuse_absent_figures(limits, task, collected.evaluated)
    encoder, engine = load_encoder(bundle), load_engine(bundle, bundle.engine_name(engine_name))
    waiting = iter(records)
    failed: Counter[str] = Counter()
    while some := list(islice(waiting, _BATCH_TEXTS)):
        failed += _score(collected, some, encoder, engine)
    records.refuse_failed(failed)
    collected.left_out += records.bad
    return collected.labelled_scores(task), collected


def _score(collected: Collected, some: Sequence[tuple[str, Row]], encoder: Encoder, engine: Engine) -> Counter[str]:
    """Returns how many could not be scored, by code."""
    encoded, errors = encoder.encode_all([text for text, _ in some])
    scores, failures = score_encoded(engine, encoded)
    kept = np.setdiff1d(np.arange(len(some)), [*errors, *failures])
    labels = [some[i][1] for i in kept.tolist()]
    collected.add(scores[kept], labels, encoded.n_tokens[kept], encoded.n_oov[kept])
    return Counter([*(error.code for error in errors.values()), *(code for code, _ in failures.values())])


def read_run(
    directory: str, labels: LabelFields, max_bad_rate: float, limits: Sequence[LeastFigure]
) -> tuple[LabelledScores, Collected]:
    """Returns the scores of a committed run whose labels were kept beside them (``--keep_fields``).

    Args:
        directory: The run's.
        labels: Where the labels are.
        max_bad_rate: The share of its records, dead letters among them, that may be unusable.
        limits: Of figures that there must be.

    Returns:
        The scores with their labels, and what is left out of them.

    Raises:
        UsageError: There is no such run, it has not kept the labels, too few are there, or there is no such figure.
    """
    manifest = committed_manifest(directory)
    collected = Collected(labels, manifest.outputs_scored)
    columns = ["status", "n_tokens", "n_oov", *(f"score_{name}" for name in manifest.outputs_scored)]
    try:
        table = read_scores(directory, [*columns, *labels.names])
    except MissingColumnError as error:
        if error.name not in labels.names:
            raise
        fields = ",".join(labels.names if labels.is_class else [f"{name}:float64" for name in labels.names])
        raise UsageError(
            f"{directory} has no column {error.name!r}: score with --keep_fields={fields} to keep the labels, or give "
            "--bundle and --input."
        ) from error
    labels_there = list(_kept_labels(table, labels))
    reasons = [_reason_against(label) for label in labels_there]
    bad = Counter(reason for reason in reasons if reason) + Counter(manifest.dead_letter_codes)
    refuse_bad_rate(manifest.counts.records, bad, max_bad_rate, "records of the run")
    collected.left_out += bad
    is_there = np.array([not reason for reason in reasons], np.bool_)
    table = table.filter(pa.array(is_there))
    scores = [pc.fill_null(table[f"score_{name}"], 0).to_numpy() for name in manifest.outputs_scored]
    is_scored = np.array(pc.equal(table["status"], "scored"))
    n_tokens, n_oov = (table[name].to_numpy().astype(np.int32) for name in ("n_tokens", "n_oov"))
    kept = [label for label, reason in zip(labels_there, reasons, strict=True) if label is not None and not reason]
    collected.add(np.stack(scores, axis=1).astype(np.float32), kept, np.where(is_scored, n_tokens, 0), n_oov)
    labelled = collected.labelled_scores(None)
    refuse_absent_figures(limits, labelled.task, collected.evaluated)
    return labelled, collected


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
