"""The article's recipe without its mask: what the padding does to a network that reads it.

    python -m benchmarks.quality.unmasked --corpora=DIR --out=DIR [--seed N]

Takes words and vectors of the bundle that `benchmarks.quality.run --corpus=articles --way=article` left in OUT, and
trains LSTM(32) on the texts padded behind, or cut, to 1,000 tokens. Writes OUT/articles-unmasked-SEED.json.
"""

import argparse
import json
import pathlib

import keras
import numpy as np
from keras import layers

from benchmarks.quality.corpus import make_corpora
from saiten.model.bundle.bundle import read_bundle
from saiten.model.evaluation.metrics import evaluate
from saiten.model.keras_models.saved_model import load_keras_file

_WIDTH, _UNITS, _PATIENCE = 1_000, 32, 3


def main() -> None:
    """Trains it, and writes its figures on the test part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    train, test, targets = make_corpora(args.corpora, args.out)["articles"].segmented()
    bundle = args.out / f"articles-article-{args.seed}"
    encoded = read_bundle(bundle).encoder().encode_segmented([*train, *test])
    starts, lengths = encoded.offsets[:-1], np.minimum(encoded.lengths, _WIDTH)
    ids = np.zeros((len(starts), _WIDTH), np.int32)
    for row, start, length in zip(ids, starts, lengths, strict=True):
        row[:length] = encoded.token_ids[start : start + length]
    vectors = load_keras_file(bundle / "model.keras").get_layer("embedding").get_weights()[0]
    keras.utils.set_random_seed(args.seed)
    words = layers.Embedding(*vectors.shape, weights=[vectors], trainable=False)
    model = keras.Sequential([layers.Input((_WIDTH,)), words, layers.LSTM(_UNITS), layers.Dense(len(targets.outputs))])
    model.compile("adam", "mse", jit_compile=True)
    labels, n = np.eye(len(targets.outputs), dtype=np.float32)[targets.values[:, 0].astype(int)], len(train)
    stop = keras.callbacks.EarlyStopping(patience=_PATIENCE, restore_best_weights=True)
    order = np.random.default_rng(args.seed).permutation(n)
    done = model.fit(ids[order], labels[order], validation_split=0.1, epochs=100, verbose=2, callbacks=[stop])
    figures = evaluate("classes", model.predict(ids[n:], verbose=0), targets.values[n:], targets.outputs)
    epochs = len(done.history["loss"])
    content = {"corpus": "articles", "way": "unmasked", "seed": args.seed, "epochs": epochs, "figures": figures}
    (args.out / f"articles-unmasked-{args.seed}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
