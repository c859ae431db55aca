"""The model alone on one thread: the packed engine against a compiled Keras function.

    python -m benchmarks.probes.engine BUNDLE CORPUS REPEATS

The packed engine gets the texts as they arrive; Keras gets them sorted by length, in batches of 32.
"""

import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from itertools import islice

# Before NumPy and TensorFlow are imported. TensorFlow keeps oneDNN, which is quicker: the peer is at its best.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # noqa: E402

from saiten.model.bundle.bundle import read_bundle  # noqa: E402
from saiten.model.engines.keras_engine import KerasEngine, load_keras_engine  # noqa: E402
from saiten.model.text.encoder import EncodedTexts, pad  # noqa: E402
from saiten.model.text.ragged import FloatArray  # noqa: E402

_N_TEXTS = 512
_BATCH_SIZE = 32


def score_sorted(engine: KerasEngine, encoded: EncodedTexts) -> FloatArray:
    """Returns the scores by Keras, float32 [n, outputs], in length-sorted batches padded to their longest text."""
    scores = np.empty((len(encoded.lengths), engine.n_outputs), np.float32)
    order = np.argsort(encoded.lengths, kind="stable")
    for start in range(0, len(order), _BATCH_SIZE):
        rows = order[start : start + _BATCH_SIZE]
        matrix = pad(encoded.token_ids, encoded.offsets, rows, int(encoded.lengths[rows[-1]]))
        scores[rows] = engine.score_matrix(matrix)
    return scores


def measure(bundle_path: pathlib.Path, corpus: pathlib.Path, repeats: int) -> dict[str, object]:
    """Returns seconds of each side, one a repeat, in turn; both are warm by then."""
    bundle = read_bundle(bundle_path)
    with corpus.open(encoding="utf-8", newline="\n") as lines:
        encoded = bundle.encoder().encode([line.rstrip("\n") for line in islice(lines, _N_TEXTS)])
    packed, keras = bundle.engine("packed"), load_keras_engine(bundle_path / "model.keras", threads=1)
    sides: dict[str, Callable[[], FloatArray]] = {
        "packed": lambda: packed.score(encoded.token_ids, encoded.offsets),
        "keras": lambda: score_sorted(keras, encoded),
    }
    largest = float(np.abs(sides["packed"]() - sides["keras"]()).max())
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, score in sides.items():
            started = time.perf_counter()
            score()
            seconds[name].append(time.perf_counter() - started)
    return {**seconds, "tokens": len(encoded.token_ids), "texts": len(encoded.lengths), "largest_difference": largest}


if __name__ == "__main__":
    print(json.dumps(measure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]))))
