"""Writes the bundle that is measured: 40,000 words of a corpus, 200 dimensions, LSTM(32), eight outputs.

    python -m benchmarks.make_bundle CORPUS BUNDLE [attention]

With ``attention`` the states of all steps are pooled by their weights rather than the last one taken. The weights are
random, by seed: what a model has learnt does not change what it costs.
"""

import pathlib
import sys
from collections import Counter

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.config import NetworkConfig
from saiten.model.training.networks.network import Network

VOCABULARY_SIZE, EMBEDDING_DIM, UNITS, N_OUTPUTS = 40_000, 200, 32, 8
_GOLDEN_EVERY = 100
_SEED = 0


def make_bundle(corpus: pathlib.Path, bundle: pathlib.Path, *, with_attention: bool = False) -> None:
    """Counts the corpus's words and writes the bundle.

    Args:
        corpus: A text a line.
        bundle: A new directory.
        with_attention: Pool the states of all steps.
    """
    tokenizer, counts, texts = Tokenizer(TokenizerConfig()), Counter[str](), []
    with corpus.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            counts.update(tokenizer.tokenize(line))
            if number % _GOLDEN_EVERY == 0:
                texts.append(line)
    vocabulary = Vocabulary.from_counts(counts, size=VOCABULARY_SIZE)
    embeddings = np.random.default_rng(_SEED).normal(0, 0.3, (len(vocabulary), EMBEDDING_DIM)).astype(np.float32)
    network = Network(NetworkConfig("lstm", UNITS), embeddings, N_OUTPUTS, seed=_SEED)
    ends = np.zeros(N_OUTPUTS, np.float32), np.ones(N_OUTPUTS, np.float32)
    write_bundle(
        bundle,
        model=_attention_model(embeddings) if with_attention else network.saved("numbers", np.ones(1), *ends),
        encoder=Encoder(tokenizer, vocabulary, 8_000, "pre"),
        outputs=[f"output{i}" for i in range(N_OUTPUTS)],
        golden_texts=texts,
        training={"seed": _SEED},
        reference={},
    )


def _attention_model(embeddings: npt.NDArray[np.float32]) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(*embeddings.shape, mask_zero=True, weights=[embeddings])(ids)
    states = layers.LSTM(UNITS, return_sequences=True)(words)
    mask = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)
    weights = ops.softmax(layers.Dense(1)(states) + (1.0 - mask) * -1e9, axis=1)
    return keras.Model(ids, layers.Dense(N_OUTPUTS)(ops.sum(states * weights, axis=1)))


if __name__ == "__main__":
    make_bundle(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), with_attention="attention" in sys.argv[3:])
