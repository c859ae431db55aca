"""Texts with the scores that `model.predict` gave where the model was trained: what proves the whole way from text."""

import csv
import json
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saiten.model.bundle.golden import ids_of_text, rounding_tolerance
from saiten.model.engines.engine import Engine
from saiten.model.errors import BundleError, RecordError
from saiten.model.text.encoder import EncodedTexts, Encoder
from saiten.model.text.ragged import FloatArray, Int64Array

EXPECTED_TOLERANCE = 1e-4
# Of a model that computes in half precision where it was trained, and in single here: a few times its last place.
_HALF_PRECISION_TOLERANCES = {"float16": 2e-3, "bfloat16": 1.6e-2}
# A few times the last place of a number in single precision.
_LAST_PLACES = 5e-7
_MAX_TEXTS = 10_000
_SHOWN = 40


@dataclass(frozen=True)
class ExpectedScores:
    """Texts and what they score.

    Attributes:
        texts: One or more.
        scores: float32 [n, outputs].
        n_in_file: How many the file has; the first 10,000 are compared.
    """

    texts: Sequence[str]
    scores: FloatArray
    n_in_file: int = 0


def read_expected(path: pathlib.Path, outputs: Sequence[str]) -> ExpectedScores:
    """Reads JSONL, CSV or TSV with a field ``text`` and either one for each output or, in JSONL, a list ``scores``.

    Raises:
        BundleError: The file is none, or a line lacks a text or a score.
    """
    texts: list[str] = []
    scores: list[list[float]] = []
    n_in_file = 0
    try:
        for n_in_file, record in enumerate(_records(path), 1):
            if n_in_file > _MAX_TEXTS:
                continue
            text, values = record.get("text"), _scores(record, outputs)
            if not isinstance(text, str) or len(values) != len(outputs) or not all(map(math.isfinite, values)):
                raise ValueError(f"record {len(texts) + 1}")
            texts.append(text)
            scores.append(values)
    except OSError as error:
        raise BundleError(f"--expected={path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise BundleError(
            f"--expected={path}: record {len(texts) + 1} is no text with {len(outputs)} scores; give JSONL, CSV or TSV "
            f"with text and {', '.join(outputs):.80}, or JSONL with text and scores."
        ) from error
    if not texts:
        raise BundleError(f"--expected={path} holds no texts; give JSONL, CSV or TSV with some and their scores.")
    return ExpectedScores(texts, np.array(scores, np.float32), n_in_file)


def expected_tolerance(half_precision: str) -> float:
    """Returns what a score may differ by where nothing is amplified.

    Args:
        half_precision: What the model computed in where it was trained; ``""`` for single or double precision.
    """
    return _HALF_PRECISION_TOLERANCES.get(half_precision, EXPECTED_TOLERANCE)


def check_expected(
    expected: ExpectedScores,
    encoder: Encoder,
    engine: Engine,
    exact: Callable[[], Engine | None] = lambda: None,
    tolerance: float = EXPECTED_TOLERANCE,
) -> float:
    """Scores the texts and compares; returns the largest difference.

    Args:
        expected: The texts.
        encoder: Makes their ids.
        engine: The model in single precision.
        exact: Returns it in double precision, None where it does not compute so; asked where a score differs.
        tolerance: What a score may differ by where nothing is amplified.

    Raises:
        BundleError: A score differs by more than the tolerance and what single precision rounds in the model's scores,
            or a text cannot be tokenized, or has no token.
    """
    try:
        encoded = encoder.encode(expected.texts)
    except RecordError as error:
        raise BundleError(f"A text of --expected cannot be tokenized, so leave it out: {error}.") from error
    scores = engine.score(encoded.token_ids, encoded.offsets)
    with np.errstate(invalid="ignore"):
        every_difference = np.nan_to_num(np.abs(scores - expected.scores), nan=np.inf)
    allowed: FloatArray | float = tolerance
    if (every_difference > allowed).any() and (exact_engine := exact()):
        allowed = tolerance + _rounding(encoded, scores, exact_engine)
    differences = every_difference.max(axis=1)
    differing = np.flatnonzero((every_difference > allowed).any(axis=1))
    if differing.size:
        raise _difference_error(expected.texts, encoder, encoded, differences, differing)
    return float(differences.max())


def _rounding(encoded: EncodedTexts, scores: FloatArray, exact_engine: Engine) -> FloatArray:
    """Returns what single precision may round of each score."""
    rows = encoded.lengths > 0
    exact_scores = exact_engine.score(encoded.token_ids, encoded.offsets)
    rounding = rounding_tolerance(scores[rows], exact_scores[rows], _LAST_PLACES)
    return np.asarray(rounding * np.maximum(1, np.abs(np.nan_to_num(scores))), np.float32)


def _difference_error(
    texts: Sequence[str], encoder: Encoder, encoded: EncodedTexts, differences: FloatArray, differing: Int64Array
) -> BundleError:
    """Returns what is said of texts that score otherwise: the first of those that have ids here, or that none has."""
    share = f"{differing.size:,} of {len(differences):,} texts of --expected"
    with_ids = differing[encoded.lengths[differing] > 0]
    if not with_ids.size:
        return BundleError(
            f"{share} have no ids here, the first is {_short(texts[int(differing[0])])!r}, and Saiten gives such texts "
            "no score; if your code makes none of them either, leave them out."
        )
    first = int(with_ids[0])
    tokens = " ".join(encoder.tokenizer.tokenize(texts[first]))
    ids = " ".join(map(str, ids_of_text(encoded, first)))
    return BundleError(
        f"{share} score otherwise; the first is {_short(texts[first])!r}, off by {differences[first]:.2g}: its tokens "
        f"are {_short(tokens)!r}, its ids {_short(ids)}; compare them with those that your code makes, and set the "
        "flag that tells them apart."
    )


def _records(path: pathlib.Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() in (".csv", ".tsv"):
            yield from csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        else:
            yield from (json.loads(line) for line in file if line.strip())


def _scores(record: Mapping[str, Any], outputs: Sequence[str]) -> list[float]:
    listed = record.get("scores")
    if listed is None:
        listed = [record[name] if name in record else record.get(f"score_{name}") for name in outputs]
    return [float(value) for value in (listed if isinstance(listed, list) else [listed])]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
