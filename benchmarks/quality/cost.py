"""What a bundle's network costs in scoring, against LSTM(32) over the same ids, both by the packed engine on one core.

    python -m benchmarks.quality.cost BUNDLE CORPUS [--repeats N]

The two take turns, so that whatever else the machine does meets both.
"""

import argparse
import json
import pathlib
import statistics
import time
from itertools import islice

import keras
from keras import layers

from saiten.model.bundle.bundle import read_bundle
from saiten.model.engines.packed.program import PackedEngine
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.keras_models.saved_model import load_keras_file

_TEXTS = 512
_UNITS, _DIMENSIONS = 32, 200


def article_network(vocabulary_size: int, n_outputs: int) -> PackedEngine:
    """Returns the article's LSTM(32) over so many words, packed; what its weights are changes no time."""
    words = layers.Embedding(vocabulary_size, _DIMENSIONS, mask_zero=True)
    stack = [keras.Input((None,), dtype="int32"), words, layers.LSTM(_UNITS), layers.Dense(n_outputs)]
    return pack_model(keras.Sequential(stack))


def measure(bundle_path: pathlib.Path, corpus: pathlib.Path, repeats: int) -> dict[str, object]:
    """Returns microseconds a token of each, medians, and the median of the turns' ratios with the least and largest."""
    bundle = read_bundle(bundle_path)
    with corpus.open(encoding="utf-8", newline="\n") as lines:
        encoded = bundle.encoder().encode([line.rstrip("\n") for line in islice(lines, _TEXTS)])
    lstm = article_network(len(bundle.encoder().vocabulary), len(bundle.outputs))
    engines = {"bundle": pack_model(load_keras_file(bundle_path / "model.keras")), "lstm32": lstm}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(repeats + 1):
        for name, engine in engines.items():
            started = time.process_time()
            engine.score(encoded.token_ids, encoded.offsets)
            if turn:  # the first compiles
                seconds[name].append(time.process_time() - started)
    ratios = sorted(own / other for own, other in zip(*seconds.values(), strict=True))
    n_tokens = len(encoded.token_ids)
    return {
        "texts": len(encoded.lengths),
        "tokens": n_tokens,
        "microseconds_a_token": {name: statistics.median(each) / n_tokens * 1e6 for name, each in seconds.items()},
        "ratio": {"median": statistics.median(ratios), "least": ratios[0], "largest": ratios[-1]},
    }


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    print(json.dumps(measure(args.bundle, args.corpus, args.repeats), indent=1))


if __name__ == "__main__":
    main()
