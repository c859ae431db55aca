"""An epoch of `saiten train` against one of `model.fit` on padded batches: the same texts, network and batch size.

    python benchmarks/training_speed.py train.jsonl --label_fields=is_smax,is_peachy --records=1000

`model.fit` gets random batches, each padded to its longest text, through one compiled function.
"""

import argparse
import itertools
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import keras
import numpy as np
import tensorflow as tf

from model.corpus import EncodedCorpus, count_words, encode_corpus, segment_corpus
from model.fit import fit
from model.network import build_network
from model.progress import SilentWatcher
from model.sequences import Encoder, FloatArray, IntArray, pad
from model.tokenizer import Tokenizer, TokenizerConfig
from model.train_config import TrainingConfig
from model.vocabulary import Vocabulary

BATCH_SIZE = 32


def main() -> None:
    """Prints seconds an epoch, each way, and how much of the padded batches is padding."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("jsonl", type=pathlib.Path)
    parser.add_argument("--label_fields", required=True)
    parser.add_argument("--text_field", default="text")
    parser.add_argument("--records", type=int, default=1_000)
    parser.add_argument("--network", default="lstm")
    parser.add_argument("--lstm_units", type=int, default=32)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = read_corpus(args, pathlib.Path(folder))
        ours = [time_fit(corpus, args.network, args.lstm_units) for _ in range(2)][-1]
        padded = [time_padded(corpus, args.network, args.lstm_units) for _ in range(2)][-1]
    cells = sum(matrix.size for matrix, _ in padded_batches(corpus))
    tokens = len(corpus.token_ids)
    print(f"{len(corpus.labels):,} texts, {tokens:,} tokens; {cells / tokens:.2f} cells a token when padded")
    print(f"model.fit {padded:.1f} s, saiten {ours:.1f} s an epoch: {padded / ours:.1f} times as fast")


def read_corpus(args: argparse.Namespace, folder: pathlib.Path) -> EncodedCorpus:
    """Segments and encodes the first records."""
    fields = args.label_fields.split(",")
    with args.jsonl.open(encoding="utf-8") as lines:
        parsed = map(json.loads, itertools.islice(lines, args.records))
        records = ((record[args.text_field], [float(record[field]) for field in fields]) for record in parsed)
        tokenizer, watcher = Tokenizer(TokenizerConfig()), SilentWatcher()
        corpus = segment_corpus(
            records, tokenizer, folder, n_outputs=len(fields), validation_fraction=0, seed=0, watcher=watcher
        )
    vocabulary = Vocabulary.from_counts(count_words(corpus.lines()), min_count=5)
    return encode_corpus(corpus, Encoder(tokenizer, vocabulary, 8_000, "pre"), folder, watcher)


def new_model(corpus: EncodedCorpus, network: str, units: int) -> keras.Model:
    """Builds the network on random word vectors: the time is the same."""
    size = int(corpus.token_ids.max()) + 1
    embeddings = np.random.default_rng(0).normal(0, 0.2, (size, 200)).astype(np.float32)
    return build_network(network, embeddings, units, corpus.labels.shape[1])


def time_fit(corpus: EncodedCorpus, network: str, units: int) -> float:
    """Returns the seconds of one epoch of `model.fit.fit`."""
    model = new_model(corpus, network, units)
    _, epochs = fit(model, corpus, TrainingConfig(network=network, epochs=1, validation_fraction=0), SilentWatcher())
    return float(epochs[0]["seconds"])


def time_padded(corpus: EncodedCorpus, network: str, units: int) -> float:
    """Returns the seconds of one epoch of Keras' own `fit`; the compilation is in a first, short one."""
    model = new_model(corpus, network, units)
    model.compile("adam", "mse")
    n_outputs = corpus.labels.shape[1]
    signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, n_outputs), tf.float32))
    data = tf.data.Dataset.from_generator(lambda: padded_batches(corpus), output_signature=signature).repeat()
    model.fit(data, steps_per_epoch=1, shuffle=False, verbose=0)
    started = time.perf_counter()
    model.fit(data, steps_per_epoch=-(-len(corpus.labels) // BATCH_SIZE), shuffle=False, verbose=0)
    return time.perf_counter() - started


def padded_batches(corpus: EncodedCorpus) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yields random batches, each padded to its longest text."""
    order = np.random.default_rng(0).permutation(len(corpus.labels))
    lengths = np.diff(corpus.offsets)
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        yield pad(corpus.token_ids, corpus.offsets, rows, int(lengths[rows].max())), corpus.labels[rows]


if __name__ == "__main__":
    main()
