"""Writes the bundle that is measured: 40,000 words of a corpus, 200 dimensions, LSTM(32), eight outputs.

    python -m benchmarks.make_bundle CORPUS BUNDLE

The weights are random, by seed: what a model has learnt does not change what it costs.
"""

import pathlib
import sys
from collections import Counter

import keras
import numpy as np

from saiten.model.bundle.writer import write_bundle
from saiten.model.text.encoder import Encoder
from saiten.model.text.tokenizer import Tokenizer, TokenizerConfig
from saiten.model.text.vocabulary import Vocabulary
from saiten.model.training.config import NetworkConfig
from saiten.model.training.network import Network

VOCABULARY_SIZE, EMBEDDING_DIM, UNITS, N_OUTPUTS = 40_000, 200, 32, 8
_GOLDEN_EVERY = 100
_SEED = 0


def make_bundle(corpus: pathlib.Path, bundle: pathlib.Path) -> None:
    """Counts the corpus's words and writes the bundle.

    Args:
        corpus: A text a line.
    """
    tokenizer, counts, texts = Tokenizer(TokenizerConfig()), Counter[str](), []
    with corpus.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            counts.update(tokenizer.tokenize(line))
            if number % _GOLDEN_EVERY == 0:
                texts.append(line)
    vocabulary = Vocabulary.from_counts(counts, size=VOCABULARY_SIZE)
    keras.utils.set_random_seed(_SEED)
    embeddings = np.random.default_rng(_SEED).normal(0, 0.3, (len(vocabulary), EMBEDDING_DIM)).astype(np.float32)
    network = Network(NetworkConfig("lstm", UNITS), embeddings, N_OUTPUTS)
    write_bundle(
        bundle,
        model=network.saved("numbers", np.ones(1), np.zeros(N_OUTPUTS, np.float32), np.ones(N_OUTPUTS, np.float32)),
        encoder=Encoder(tokenizer, vocabulary, 8_000, "pre"),
        outputs=[f"output{i}" for i in range(N_OUTPUTS)],
        golden_texts=texts,
        training={"seed": _SEED},
        reference={},
    )


if __name__ == "__main__":
    make_bundle(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
