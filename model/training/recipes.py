"""Recipes: settings that belong together, and the rules for what follows from the amount of text.

Imports nothing heavy, for the command line shows what may be chosen.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from saiten.model.training.config import NetworkConfig, TrainingConfig, Word2VecConfig

# The wide part's table of pairs: about a row for each token, within these bounds, and no more numbers than that.
_LEAST_PAIRS, _MOST_PAIRS = 2**14, 2**18
_MOST_PAIR_WEIGHTS = 2**23
# How many tokens word2vec reads in all its passes together, and between how many passes.
_WORD2VEC_TOKENS = 6_000_000
_LEAST_PASSES, _MOST_PASSES = 4, 30
# Up to so many tokens of text, words that occur less often than so are left out of the vocabulary.
_MIN_COUNTS = ((1_000_000, 1), (10_000_000, 2), (math.inf, 5))

RECIPES: Mapping[str, TrainingConfig] = {
    # The article to the letter: fixed word2vec vectors, LSTM(32), its last state, MSE.
    "article": TrainingConfig(),
    "wide_deep": TrainingConfig(
        recipe="wide_deep",
        truncating="post",
        min_count=None,
        word2vec=Word2VecConfig(dimensions=100, epochs=None, skip_gram=True, size=0.3),
        network=NetworkConfig(
            recurrent="bilstm",
            units=16,
            pooling="mean_max",
            first_tokens=256,
            train_vectors=True,
            dropout=0.3,
            word_dropout=0.05,
            wide=True,
        ),
        loss=None,
        learning_rate=2e-3,
        learning_rate_factor=0.5,
        patience=2,
        refit_epochs=2,
    ),
}
# What measures best over labelled corpora with one setting: see docs/quality.md.
DEFAULT_RECIPE = "wide_deep"


def settle(config: TrainingConfig, n_tokens: int, n_outputs: int) -> TrainingConfig:
    """Returns the settings with those that are left to the amount of text put in.

    Args:
        n_tokens: Of the texts that are trained on, and of further ones.
        n_outputs: Scores of a text.
    """
    min_count = next(count for most_tokens, count in _MIN_COUNTS if n_tokens <= most_tokens)
    passes = round(min(max(_WORD2VEC_TOKENS / max(1, n_tokens), _LEAST_PASSES), _MOST_PASSES))
    most_pairs = min(_MOST_PAIRS, max(_LEAST_PAIRS, _MOST_PAIR_WEIGHTS // n_outputs))
    n_pairs = min(max(n_tokens, _LEAST_PAIRS), most_pairs)
    return replace(
        config,
        min_count=config.min_count or min_count,
        word2vec=replace(config.word2vec, epochs=config.word2vec.epochs or passes),
        network=replace(config.network, n_pairs=config.network.n_pairs or n_pairs),
    )
