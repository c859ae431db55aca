"""What stands for one operation is told from what only looks like it: near misses are refused, never packed wrongly."""

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers, ops

from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from tests.helpers.networks import VOCABULARY_SIZE

_LAST = 2**30


def first(ids: Any, mask_of: Any = None, before: Any = None, chosen: slice = slice(4), last: int = _LAST) -> Any:
    is_token = ops.not_equal(ids if mask_of is None else mask_of, 0)
    places = ops.where(is_token, ops.cumsum(ops.cast(is_token, "int32"), axis=1), last)
    return ops.take_along_axis(ids if before is None else before, ops.argsort(places, axis=1)[:, chosen], axis=1)


def distinct(
    ids: Any, *, factor: int = 40, right: slice = slice(1, None), root: bool = True, least: float = 1.0, rest: int = 0
) -> Any:
    def sums(numbers: Any, rows: int) -> tuple[Any, Any]:
        in_order = ops.sort(numbers, axis=1)
        earlier = ops.concatenate([ops.zeros_like(numbers[:, :1]), in_order[:, :-1]], axis=1)
        weights = ops.expand_dims(ops.cast(ops.not_equal(in_order, earlier), "float32"), -1)
        return ops.sum(layers.Embedding(rows, 2)(in_order) * weights, axis=1), ops.sum(weights, axis=1)

    nothing = ops.zeros_like(ids[:, :1])
    beside = ops.concatenate([ids[:, right], nothing], axis=1)
    rows = ops.where(ops.minimum(ids, beside) > 1, (ids * factor + beside) % 50 + 1, rest)
    (words, n_words), (pairs, n_pairs) = sums(ids, VOCABULARY_SIZE), sums(rows, 51)
    number = ops.maximum(n_words + n_pairs, least)
    return (words + pairs) / (ops.sqrt(number) if root else number)


NEAR_MISSES: dict[str, Callable[[Any], Any]] = {
    "the last tokens": lambda ids: first(ids, chosen=slice(-4, None)),
    "the second and third": lambda ids: first(ids, chosen=slice(1, 3)),
    "none": lambda ids: first(ids, chosen=slice(0)),
    "padding between": lambda ids: first(ids, last=5),
    "by other ids' padding": lambda ids: first(ids, mask_of=ids // 2),
    "of other ids": lambda ids: first(ids, before=ids + 1),
    "of changed ids": lambda ids: first(ids // 2),
    "divided by the number": lambda ids: distinct(ids, root=False),
    "divided by two at least": lambda ids: distinct(ids, least=2.0),
    "pairs with the word itself": lambda ids: distinct(ids, right=slice(None, -1)),
    "what is no pair counts": lambda ids: distinct(ids, rest=3),
    "a hash that overflows": lambda ids: distinct(ids, factor=2**31 // (VOCABULARY_SIZE - 1)),
    "a hash below 0": lambda ids: distinct(ids, factor=-40),
    "distinct of changed ids": lambda ids: distinct(ids // 2),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_refused(name: str) -> None:
    ids = keras.Input((None,), dtype="int32")
    made = NEAR_MISSES[name](ids)
    if len(made.shape) == 2 and made.shape[-1] != 2:
        made = layers.LSTM(2)(layers.Embedding(VOCABULARY_SIZE, 2, mask_zero=True)(made))
    # Another Embedding says how many ids there are.
    words = layers.GRU(2)(layers.Embedding(VOCABULARY_SIZE, 2, mask_zero=True)(ids))
    with pytest.raises(NotCoveredError):
        pack_model(keras.Model(ids, made + words))


@pytest.mark.parametrize("build", [first, distinct])
def test_what_it_is_told_from_is_packed(build: Callable[[Any], Any]) -> None:
    ids = keras.Input((None,), dtype="int32")
    made = build(ids)
    if build is first:
        made = layers.LSTM(2)(layers.Embedding(VOCABULARY_SIZE, 2, mask_zero=True)(made))
    words = layers.GRU(2)(layers.Embedding(VOCABULARY_SIZE, 2, mask_zero=True)(ids))
    pack_model(keras.Model(ids, made + words))
