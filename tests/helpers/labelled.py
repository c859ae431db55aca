"""Small labelled corpora with something to learn in them."""

import json
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.training.collected import Collected
from saiten.pipelines.commands.training.labelled_records import parse_labels
from tests.conftest import SENTENCES

TEXTS = [*SENTENCES, *(first + second for first in SENTENCES for second in SENTENCES)]

_GOOD = ("とても美味しい", "最高の味だ", "大満足です", "素晴らしい料理")
_BAD = ("まずい料理だ", "二度と行かない", "ひどい味です", "残念な対応")
_FILLER = ("駅の近くにある店。", "昨日は家族と行った。", "窓から海が見える。", "席は二階にもある。")


def reviews(n: int, seed: int = 0) -> Iterator[tuple[str, list[float]]]:
    """Yields texts of different lengths with two labels: how good it is, from 0 to 1, and how bad."""
    rng = random.Random(seed)
    for _ in range(n):
        is_good = rng.random() < 0.5
        phrase = rng.choice(_GOOD if is_good else _BAD)
        before = "".join(rng.choices(_FILLER, k=rng.randrange(4)))
        after = "".join(rng.choices(_FILLER, k=rng.randrange(3)))
        yield f"{before}{phrase}。{after}", [float(is_good), float(not is_good)]


def scores_of(bundle: StoredBundle) -> Any:
    """The scores of `TEXTS`."""
    encoded = bundle.encoder().encode(TEXTS)
    return bundle.engine("packed").score(encoded.token_ids, encoded.offsets)


def write_records(path: pathlib.Path, records: list[dict[str, Any]]) -> pathlib.Path:
    """A JSON Lines file."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def class_records(bundle: StoredBundle) -> list[dict[str, Any]]:
    """Records of which three in four have the class that the model gives them; 5 is a number to those who write it."""
    chosen = scores_of(bundle).argmax(axis=1)
    given = np.where(np.arange(len(TEXTS)) % 4 == 0, (chosen + 1) % 3, chosen)
    names: list[Any] = ["bad", "good", 5.0]
    return [{"text": text, "mood": names[number]} for text, number in zip(TEXTS, given.tolist(), strict=True)]


def collected(fields: dict[str, str], scores: list[list[float]], labels: list[Any]) -> Collected:
    """Scores of the outputs `bad` and `good`, with labels.

    Args:
        fields: `label_fields` or `class_field`.
        scores: [n, 2].
        labels: One for each.
    """
    one = Collected(parse_labels(fields.get("label_fields"), fields.get("class_field")), ["bad", "good"])
    counts = np.full(len(labels), 3, np.int32)
    one.add(np.array(scores, np.float32), labels, counts, np.zeros_like(counts))
    return one
