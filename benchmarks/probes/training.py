"""Training without padding against `model.fit` on texts padded to the longest of a random batch of 32.

    python -m benchmarks.probes.training BUNDLE TRAIN_JSONL BATCHES REPEATS

Both make the same steps on the same random batches, as many as an epoch has or as were asked for; an epoch is
all of its batches, so its ratio is theirs. The network is the bundle's size, with the corpus's nine labels.
"""

import itertools
import json
import os
import pathlib
import sys
import time
from typing import Any

# As `saiten train` does, and before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

from benchmarks.make_bundle import EMBEDDING_DIM, UNITS
from saiten.model.bundle.bundle import read_bundle
from saiten.model.text.encoder import EncodedTexts, pad
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray
from saiten.model.training.learner import Learner
from saiten.model.training.network import build_network

_BATCH_SIZE = 32
_WARM_UP = 2
_SEED = 0
_LEARNING_RATE = 1e-3

Batch = tuple[Int64Array, FloatArray]


class PaddedBatches(keras.utils.PyDataset):
    """What `model.fit` takes: batches padded to their longest text."""

    def __init__(self, encoded: EncodedTexts, batches: list[Batch]) -> None:
        super().__init__()
        self._encoded = encoded
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[IntArray, FloatArray]:
        rows, targets = self._batches[index]
        lengths = self._encoded.lengths[rows]
        return pad(self._encoded.token_ids, self._encoded.offsets, rows, int(lengths.max())), targets


def read_corpus(bundle_path: pathlib.Path, corpus: pathlib.Path) -> tuple[EncodedTexts, FloatArray]:
    """Returns the texts' ids and their labels, float32 [n, outputs]."""
    with corpus.open(encoding="utf-8") as lines:
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    names = sorted(name for name in records[0] if name.startswith("is_"))
    labels = np.array([[record[name] for name in names] for record in records], np.float32)
    return read_bundle(bundle_path).encoder().encode([record["text"] for record in records]), labels


def cut_batches(labels: FloatArray) -> list[Batch]:
    """Returns an epoch's random batches, rows and targets, without the last one that is not full."""
    order = np.random.default_rng(_SEED).permutation(len(labels))
    starts = range(0, len(order) - _BATCH_SIZE + 1, _BATCH_SIZE)
    return [(rows, labels[rows]) for rows in (order[start : start + _BATCH_SIZE] for start in starts)]


def gather(encoded: EncodedTexts, rows: Int64Array) -> tuple[IntArray, Int64Array]:
    """Returns the rows' ids end to end, and their offsets."""
    pieces = [encoded.token_ids[encoded.offsets[row] : encoded.offsets[row + 1]] for row in rows]
    return np.concatenate(pieces), np.array([0, *itertools.accumulate(map(len, pieces))], np.int64)


def measure(bundle_path: pathlib.Path, corpus: pathlib.Path, n_batches: int, repeats: int) -> dict[str, object]:
    """Returns seconds of each side for the batches, one a repeat, in turn; both are warm by then."""
    encoded, labels = read_corpus(bundle_path, corpus)
    epoch = cut_batches(labels)
    batches, n_words = epoch[:n_batches], int(encoded.token_ids.max()) + 1
    embeddings = np.random.default_rng(_SEED).normal(0, 0.3, (n_words, EMBEDDING_DIM)).astype(np.float32)
    own, stock = (build_network("lstm", embeddings, UNITS, labels.shape[1]) for _ in range(2))
    stock.compile(optimizer=keras.optimizers.Adam(_LEARNING_RATE), loss="mse")
    seconds: dict[str, list[float]] = {"saiten": [], "fit": []}
    with Learner(own, "mse", "adam", _LEARNING_RATE) as learner:
        for number, chosen in enumerate([batches[:_WARM_UP], *[batches] * repeats]):
            times = {"saiten": _time_learner(learner, encoded, chosen), "fit": _time_fit(stock, encoded, chosen)}
            for name, value in times.items():
                seconds[name] += [value] if number else []
    tokens = sum(int(encoded.lengths[rows].sum()) for rows, _ in batches)
    return {**seconds, "batches": len(batches), "batches_of_epoch": len(epoch), "tokens": tokens}


def _time_learner(learner: Learner, encoded: EncodedTexts, batches: list[Batch]) -> float:
    started = time.perf_counter()
    for rows, targets in batches:
        learner.step(*gather(encoded, rows), targets)
    return time.perf_counter() - started


def _time_fit(model: keras.Model, encoded: EncodedTexts, batches: list[Batch]) -> float:
    started = time.perf_counter()
    model.fit(PaddedBatches(encoded, batches), verbose=0, shuffle=False)
    return time.perf_counter() - started


if __name__ == "__main__":
    _bundle, _corpus, _batches, _repeats = sys.argv[1:]
    print(json.dumps(measure(pathlib.Path(_bundle), pathlib.Path(_corpus), int(_batches), int(_repeats))))
