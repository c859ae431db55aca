"""Encoded texts to scores, whatever the model does: one that it cannot score costs itself alone."""

import numpy as np

from saiten.model.engines.engine import Engine
from saiten.model.text.encoder import EncodedTexts
from saiten.model.text.ragged import BoolArray, FloatArray, Int64Array, IntArray

# Code and message of the texts that could not be scored, by position.
Failures = dict[int, tuple[str, str]]


def score_encoded(engine: Engine, encoded: EncodedTexts) -> tuple[FloatArray, Failures]:
    """Scores texts; those without ids do not reach the model: a fully masked row gives it a plausible constant.

    Returns:
        float32 [n, outputs], finite, 0 where a text has no ids or failed; and the failures, by position:
        ``MODEL_ERROR`` or ``NOT_FINITE``, and why.
    """
    has_ids = encoded.lengths > 0
    offsets = np.append(encoded.offsets[:-1][has_ids], encoded.offsets[-1])
    rows = np.flatnonzero(has_ids)
    scores = np.zeros((len(has_ids), engine.n_outputs), np.float32)
    scores[rows], failed = _score_or_bisect(engine, encoded.token_ids, offsets)
    return scores, {int(rows[i]): failure for i, failure in failed.items()}


def _score_or_bisect(engine: Engine, token_ids: IntArray, offsets: Int64Array) -> tuple[FloatArray, Failures]:
    """Scores texts, each of 1 id or more; where the model goes wrong, cuts them up until the culprits are alone.

    Where it raises, the texts are halved. Where it gives scores of another shape, they are tried one by
    one: of a part it might give the right shape by chance, with the wrong scores in it.

    Returns:
        float32 [n, outputs], 0 where a text failed, and code and message of the failed by position.
    """
    n_texts = len(offsets) - 1
    if n_texts == 0:
        return np.zeros((0, engine.n_outputs), np.float32), {}
    try:
        scores = np.asarray(engine.score(token_ids[offsets[0] : offsets[-1]], offsets - offsets[0]), np.float32)
    except Exception as error:  # noqa: BLE001 - a model may raise anything, and must cost one record
        problem, size = f"the model raised {type(error).__name__}", -(-n_texts // 2)
    else:
        if scores.shape == (n_texts, engine.n_outputs):
            return _without_holes(scores)
        problem, size = f"the model gave scores of shape {scores.shape}", 1
    if n_texts == 1:
        return np.zeros((1, engine.n_outputs), np.float32), {0: ("MODEL_ERROR", problem)}
    starts = range(0, n_texts, size)
    parts = [_score_or_bisect(engine, token_ids, offsets[start : start + size + 1]) for start in starts]
    failures = {
        start + i: failure for start, (_, failed) in zip(starts, parts, strict=True) for i, failure in failed.items()
    }
    return np.concatenate([part for part, _ in parts]), failures


def _without_holes(scores: FloatArray) -> tuple[FloatArray, Failures]:
    finite: BoolArray = np.asarray(np.isfinite(scores).all(axis=1))
    holes = {int(i): ("NOT_FINITE", "a score is NaN or infinite") for i in np.flatnonzero(~finite)}
    return np.where(finite[:, None], scores, np.float32(0)), holes
