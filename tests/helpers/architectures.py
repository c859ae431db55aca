"""Networks as people put them together around an Embedding: what the packed engine's operations come from."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from saiten.model.training.networks.network import first_tokens
from saiten.model.training.networks.wide import wide_sums
from tests.helpers.networks import VOCABULARY_SIZE

Build = Callable[[Any, Any], Any]


def mask_of(ids: Any) -> Any:
    return ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)


def states(words: Any, **settings: Any) -> Any:
    return layers.LSTM(5, return_sequences=True, **settings)(words)


def average(values: Any) -> Any:
    return layers.GlobalAveragePooling1D()(values)


def masked_sum(ids: Any, words: Any) -> Any:
    return ops.sum(states(words) * mask_of(ids), axis=1)


def masked_average(ids: Any, words: Any) -> Any:
    mask = mask_of(ids)
    return ops.sum(states(words) * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)


def masked_maximum(ids: Any, words: Any) -> Any:
    return layers.GlobalMaxPooling1D()(states(words) + (1.0 - mask_of(ids)) * -1e9)


def masked_minimum(ids: Any, words: Any) -> Any:
    return ops.min(ops.where(ops.expand_dims(ops.not_equal(ids, 0), -1), states(words), 1e9), axis=1)


def attention_pooling(ids: Any, words: Any) -> Any:
    values = states(words)
    scores = layers.Dense(1)(layers.Dense(4, activation="tanh")(values))
    weights = ops.softmax(scores + (1.0 - mask_of(ids)) * -1e9, axis=1)
    return ops.sum(values * weights, axis=1)


def attention_by_layers(ids: Any, words: Any) -> Any:
    values = states(words)
    scores = layers.Dense(3, use_bias=False)(values) - 1e9 * (1.0 - mask_of(ids))
    weights = layers.Softmax(axis=1)(scores)
    return layers.Concatenate()([ops.sum(layers.Multiply()([values, weights[:, :, i : i + 1]]), 1) for i in range(3)])


def attention_by_einsum(ids: Any, words: Any) -> Any:
    values = states(words)
    scores = ops.squeeze(layers.Dense(1)(values), -1)
    weights = ops.softmax(ops.where(ops.not_equal(ids, 0), scores, -1e9), axis=-1)
    return ops.einsum("bt,btd->bd", weights, values)


def scaled_by_the_text(ids: Any, words: Any) -> Any:
    return ops.sum(states(words) * ops.expand_dims(layers.LSTM(5)(words), 1) * mask_of(ids), axis=1)


def shared_layer(ids: Any, words: Any) -> Any:
    lstm = layers.LSTM(4)
    return layers.Concatenate()([lstm(words), lstm(layers.Dropout(0.5)(layers.Dense(6, activation="tanh")(words)))])


def two_embeddings(ids: Any, words: Any) -> Any:
    others = layers.Embedding(VOCABULARY_SIZE, 3, mask_zero=True)(ids)
    return layers.GRU(4)(layers.Concatenate()([words, others]))


def wide_and_deep(ids: Any, words: Any) -> Any:
    wide = layers.Embedding(VOCABULARY_SIZE, 2)(ids)
    wide = ops.sum(wide * mask_of(ids), axis=1) / ops.sqrt(ops.sum(mask_of(ids), axis=1))
    return layers.Add()([layers.Dense(2)(layers.LSTM(5)(words)), wide])


def distinct_words_and_pairs(ids: Any, words: Any) -> Any:
    tables = layers.Embedding(VOCABULARY_SIZE, 3), layers.Embedding(51, 3)
    return layers.Add()([wide_sums(ids, *tables, VOCABULARY_SIZE, 50), layers.GRU(3)(words)])


def of_the_first_tokens(ids: Any, words: Any) -> Any:
    first = first_tokens(ids, 7)
    sequence = states(layers.Embedding(VOCABULARY_SIZE, 3, mask_zero=True)(first))
    return layers.Concatenate()([average(sequence), ops.sum(sequence * mask_of(first), axis=1)])


def inner_model(ids: Any, words: Any) -> Any:
    inside = keras.Input((None, 6))
    inner = keras.Model(inside, layers.LayerNormalization()(layers.Dense(5, activation="silu")(inside)))
    head = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dropout(0.1), layers.Dense(3)])
    return head(layers.LSTM(5)(inner(words)))


def last_states(ids: Any, words: Any) -> Any:
    _, hidden, _ = layers.LSTM(4, return_state=True)(words)
    sequence, last = layers.GRU(3, return_sequences=True, return_state=True)(words)
    return layers.Concatenate()([hidden, last, average(sequence), sequence[:, -1, :], sequence[:, -1, 1:2]])


def arithmetic(ids: Any, words: Any) -> Any:
    x = layers.LSTM(5)(words)
    y = layers.GRU(5)(words)
    z = ops.maximum(ops.abs(x), ops.square(y)) / (2.0 - ops.minimum(x, y)) + ops.power(ops.abs(x) + 1.0, 1.5)
    return ops.concatenate([z, -x, ops.clip(y, -0.01, 0.02), ops.mean(x * y, axis=-1, keepdims=True)], axis=-1)


CASES: dict[str, Build] = {
    "pool: sum": masked_sum,
    "pool: average": lambda _, words: average(states(words)),
    "pool: average by hand": masked_average,
    "pool: average of the words": lambda _, words: average(words),
    "pool: maximum": masked_maximum,
    "pool: minimum": masked_minimum,
    "pool: first, last": last_states,
    "step_softmax: attention pooling": attention_pooling,
    "step_softmax: three heads": attention_by_layers,
    "step_softmax: einsum": attention_by_einsum,
    "attention: with itself": lambda _, words: average(layers.Attention(use_scale=True)([states(words)] * 2)),
    "attention: of the words": lambda _, words: average(layers.Attention()([words, layers.Dense(6)(words), words])),
    "lstm: relu, hard_sigmoid": lambda _, words: layers.LSTM(5, activation="relu", recurrent_activation="hard_sigmoid")(
        words
    ),
    "lstm: sigmoid everywhere": lambda _, words: layers.LSTM(9, activation="sigmoid")(words),
    "gru: elu, hard_sigmoid": lambda _, words: layers.GRU(5, activation="elu", recurrent_activation="hard_sigmoid")(
        words
    ),
    "gru: softsign, resets before": lambda _, words: layers.GRU(5, activation="softsign", reset_after=False)(words),
    "simple_rnn": lambda _, words: layers.SimpleRNN(5)(words),
    "simple_rnn: relu, every step": lambda _, words: average(
        layers.SimpleRNN(11, activation="relu", return_sequences=True, use_bias=False)(words)
    ),
    "backwards": lambda _, words: layers.Concatenate()(
        [layers.LSTM(4, go_backwards=True)(words), layers.GRU(4, go_backwards=True)(words)]
    ),
    "both ways, SimpleRNN": lambda _, words: layers.Bidirectional(layers.SimpleRNN(4), merge_mode="ave")(words),
    "cells": lambda _, words: layers.Concatenate()(
        [layers.RNN(cell(4))(words) for cell in (layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell)]
    ),
    "dense: before the recurrence": lambda _, words: layers.LSTM(4)(layers.Dense(7, activation="gelu")(words)),
    "dense: at each step": lambda _, words: layers.LSTM(4)(layers.Dense(7, activation="relu")(states(words))),
    "scale: BatchNormalization of words": lambda _, words: layers.LSTM(4)(layers.BatchNormalization()(words)),
    "scale: BatchNormalization of states": lambda _, words: layers.LSTM(4)(
        layers.BatchNormalization(scale=False)(states(words))
    ),
    "scale: BatchNormalization of rows": lambda _, words: layers.BatchNormalization(center=False)(
        layers.LSTM(4)(words)
    ),
    "scale: Rescaling": lambda _, words: layers.Rescaling(0.5, offset=1)(layers.LSTM(4)(words)),
    "normalize: words": lambda _, words: layers.LSTM(4)(layers.LayerNormalization(epsilon=0.01)(words)),
    "normalize: states": lambda _, words: layers.LSTM(4)(layers.LayerNormalization(center=False)(states(words))),
    "normalize: rows": lambda _, words: layers.LayerNormalization(scale=False)(layers.LSTM(4)(words)),
    "normalize: by the mean square": lambda _, words: layers.RMSNormalization()(layers.LSTM(4)(words)),
    "combine: layers": lambda _, words: layers.Add()(
        [
            merge()([layers.LSTM(4)(words), layers.GRU(4)(words)])
            for merge in (layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
        ]
    ),
    "combine: arithmetic": arithmetic,
    "combine: a text's row with its steps": scaled_by_the_text,
    "combine: steps": lambda _, words: layers.LSTM(4)(layers.Add()([states(words), layers.Dense(5)(words)])),
    "concatenate: branches": lambda _, words: layers.Concatenate()([layers.LSTM(4)(words), average(words)]),
    "columns": lambda _, words: layers.LSTM(4)(words)[:, 1:3],
    "column_sum": lambda _, words: ops.sum(layers.LSTM(4)(words), axis=1, keepdims=True),
    "softmax: in between": lambda _, words: layers.Softmax()(layers.LSTM(4)(words)),
    "softmax: log": lambda _, words: layers.Dense(3, activation="log_softmax")(layers.LSTM(4)(words)),
    "activation: layers": lambda _, words: layers.Concatenate()(
        [
            layer(layers.LSTM(4)(words))
            for layer in (layers.ReLU(), layers.ReLU(0.1), layers.ReLU(None, 0.3), layers.LeakyReLU(0.2), layers.ELU())
        ]
    ),
    "activation: a layer as one": lambda _, words: layers.Dense(3, activation=layers.LeakyReLU(0.3))(
        layers.LSTM(4)(words)
    ),
    "noise": lambda _, words: layers.GaussianNoise(0.5)(
        layers.LSTM(4)(layers.SpatialDropout1D(0.5)(layers.GaussianDropout(0.1)(words)))
    ),
    "two Embeddings of the same ids": two_embeddings,
    "wide and deep": wide_and_deep,
    "distinct_sum": distinct_words_and_pairs,
    "a text's first tokens": of_the_first_tokens,
    "a layer used twice": shared_layer,
    "models within the model": inner_model,
    "several heads": lambda _, words: [
        layers.Dense(2, activation="softmax")(layers.LSTM(4)(words)),
        layers.Dense(1)(layers.GRU(4)(words)),
        layers.Dense(3, activation="sigmoid")(average(words)),
    ],
    "no Dense at the end": lambda _, words: [layers.LSTM(4)(words)],
}
