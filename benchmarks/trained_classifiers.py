"""Trains 200 classifiers of the packed engine's kinds, and tells which it takes and how far it is from Keras.

    python -m benchmarks.trained_classifiers [--number 200] [--first 0]

Seeds, units, heads, epochs and lengths vary. A line of JSON each: whether the proof lets the packed engine
through, and, on 400 fresh texts, the largest scaled difference from Keras in double precision of the packed
engine and of Keras in single precision. Then a line of all: how many were packed, and the largest excess of the
one over the other.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from saiten.pipelines.quiet import import_tensorflow

_VOCABULARY_SIZE, _DIMENSIONS = 2_000, 32
_N_TRAINED, _N_FRESH = 512, 400
_BODIES = (
    "lstm", "lstm", "gru", "bilstm", "bigru", "lstm, lstm", "simple_rnn", "lstm, average", "bilstm, attention",
    "average",
)  # fmt: skip
_HEADS = ("softmax", "sigmoid", "softmax", "sigmoid", "hidden softmax", "linear")
_UNITS, _LENGTHS, _EPOCHS = (8, 16, 32, 64), (20, 60, 150), (2, 5, 10)

Ids = npt.NDArray[np.int32]


def build(body: str, head: str, units: int, n_classes: int) -> Any:
    """Returns a model of one body and one head."""
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32")
    values = layers.Embedding(_VOCABULARY_SIZE, _DIMENSIONS, mask_zero=True)(ids)
    recurrent: dict[str, Callable[..., Any]] = {
        "lstm": layers.LSTM,
        "gru": layers.GRU,
        "simple_rnn": layers.SimpleRNN,
        "bilstm": lambda *a, **k: layers.Bidirectional(layers.LSTM(*a, **k)),
        "bigru": lambda *a, **k: layers.Bidirectional(layers.GRU(*a, **k)),
    }
    parts = body.split(", ")
    for part, following in itertools.pairwise([*parts, ""]):
        if part in recurrent:
            values = recurrent[part](units, return_sequences=bool(following))(values)
        elif part == "average":
            values = layers.GlobalAveragePooling1D()(values)
        else:
            mask = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)
            scores = layers.Dense(1)(values) + (1.0 - mask) * -1e9
            values = ops.sum(values * ops.softmax(scores, axis=1), axis=1)
    *hidden, activation = head.split()
    for _ in hidden:
        values = layers.Dropout(0.3)(layers.Dense(16, activation="relu")(values))
    return keras.Model(ids, layers.Dense(n_classes, activation=activation)(values))


def drawn_texts(generator: np.random.Generator, classes: Ids, longest: int) -> list[Ids]:
    """Returns a text for each class: words as common as in a language, some of them the class' own."""
    texts = []
    for label in classes:
        length = int(np.clip(generator.lognormal(np.log(longest / 3), 0.7), 1, longest))
        words = np.minimum(generator.zipf(1.2, length), _VOCABULARY_SIZE - 2)
        own = generator.random(length) < 0.15
        words[own] = 100 + label * 40 + generator.integers(0, 40, own.sum())
        texts.append(words.astype(np.int32))
    return texts


def padded(texts: Sequence[Ids], width: int) -> Ids:
    """Returns the texts as Keras' `pad_sequences` would, padded before."""
    matrix = np.zeros((len(texts), width), np.int32)
    for row, text in zip(matrix, texts, strict=True):
        row[width - len(text) :] = text
    return matrix


def trained(number: int, first: int) -> Iterator[dict[str, Any]]:
    """Yields what came out for each classifier; those of one architecture share Keras' compiled functions."""
    import keras

    from saiten.model.engines.keras_engine import KerasEngine
    from saiten.model.engines.precision import in_double_precision

    architectures = list(itertools.islice(itertools.product(_HEADS, _BODIES), 0, None))
    generator = np.random.default_rng(0)
    generator.shuffle(architectures)
    per_architecture = 5
    for i in range(first, first + number, per_architecture):
        head, body = architectures[(i // per_architecture) % len(architectures)]
        units = _UNITS[(i // per_architecture) % len(_UNITS)]
        n_classes = 2 + (i // per_architecture) % 7
        keras.utils.set_random_seed(i)
        model = build(str(body), str(head), units, n_classes)
        loss = "mse" if head == "linear" else "binary_crossentropy" if head == "sigmoid" else "categorical_crossentropy"
        model.compile(keras.optimizers.Adam(3e-3), loss)
        start = model.get_weights()
        single, exact = KerasEngine(model), KerasEngine(in_double_precision(model))
        for seed in range(i, min(i + per_architecture, first + number)):
            longest, epochs = _LENGTHS[seed % 3], _EPOCHS[(seed // 3) % 3]
            shuffled = np.random.default_rng(seed)
            model.set_weights([shuffled.permuted(weight) if weight.ndim > 1 else weight for weight in start])
            labels = shuffled.integers(0, n_classes, _N_TRAINED).astype(np.int32)
            texts = drawn_texts(shuffled, labels, longest)
            model.fit(padded(texts, longest), np.eye(n_classes)[labels], epochs=epochs, batch_size=32, verbose=0)
            exact.model.set_weights([np.asarray(weight, np.float64) for weight in model.get_weights()])
            yield {
                "seed": seed, "body": body, "head": head, "units": units, "classes": n_classes, "length": longest,
                "epochs": epochs, **compared(model, single, exact, shuffled, longest, n_classes),
            }  # fmt: skip


def compared(
    model: Any, single: Any, exact: Any, generator: np.random.Generator, longest: int, n_classes: int
) -> dict[str, Any]:
    """Returns whether the packed engine is let through, and the differences on fresh texts."""
    from saiten.model.bundle.packed_proof import prove_packed
    from saiten.model.engines.engine import scaled_difference
    from saiten.model.engines.packing.pack_model import pack_model
    from saiten.model.engines.packing.packer import NotCoveredError
    from saiten.model.text.ragged import offsets_of

    packed = pack_model(model)
    try:
        prove_packed(packed, single, [], longest, exact_engine=exact)
        reason = ""
    except NotCoveredError as error:
        reason = str(error)
    texts = drawn_texts(generator, generator.integers(0, n_classes, _N_FRESH).astype(np.int32), longest)
    fresh = np.concatenate(texts), offsets_of([len(text) for text in texts])
    expected = exact.score(*fresh)
    found, own = (scaled_difference(engine.score(*fresh), expected) for engine in (packed, single))
    return {"packed": not reason, "reason": reason, "difference": found, "keras_difference": own}


def main() -> None:
    """Trains, compares and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    import_tensorflow()
    started, results = time.perf_counter(), []
    for result in trained(args.number, args.first):
        results.append(result)
        print(json.dumps(result), flush=True)
    excess = max(result["difference"] - result["keras_difference"] for result in results)
    summary = {
        "classifiers": len(results),
        "packed": sum(result["packed"] for result in results),
        "largest_excess": excess,
        "largest_difference": max(result["difference"] for result in results),
        "largest_difference_of_keras": max(result["keras_difference"] for result in results),
        "seconds": round(time.perf_counter() - started),
    }
    print(json.dumps(summary))
    sys.exit(0 if summary["packed"] >= 0.99 * len(results) and excess <= 1e-6 else 1)


if __name__ == "__main__":
    main()
