"""Networks as blogs and notebooks have them: from a text's ids, and its embedded words, to scores."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

Build = Callable[[Any, Any], Any]


def dense(values: Any, units: int = 3, activation: str = "softmax") -> Any:
    return layers.Dense(units, activation=activation)(values)


def lstm(words: Any, *more: Any, **settings: Any) -> Any:
    return layers.LSTM(4, *more, **settings)(words)


def states(words: Any, cell: Any = layers.LSTM) -> Any:
    return layers.Bidirectional(cell(3, return_sequences=True))(words)


def mask_of(ids: Any) -> Any:
    return ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)


def average(values: Any) -> Any:
    return layers.GlobalAveragePooling1D()(values)


def attention_pooling(ids: Any, words: Any) -> Any:
    values = states(words)
    scores = layers.Dense(1, activation="tanh")(values) + (1.0 - mask_of(ids)) * -1e9
    return dense(ops.sum(values * ops.softmax(scores, axis=1), axis=1))


def maximum_by_hand(ids: Any, words: Any) -> Any:
    return dense(layers.GlobalMaxPooling1D()(states(words) + (1.0 - mask_of(ids)) * -1e9))


def average_by_hand(ids: Any, words: Any) -> Any:
    mask = mask_of(ids)
    return dense(ops.sum(words * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0))


def unmasked_words(ids: Any, _: Any) -> Any:
    """Without Keras' mask, and sound: its sums leave the padding out."""
    values = layers.Embedding(60, 5)(ids)
    return dense(ops.sum(values * mask_of(ids), axis=1), activation="sigmoid")


def zero_row(ids: Any, _: Any) -> Any:
    """Word vectors whose row of the padding is zero, and a Masking layer that looks for it."""
    vectors = layers.Embedding(60, 5, trainable=False, name="vectors")
    return dense(lstm(layers.Masking()(vectors(ids))))


def two_sides(ids: Any, words: Any) -> Any:
    forward, backward = layers.Bidirectional(layers.LSTM(3), merge_mode=None)(words)
    return dense(layers.Add()([forward, backward]))


def encoder_and_head(ids: Any, words: Any) -> Any:
    inside = keras.Input((None, 5))
    encoder = keras.Model(
        inside, layers.LayerNormalization()(layers.GRU(4)(layers.Dense(5, activation="relu")(inside)))
    )
    return keras.Sequential([layers.Dense(4, activation="relu"), layers.Dropout(0.2), layers.Dense(3)])(encoder(words))


def last_states(ids: Any, words: Any) -> Any:
    _, hidden, cell = layers.LSTM(4, return_state=True)(words)
    return dense(layers.Concatenate()([hidden, cell]))


def last_hidden(ids: Any, words: Any) -> Any:
    sequence, hidden = layers.GRU(4, return_sequences=True, return_state=True)(words)
    return dense(layers.Concatenate()([average(sequence), hidden]))


def two_embeddings(ids: Any, words: Any) -> Any:
    others = layers.Embedding(60, 3, mask_zero=True)(ids)
    return dense(lstm(layers.Concatenate()([words, others])))


def residual(ids: Any, words: Any) -> Any:
    return dense(average(layers.Add()([words, layers.Dense(5)(states(words))])))


def transformer(ids: Any, words: Any) -> Any:
    mixed = layers.MultiHeadAttention(2, 3)(words, words)
    normal = layers.LayerNormalization()(layers.Add()([words, mixed]))
    return dense(
        average(
            layers.LayerNormalization()(
                layers.Add()([normal, layers.Dense(5)(layers.Dense(8, activation="relu")(normal))])
            )
        )
    )


def given_its_mask(ids: Any, _: Any) -> Any:
    return dense(layers.LSTM(4)(layers.Embedding(60, 5)(ids), mask=ops.not_equal(ids, 0)))


def query_of_the_last_state(ids: Any, words: Any) -> Any:
    """Luong's attention: a text's last state asks all its steps."""
    values, query = states(words), layers.LSTM(6)(words)
    scores = layers.Dot(axes=(2, 1))([values, query]) + (1.0 - ops.cast(ops.not_equal(ids, 0), "float32")) * -1e9
    return dense(layers.Dot(axes=(1, 1))([values, layers.Softmax()(scores)]))


def attention_of_one_row(ids: Any, words: Any) -> Any:
    query = layers.Reshape((1, 6))(layers.LSTM(6)(words))
    return dense(layers.Flatten()(layers.Attention()([query, states(words)])))


def softmax_with_a_mask(ids: Any, words: Any) -> Any:
    values = states(words)
    scores = layers.Reshape((-1,))(layers.Dense(1)(values))
    return dense(layers.Dot(axes=(1, 1))([values, layers.Softmax()(scores, mask=ops.not_equal(ids, 0))]))


def blanked_convolution(ids: Any, words: Any) -> Any:
    mask = mask_of(ids)
    values = layers.Conv1D(4, 3, padding="same", activation="relu")(words * mask)
    return dense(layers.GlobalMaxPooling1D()(values + (1 - mask) * -1e9))


def gated(ids: Any, words: Any) -> Any:
    values, gate = lstm(words), dense(average(words), 4, "sigmoid")
    return dense(values * gate + (1.0 - gate) * layers.Dense(4)(values))


def half_precision(ids: Any, words: Any) -> Any:
    return layers.Dense(3, dtype="float32")(layers.LSTM(4, dtype="mixed_float16")(words))


def attention_of_2018(ids: Any, words: Any) -> Any:
    """Flatten, softmax, RepeatVector and Permute, with -1e9 for the padding."""
    values = layers.LSTM(4, return_sequences=True)(words)
    scores = layers.Flatten()(layers.Dense(1, activation="tanh")(values))
    weights = layers.Activation("softmax")(scores + (1.0 - ops.cast(ops.not_equal(ids, 0), "float32")) * -1e9)
    return dense(ops.sum(layers.Multiply()([values, layers.Permute((2, 1))(layers.RepeatVector(4)(weights))]), axis=1))


def new_axes(ids: Any, words: Any) -> Any:
    """As people write it with brackets: a masked average by a count of ids, and a masked maximum."""
    mask = ops.cast(ids != 0, "float32")
    average_of = (
        ops.sum(words * mask[:, :, None], axis=1) / ops.cast(ops.count_nonzero(ids, axis=1), "float32")[:, None]
    )
    return dense(ops.concatenate([average_of, ops.max(words - (1 - mask[..., None]) * 1e9, axis=1)], axis=-1))


NETWORKS: dict[str, Build] = {
    "LSTM, Dense softmax": lambda _, words: dense(lstm(words)),
    "LSTM, Dense sigmoid": lambda _, words: dense(lstm(words), activation="sigmoid"),
    "LSTM, Dense linear": lambda _, words: dense(lstm(words), activation="linear"),
    "LSTM with dropout and recurrent_dropout, Dropout": lambda _, words: dense(
        layers.Dropout(0.5)(lstm(words, dropout=0.2, recurrent_dropout=0.2))
    ),
    "SpatialDropout1D, LSTM": lambda _, words: dense(lstm(layers.SpatialDropout1D(0.2)(words))),
    "LSTM on LSTM": lambda _, words: dense(lstm(lstm(words, return_sequences=True))),
    "LSTM with relu": lambda _, words: dense(lstm(words, activation="relu")),
    "LSTM with hard_sigmoid": lambda _, words: dense(lstm(words, recurrent_activation="hard_sigmoid")),
    "LSTM with unroll=True": lambda _, words: dense(lstm(words, unroll=True)),
    "LSTM backwards": lambda _, words: dense(lstm(words, go_backwards=True)),
    "LSTM in mixed_float16": half_precision,
    "LSTM with return_state": last_states,
    "GRU": lambda _, words: dense(layers.GRU(4)(words)),
    "GRU with reset_after=False": lambda _, words: dense(layers.GRU(4, reset_after=False)(words)),
    "GRU with return_state, average of its steps": last_hidden,
    "SimpleRNN": lambda _, words: dense(layers.SimpleRNN(4)(words)),
    "RNN of an LSTMCell": lambda _, words: dense(layers.RNN(layers.LSTMCell(4))(words)),
    "RNN of two cells": lambda _, words: dense(layers.RNN([layers.GRUCell(4), layers.GRUCell(3)])(words)),
    "Bidirectional LSTM": lambda _, words: dense(layers.Bidirectional(layers.LSTM(3))(words)),
    "Bidirectional LSTM, sum": lambda _, words: dense(layers.Bidirectional(layers.LSTM(3), merge_mode="sum")(words)),
    "Bidirectional LSTM, merge_mode=None and Add": two_sides,
    "Bidirectional GRU on Bidirectional LSTM": lambda _, words: dense(
        layers.Bidirectional(layers.GRU(3))(states(words))
    ),
    "average of the words": lambda _, words: dense(layers.Dense(4, activation="relu")(average(words))),
    "average of the words by hand": average_by_hand,
    "sum of the words by hand, no mask": unmasked_words,
    "Bidirectional LSTM, average": lambda _, words: dense(average(states(words))),
    "Bidirectional LSTM, masked maximum": maximum_by_hand,
    "Bidirectional LSTM, attention pooling": attention_pooling,
    "Bidirectional GRU, Attention with itself, average": lambda _, words: dense(
        average(layers.Attention()([states(words, layers.GRU)] * 2))
    ),
    "AdditiveAttention with itself, average": lambda _, words: dense(
        average(layers.AdditiveAttention()([words, words]))
    ),
    "a Transformer's block, average": transformer,
    "BatchNormalization behind LSTM": lambda _, words: dense(layers.BatchNormalization()(lstm(words))),
    "BatchNormalization before LSTM": lambda _, words: dense(lstm(layers.BatchNormalization()(words))),
    "LayerNormalization behind LSTM": lambda _, words: dense(layers.LayerNormalization()(lstm(words))),
    "Dense before LSTM": lambda _, words: dense(lstm(layers.Dense(6, activation="gelu")(words))),
    "Dense with LeakyReLU behind": lambda _, words: dense(layers.LeakyReLU()(layers.Dense(4)(lstm(words)))),
    "Dense selu, Dense silu": lambda _, words: dense(dense(dense(lstm(words), 4, "selu"), 4, "silu")),
    "GaussianNoise before LSTM": lambda _, words: dense(lstm(layers.GaussianNoise(0.1)(words))),
    "LSTM beside an average, Concatenate": lambda _, words: dense(layers.Concatenate()([lstm(words), average(words)])),
    "mean of three heads, Average": lambda _, words: layers.Average()([dense(lstm(words)) for _ in range(3)]),
    "residual: Add": residual,
    "two Embeddings of the same ids": two_embeddings,
    "Embedding with a row of zeros, Masking": zero_row,
    "models within the model": encoder_and_head,
    "several heads": lambda _, words: [dense(lstm(words)), dense(lstm(words), 1, "sigmoid")],
    "outputs by name, in a dict": lambda _, words: {"b": dense(lstm(words)), "a": dense(lstm(words), 1, "sigmoid")},
    "LSTM that is given its mask": given_its_mask,
    "attention of the last state by Dot, masked": query_of_the_last_state,
    "Attention of the last state, Flatten of one row": attention_of_one_row,
    "attention by Softmax with its mask": softmax_with_a_mask,
    "Conv1D between masks by hand": blanked_convolution,
    "a gate by arithmetic": gated,
    "PReLU, UnitNormalization": lambda _, words: dense(layers.UnitNormalization()(layers.PReLU()(lstm(words)))),
    "Rescaling of the scores": lambda _, words: layers.Rescaling(4.0, offset=1.0)(dense(lstm(words), 2, "sigmoid")),
    "Reshape of the scores": lambda _, words: layers.Reshape((3,))(dense(lstm(words))),
    "a slice of the states": lambda _, words: dense(lstm(words, return_sequences=True)[:, -1, :]),
    "attention by Flatten and RepeatVector, masked": attention_of_2018,
    "RepeatVector, a decoder of one row": lambda _, words: dense(layers.LSTM(3)(layers.RepeatVector(4)(lstm(words)))),
    "average and maximum by [..., None] and count_nonzero": new_axes,
}
