"""What a model's outputs are follows from what makes them."""

import keras
import pytest
from keras import layers

from saiten.model.keras_models.layers import task_of
from tests.helpers.networks import build_model


@pytest.mark.parametrize(
    ("end", "task"),
    [
        ([layers.Dense(3, activation="softmax")], "classes"),
        ([layers.Dense(3), layers.Softmax()], "classes"),
        ([layers.Dense(3), layers.Activation("softmax")], "classes"),
        ([layers.Dense(1, activation="softmax")], "numbers"),
        ([layers.Dense(3, activation="sigmoid")], "labels"),
        ([layers.Dense(3)], "numbers"),
        ([layers.Dense(3, activation="softmax"), layers.Dense(2)], "numbers"),
    ],
)
def test_the_last_activation_tells(end: list[keras.layers.Layer], task: str) -> None:
    assert task_of(build_model(layers.LSTM(2), *end)) == task


def test_several_heads_are_no_exclusive_classes() -> None:
    words = layers.Input((None,), dtype="int32")
    state = layers.LSTM(2)(layers.Embedding(9, 2, mask_zero=True)(words))
    heads = [layers.Dense(2, activation="softmax", name=name)(state) for name in "ab"]
    assert task_of(keras.Model(words, heads)) == "numbers"
    heads = [layers.Dense(1, activation="sigmoid", name=name)(state) for name in "cd"]
    assert task_of(keras.Model(words, heads)) == "labels"
