"""Models that read their padding, or cannot be computed for it, each with the cure that is said of it: what is served.

The axis of a function or a layer is the one of the steps, or a mask is lost on the way.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops

from tests.people.models.networks import Build, average, dense, lstm, mask_of

Pair = tuple[Build, Build]


def sequence(words: Any, cell: Any = layers.LSTM, **settings: Any) -> Any:
    return cell(4, return_sequences=True, **settings)(words)


def last(words: Any, **masks: Any) -> Any:
    return layers.LSTM(4)(words, **masks)


def is_word(ids: Any) -> Any:
    return ops.not_equal(ids, 0)


def low(ids: Any) -> Any:
    """-1e9 where there is padding."""
    return (1.0 - mask_of(ids)) * -1e9


def along(layer: Any, **settings: Any) -> Pair:
    """A layer that works along the steps; its cure works along the features."""
    return (
        lambda _, words: dense(lstm(layer(axis=1, **settings)(words))),
        lambda _, words: dense(lstm(layer(axis=-1, **settings)(words))),
    )


def backwards(cell: Any) -> Pair:
    return (
        lambda _, words: dense(average(sequence(words, cell, go_backwards=True))),
        lambda _, words: dense(average(layers.Bidirectional(cell(4, return_sequences=True))(words))),
    )


def instead(function: Callable[[Any], Any], layer: Callable[[Any], Any]) -> Pair:
    """A function that loses the mask, and the layer that keeps it."""
    return lambda _, words: dense(lstm(function(words))), lambda _, words: dense(lstm(layer(words)))


def given_a_mask(reader: Callable[..., Any]) -> Pair:
    """Something that reads what has lost its mask, and the same that is given one."""
    return (
        lambda _, words: dense(reader(words * 2.0)),
        lambda ids, words: dense(reader(words * 2.0, mask=is_word(ids))),
    )


def average_of(ids: Any, values: Any) -> Any:
    return layers.GlobalAveragePooling1D()(values, mask=is_word(ids))


def one_row(values: Any) -> Any:
    return layers.Reshape((5,))(values)


def other_half(words: Any) -> Any:
    return layers.Dense(5)(words)


def begun(words: Any, **masks: Any) -> Any:
    return layers.LSTM(4)(words, initial_state=layers.LSTM(4, return_state=True)(words)[1:], **masks)


def uneven(words: Any, **settings: Any) -> Any:
    backward = layers.LSTM(3, go_backwards=True, **settings)
    return layers.Bidirectional(layers.LSTM(4, **settings), backward_layer=backward)(words)


def pooled_by(weights: Any, words: Any) -> Any:
    return dense(ops.sum(words * weights, axis=1))


AT_FAULT: Mapping[str, Pair] = {
    "ops.max(axis=1, keepdims=True), Flatten": (
        lambda _, words: dense(one_row(ops.max(words, axis=1, keepdims=True))),
        lambda ids, words: dense(one_row(ops.max(words + low(ids), axis=1, keepdims=True))),
    ),
    "ops.sum(axis=-2, keepdims=True)": (
        lambda _, words: dense(one_row(ops.sum(words, axis=-2, keepdims=True))),
        lambda ids, words: dense(one_row(ops.sum(words * mask_of(ids), axis=-2, keepdims=True))),
    ),
    "ops.max(axis=1, keepdims=True), Dense": (
        lambda ids, words: dense(ops.max(words + low(ids), axis=1, keepdims=True)),
        lambda ids, words: dense(layers.Flatten()(ops.max(words + low(ids), axis=1, keepdims=True))),
    ),
    "ops.mean(axis=1, keepdims=True), squeezed": (
        lambda _, words: dense(ops.squeeze(ops.mean(words, axis=1, keepdims=True), 1)),
        lambda ids, words: dense(layers.GlobalAveragePooling1D()(words, mask=is_word(ids))),
    ),
    "ops.min over the steps": (
        lambda _, words: dense(ops.min(words, axis=1)),
        lambda ids, words: dense(ops.min(words - low(ids), axis=1)),
    ),
    "ops.std over the steps": (
        lambda _, words: dense(ops.std(words, axis=1)),
        lambda ids, words: dense(ops.sqrt(ops.sum(mask_of(ids) * words**2, axis=1) / ops.sum(mask_of(ids), axis=1))),
    ),
    "ops.cumsum over the steps": (
        lambda ids, words: dense(last(ops.cumsum(words, axis=1), mask=is_word(ids))),
        lambda ids, words: dense(last(ops.cumsum(words * mask_of(ids), axis=1), mask=is_word(ids))),
    ),
    "attention by ops.softmax": (
        lambda _, words: pooled_by(ops.softmax(layers.Dense(1)(words), axis=1), words),
        lambda ids, words: pooled_by(ops.softmax(layers.Dense(1)(words) + low(ids), axis=1), words),
    ),
    "attention by Softmax(axis=1)": (
        lambda _, words: pooled_by(layers.Softmax(axis=1)(layers.Dense(1)(words)), words),
        lambda ids, words: pooled_by(
            layers.Softmax(axis=1)(layers.Dense(1)(words), mask=is_word(ids)[:, :, None]), words
        ),
    ),
    "Softmax of a step's features": instead(layers.Softmax(name="softmax"), layers.Activation("softmax")),
    "the first step, [:, 0]": (
        lambda _, words: dense(sequence(words)[:, 0]),
        lambda _, words: dense(lstm(words)),
    ),
    "every other step, [:, ::2]": (
        lambda _, words: dense(average(sequence(words)[:, ::2])),
        lambda _, words: dense(lstm(words)),
    ),
    "LSTM(go_backwards=True), average": backwards(layers.LSTM),
    "GRU(go_backwards=True), average": backwards(layers.GRU),
    "SimpleRNN(go_backwards=True), average": backwards(layers.SimpleRNN),
    "UnitNormalization(axis=1)": along(layers.UnitNormalization),
    "LayerNormalization(axis=1)": along(layers.LayerNormalization),
    "LayerNormalization(axis=1) without weights": along(layers.LayerNormalization, center=False, scale=False),
    "BatchNormalization(axis=1)": along(layers.BatchNormalization),
    "RMSNormalization": instead(layers.RMSNormalization(name="rms_normalization"), layers.LayerNormalization()),
    "EinsumDense": instead(layers.EinsumDense("abc,cd->abd", (None, 4), name="einsum_dense"), layers.Dense(4)),
    "ops.relu before LSTM": instead(ops.relu, layers.Activation("relu")),
    "+ before LSTM": instead(
        lambda words: words + other_half(words), lambda words: layers.Add()([words, other_half(words)])
    ),
    "ops.concatenate before LSTM": instead(
        lambda words: ops.concatenate([words, other_half(words)], axis=-1),
        lambda words: layers.Concatenate()([words, other_half(words)]),
    ),
    "* 2 before LSTM": given_a_mask(last),
    "* 2 before the average": given_a_mask(layers.GlobalAveragePooling1D(name="average")),
    "* 2 before Bidirectional": given_a_mask(layers.Bidirectional(layers.GRU(3), name="both")),
    "* 2 before Attention": (
        lambda ids, words: dense(average_of(ids, layers.Attention()([words * 2.0] * 2))),
        lambda ids, words: dense(average_of(ids, layers.Attention()([words * 2.0] * 2, mask=[is_word(ids)] * 2))),
    ),
    "* 2 before MultiHeadAttention": (
        lambda ids, words: dense(average_of(ids, layers.MultiHeadAttention(1, 3)(words * 2.0, words * 2.0))),
        lambda ids, words: dense(
            average_of(ids, layers.MultiHeadAttention(1, 3)(words * 2.0, words * 2.0, value_mask=is_word(ids)))
        ),
    ),
    "LSTM that begins with another's states": (
        lambda _, words: dense(begun(words)),
        lambda ids, words: dense(begun(words, mask=is_word(ids))),
    ),
    "mean over the batch": (
        lambda _, words: dense(lstm(words) - ops.mean(lstm(words), axis=0, keepdims=True)),
        lambda _, words: dense(lstm(words) - ops.mean(lstm(words), axis=-1, keepdims=True)),
    ),
    "steps turned to features by ops.swapaxes": (
        lambda _, words: dense(lstm(ops.swapaxes(words, 1, 2))),
        lambda _, words: dense(lstm(words)),
    ),
    "ops.max within a model within": (
        lambda _, words: dense(_inner(lambda inside: ops.max(inside, axis=1))(words)),
        lambda ids, words: dense(_inner(lambda inside: ops.max(inside, axis=1))(words + low(ids))),
    ),
    "Bidirectional with fewer units backwards": (
        lambda _, words: dense(uneven(words)),
        lambda _, words: dense(layers.Concatenate()([lstm(words), layers.LSTM(3, go_backwards=True)(words)])),
    ),
    "Bidirectional with fewer units backwards, average": (
        lambda _, words: dense(average(uneven(words, return_sequences=True))),
        lambda _, words: dense(average(layers.Bidirectional(layers.LSTM(4, return_sequences=True))(words))),
    ),
    "Dropout that is called with training=True": (
        lambda _, words: dense(layers.Dropout(0.3)(lstm(words), training=True)),
        lambda _, words: dense(layers.Dropout(0.3)(lstm(words))),
    ),
    "a squeezed score": (
        lambda _, words: ops.squeeze(layers.Dense(1)(lstm(words)), -1),
        lambda _, words: dense(lstm(words)),
    ),
    "a layer's name in Japanese": (
        lambda _, words: dense(layers.LSTM(4, name="記憶")(words)),
        lambda _, words: dense(layers.LSTM(4, name="memory")(words)),
    ),
    "ReversibleEmbedding": (
        lambda ids, _: dense(lstm(layers.ReversibleEmbedding(60, 5, mask_zero=True)(ids))),
        lambda _, words: dense(lstm(words)),
    ),
}
# Which Keras builds for a known number of steps alone.
OF_KNOWN_WIDTH = frozenset(
    ("LayerNormalization(axis=1)", "BatchNormalization(axis=1)", "steps turned to features by ops.swapaxes")
)


def _inner(build: Callable[[Any], Any]) -> Any:
    inside = keras.Input((None, 5))
    return keras.Model(inside, build(inside))
