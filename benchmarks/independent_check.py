"""Scores a run's texts again without any of Saiten's code: MeCab, a dict, `model.predict`.

    python -m benchmarks.independent_check INPUT.jsonl BUNDLE RUN

Every text goes alone, padded to its own length. Prints the largest difference and, where the run
kept a `category`, how often the largest score names it. Exit 1 above 1e-5, scaled.
"""

import argparse
import json
import pathlib
import sys
import unicodedata
from typing import Any

import MeCab
import numpy as np
import pyarrow.parquet as pq
import unidic_lite

from saiten.pipelines.quiet import import_tensorflow

_TOLERANCE = 1e-5


class PlainEncoder:
    """The article's way from a text to ids."""

    def __init__(self, bundle: pathlib.Path) -> None:
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
        words = json.loads((bundle / "vocabulary.json").read_text(encoding="utf-8"))
        self._ids = {word: i for i, word in enumerate(words)}
        self._limit, self._truncating = manifest["max_sequence_length"], manifest["truncating"]
        folder = unidic_lite.DICDIR
        self._tagger = MeCab.Tagger(f'-r "{folder}/mecabrc" -d "{folder}" -Owakati')

    def encode(self, text: str) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Returns int32 [1, length]."""
        words = self._tagger.parse(unicodedata.normalize("NFKC", text)).split()
        ids = [self._ids.get(word, 1) for word in words]
        kept = ids[-self._limit :] if self._truncating == "pre" else ids[: self._limit]
        return np.array([kept], np.int32)


def main() -> int:
    """Compares all scores; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("input", type=pathlib.Path, help="JSONL with id and text")
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("run", type=pathlib.Path)
    args = parser.parse_args()
    import_tensorflow()
    import keras

    model = keras.models.load_model(args.bundle / "model.keras", compile=False)
    encoder = PlainEncoder(args.bundle)
    texts = {record["id"]: record["text"] for record in map(json.loads, args.input.open(encoding="utf-8"))}
    table = pq.read_table(args.run / "scores")
    names = [name for name in table.column_names if name.startswith("score_")]
    scores = np.stack([table[name].to_numpy() for name in names], axis=1)
    ids = table["id"].to_pylist()
    expected = np.concatenate([model.predict(encoder.encode(texts[id_]), verbose=0) for id_ in ids])
    difference = float((np.abs(scores - expected) / np.maximum(1, np.abs(expected))).max())
    print(f"{len(ids)} rows for {len(texts)} records; largest difference {difference:.2g} (allowed: {_TOLERANCE:g})")
    if "category" in table.column_names:
        wanted = ["score_is_" + category.replace("-", "_") for category in table["category"].to_pylist()]
        hits = [names[row] == name for row, name in zip(scores.argmax(axis=1), wanted, strict=True)]
        print(f"the largest score names the category of {np.mean(hits):.4f}")
    return int(not difference <= _TOLERANCE or len(ids) != len(texts))  # NaN is no agreement either


if __name__ == "__main__":
    sys.exit(main())
