"""Trains one network with a mask and without it, padded before and behind, to several widths.

    python3 ../shared/corpora/prepare_livedoor.py LIVEDOOR --split
    python -m benchmarks.masking.study LIVEDOOR benchmarks/results/masking.json
    python -m benchmarks.masking.plot benchmarks/results/masking.json docs/masking.svg docs/masking.md

The article's network: fixed word2vec vectors, LSTM(32), nine numbers of 0 or 1, MSE, Adam. The texts are the beginnings
of articles, so that none is cut at any width and nothing but the padding differs. Training ends early where the loss no
longer falls. With the mask a network is trained once a seed, at the least width: that its scores are those of any other
width is what is measured then.

Held out are texts of `train.jsonl`; the test part is not looked at.
"""

import argparse
import itertools
import json
import pathlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary
from saiten.pipelines.quiet import import_tensorflow

Ids = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]

_DIMENSIONS, _UNITS, _BATCH, _EPOCHS, _LEARNING_RATE = 50, 32, 64, 8, 1e-2
# What learns nothing ends early: a loss that has not fallen by so much in so many epochs.
_LEAST_GAIN, _PATIENCE = 1e-3, 2
PADDINGS = ("before", "behind")


@dataclass(frozen=True)
class Size:
    """How much is trained; each text is cut to the least width."""

    n_training: int = 2_000
    n_held_out: int = 600
    widths: tuple[int, ...] = (250, 1_000, 8_000)
    seeds: tuple[int, ...] = (0, 1)


@dataclass(frozen=True)
class Corpus:
    """Texts as ids, with a class each; the held-out ones are the last."""

    texts: list[Ids]
    classes: Ids
    names: tuple[str, ...]
    vectors: Scores
    n_training: int

    def padded(self, rows: slice, width: int, padding: str) -> Ids:
        """Returns the texts as Keras' `pad_sequences` would, int32 [n, width]."""
        texts = self.texts[rows]
        matrix = np.zeros((len(texts), width), np.int32)
        for row, text in zip(matrix, texts, strict=True):
            row[width - len(text) :] = text if padding == "before" else row[width - len(text) :]
            if padding == "behind":
                row[: len(text)] = text
        return matrix

    @property
    def labels(self) -> Scores:
        """Returns 0 or 1 for each class, float32 [n, classes]."""
        return np.eye(len(self.names), dtype=np.float32)[self.classes]


def read_corpus(path: pathlib.Path, size: Size) -> Corpus:
    """Reads, tokenizes and cuts the texts; vocabulary and vectors are those of the training part."""
    from saiten.model.training.config import Word2VecConfig
    from saiten.model.training.watcher import SilentWatcher
    from saiten.model.training.words.embeddings import fill_matrix, train_word2vec

    with path.open(encoding="utf-8") as file:
        lines = itertools.islice(file, size.n_training + size.n_held_out)
        records = [json.loads(line) for line in lines]
    tokenizer = Tokenizer(TokenizerConfig())
    tokens = [tokenizer.tokenize(record["text"])[: min(size.widths)] for record in records]
    training = tokens[: size.n_training]
    counts = Counter(token for text in training for token in text)
    vocabulary = Vocabulary.from_counts(counts, min_count=5, size=None)
    config = Word2VecConfig(dimensions=_DIMENSIONS)
    vectors = fill_matrix(train_word2vec(training, vocabulary, counts, config, 0, SilentWatcher()))
    ids = [np.array([vocabulary.ids.get(token, vocabulary.oov_id) for token in text], np.int32) for text in tokens]
    names = tuple(sorted({record["category"] for record in records}))
    classes = np.array([names.index(record["category"]) for record in records], np.int32)
    return Corpus(ids, classes, names, vectors, size.n_training)


def build(corpus: Corpus, seed: int, *, has_mask: bool) -> Any:
    """Returns the network; its first weights are the same with the mask and without."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    embedding = layers.Embedding(
        *corpus.vectors.shape, weights=[corpus.vectors], trainable=False, mask_zero=has_mask, name="words"
    )
    stack = [layers.Input((None,), dtype="int32"), embedding, layers.LSTM(_UNITS), layers.Dense(len(corpus.names))]
    model = keras.Sequential(stack)
    model.compile(keras.optimizers.Adam(_LEARNING_RATE), "mse", jit_compile=True)
    return model


def trained(corpus: Corpus, seed: int, width: int, padding: str, *, has_mask: bool) -> Any:
    """Returns the network, trained on the texts at one width."""
    import keras

    model, rows = build(corpus, seed, has_mask=has_mask), slice(0, corpus.n_training - corpus.n_training % _BATCH)
    ids, labels = corpus.padded(rows, width, padding), corpus.labels[rows]
    stop = keras.callbacks.EarlyStopping("loss", min_delta=_LEAST_GAIN, patience=_PATIENCE)
    model.fit(ids, labels, batch_size=_BATCH, epochs=_EPOCHS, verbose=0, callbacks=[stop])
    return model


def scores_of(model: Any, corpus: Corpus, width: int, padding: str) -> Scores:
    """Returns the held-out texts' scores."""
    scores = model.predict(corpus.padded(slice(corpus.n_training, None), width, padding), batch_size=100, verbose=0)
    return np.asarray(scores, np.float32)


def figures(corpus: Corpus, scores: Scores) -> dict[str, float]:
    """Returns how many texts get their class, and how far their scores are apart.

    `spread` is the scores' standard deviation between texts, as a share of the labels'.
    """
    chosen, held_out = scores.argmax(axis=1), corpus.classes[corpus.n_training :]
    labels = corpus.labels[corpus.n_training :]
    return {
        "accuracy": float((chosen == held_out).mean()),
        "spread": float(scores.std(axis=0).mean() / labels.std(axis=0).mean()),
        "commonest": float(np.bincount(chosen).max() / len(chosen)),
    }


def moved(scores: Scores, others: Scores) -> dict[str, float]:
    """Returns how far scores are apart, in units of the last place of the larger, and as they are."""
    change = np.abs(scores.astype(np.float64) - others)
    ulps = change / np.spacing(np.maximum(np.abs(scores), np.abs(others)))
    return {
        "median_ulps": float(np.median(ulps)),
        "ulps_99_percent": float(np.quantile(ulps, 0.99)),
        "largest": float(change.max()),
    }


def study(corpus: Corpus, size: Size) -> Iterator[dict[str, Any]]:
    """Yields a row for each network, width and padding."""
    for seed in size.seeds:
        started, model = time.perf_counter(), trained(corpus, seed, min(size.widths), "behind", has_mask=True)
        seconds = time.perf_counter() - started
        narrow = scores_of(model, corpus, min(size.widths), "behind")
        for width, padding in itertools.product(size.widths, PADDINGS):
            scores = scores_of(model, corpus, width, padding)
            row = {"mask": True, "seed": seed, "width": width, "padding": padding, "seconds": round(seconds, 1)}
            yield {**row, **figures(corpus, scores), **moved(scores, narrow)}
        for width, padding in itertools.product(size.widths, PADDINGS):
            started, model = time.perf_counter(), trained(corpus, seed, width, padding, has_mask=False)
            seconds = time.perf_counter() - started
            row = {"mask": False, "seed": seed, "width": width, "padding": padding, "seconds": round(seconds, 1)}
            yield {**row, **figures(corpus, scores_of(model, corpus, width, padding))}


def main() -> None:
    """Runs the study, and writes every row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("livedoor", type=pathlib.Path)
    parser.add_argument("result", type=pathlib.Path)
    parser.add_argument("--widths", default="250,1000,8000")
    parser.add_argument("--training", type=int, default=2_000)
    args = parser.parse_args()
    size = Size(n_training=args.training, widths=tuple(map(int, args.widths.split(","))))
    import_tensorflow()
    corpus = read_corpus(args.livedoor / "train.jsonl", size)
    rows = []
    for row in study(corpus, size):
        rows.append(row)
        print(json.dumps(row), flush=True)
        about = {**asdict(size), "epochs": _EPOCHS, "learning_rate": _LEARNING_RATE, "batch_size": _BATCH}
        args.result.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
