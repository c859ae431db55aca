"""Recipes, what follows from the amount of text, and settings that are refused."""

from typing import Any

import pytest

from saiten.model.errors import UsageError
from saiten.model.training.config import NetworkConfig, TrainingConfig, Word2VecConfig
from saiten.model.training.recipes import DEFAULT_RECIPE, RECIPES, settle


def test_the_article_is_the_article_to_the_letter() -> None:
    config = RECIPES["article"]
    assert (config.max_sequence_length, config.truncating, config.oov) == (8_000, "pre", "token")
    assert (config.network.recurrent, config.network.units, config.network.pooling) == ("lstm", 32, "last")
    assert (config.network.train_vectors, config.network.wide, config.network.dropout) == (False, False, 0)
    assert (config.loss, config.optimizer, config.learning_rate, config.batch_size) == ("mse", "adam", 0.001, 32)
    assert (config.word2vec.dimensions, config.word2vec.epochs) == (200, 5)


def test_every_recipe_knows_its_name_and_the_default_is_wide_and_deep() -> None:
    assert {name: config.recipe for name, config in RECIPES.items()} == {name: name for name in RECIPES}
    assert DEFAULT_RECIPE == "wide_deep"


@pytest.mark.parametrize(
    ("n_tokens", "n_outputs", "min_count", "passes", "n_pairs"),
    [
        (1_000, 2, 1, 30, 2**14),
        (200_000, 3, 1, 30, 200_000),
        (600_000, 3, 1, 10, 2**18),
        (4_000_000, 9, 2, 4, 2**18),
        (50_000_000, 9, 5, 4, 2**18),
        (4_000_000, 1_000, 2, 4, 2**14),
        (0, 1, 1, 30, 2**14),
    ],
)
def test_sizes_follow_from_the_amount_of_text(
    n_tokens: int, n_outputs: int, min_count: int, passes: int, n_pairs: int
) -> None:
    config = settle(RECIPES["wide_deep"], n_tokens, n_outputs)
    assert (config.min_count, config.word2vec.epochs, config.network.n_pairs) == (min_count, passes, n_pairs)


def test_what_is_set_stays() -> None:
    config = TrainingConfig(min_count=7, word2vec=Word2VecConfig(epochs=2), network=NetworkConfig(n_pairs=11))
    assert settle(config, 4_000_000, 9) == config


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0."),
        ({"batch_size": -1}, "batch_size must be 1 or more, not -1."),
        ({"refit_epochs": -1}, "refit_epochs must be 0 or more, not -1."),
        ({"oov": "keep"}, "oov is token or drop, not 'keep'."),
        ({"truncating": "middle"}, "truncating is pre or post, not 'middle'."),
        (
            {"loss": "mape"},
            "loss is mse, mae, huber, binary_crossentropy or categorical_crossentropy, not 'mape'.",
        ),
        ({"class_weight": "even"}, "class_weight is balanced, not 'even'."),
        ({"optimizer": "lion"}, "optimizer is adam, adamw, nadam, rmsprop or sgd, not 'lion'."),
        ({"vocabulary_size": 2}, "vocabulary_size must be 3 or more (padding, OOV, a word), not 2."),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, not nan."),
        ({"validation_fraction": 1.0}, "validation_fraction must be 0 or more and below 1, not 1.0."),
        ({"seed": -1}, "seed must be from 0 to 4294967295, not -1."),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        TrainingConfig(**setting)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"recurrent": "cnn"}, "recurrent is lstm, bilstm or gru, not 'cnn'."),
        ({"pooling": "first"}, "pooling is last or mean_max, not 'first'."),
        ({"units": 0}, "units must be 1 or more, not 0."),
        ({"first_tokens": 0}, "first_tokens must be 1 or more, not 0."),
    ],
)
def test_networks_that_cannot_be_built_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        NetworkConfig(**setting)
    assert str(caught.value) == message
