"""Networks of which a layer or function is several operations of the packed engine, or reads several tensors."""

from typing import Any

import numpy as np
from keras import layers, ops

from tests.helpers.architectures import Build, average, mask_of, states


def states_of_both(ids: Any, words: Any) -> Any:
    """As encoders end: the last state of either direction; a GRU has one, an LSTM a cell's too."""
    _, forward, _, backward, _ = layers.Bidirectional(layers.LSTM(4, return_state=True))(words)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True, return_state=True), merge_mode="mul")
    sequence, *last = both(words)
    return layers.Concatenate()([forward, backward, *last, average(sequence)])


def dots(ids: Any, words: Any) -> Any:
    """Luong's attention by Dot, and by Flatten with one number a step; and the product of two rows."""
    values, query, mask = states(words), layers.LSTM(5)(words), ops.cast(ops.not_equal(ids, 0), "float32")
    of_query = layers.Softmax()(layers.Dot(axes=(2, 1))([values, query]) + (1.0 - mask) * -1e9)
    alone = layers.Activation("softmax")(layers.Flatten()(layers.Dense(1)(values)) + (1.0 - mask) * -1e9)
    given = layers.Softmax()(layers.Reshape((-1,))(layers.Dense(1)(values)), mask=ops.not_equal(ids, 0))
    alone = layers.Add()([alone, given])
    read = [layers.Dot(axes=1)([weights, values]) for weights in (of_query, alone)]
    return layers.Concatenate()([*read, layers.Dot(axes=-1)(read), layers.Dot(axes=1, normalize=True)(read)])


def numbers_of_texts(ids: Any, words: Any) -> Any:
    """How long a text is beside its row; the average of what its classes stand for, in two ways."""
    length = ops.sum(ops.cast(ops.not_equal(ids, 0), "float32"), axis=1, keepdims=True)
    classes = layers.Dense(5, activation="softmax")(
        layers.Concatenate()([layers.LSTM(4)(words), ops.log(length + 1.0)])
    )
    stars = np.arange(1, 6, dtype=np.float32)
    mean = ops.sum(classes * ops.convert_to_tensor(stars), axis=-1, keepdims=True)
    return ops.concatenate([mean, ops.matmul(classes, stars[:, None]) / length, layers.Dense(2)(length / 50)], axis=-1)


def filled(ids: Any, words: Any) -> Any:
    scores = layers.Dense(1)(states(words))
    scores = ops.where(ops.not_equal(ids, 0)[:, :, None], scores, ops.full_like(scores, -1e9))
    return ops.sum(ops.softmax(scores, axis=1) * words, axis=1)


def slopes(ids: Any, words: Any) -> Any:
    sides = [layers.PReLU(shared_axes=[1])(values) for values in (states(words), layers.Dense(5)(words))]
    return average(layers.Add()(sides))


COMPOSITIONS: dict[str, Build] = {
    "pool: logsumexp": lambda ids, words: ops.logsumexp(states(words) - 1e9 * (1.0 - mask_of(ids)), axis=1),
    "additive_attention: with itself": lambda _, words: average(layers.AdditiveAttention()([states(words)] * 2)),
    "additive_attention: of the words, no scale": lambda _, words: average(
        layers.AdditiveAttention(use_scale=False)([words, layers.Dense(6)(words), words])
    ),
    "both ways, with states": states_of_both,
    "combine: products by Dot": dots,
    "combine: a row of numbers": numbers_of_texts,
    "combine: filled alike": filled,
    "combine: slopes of PReLU": slopes,
    "combine: unit length": lambda _, words: layers.Concatenate()(
        [
            layers.UnitNormalization()(layers.LSTM(4)(words)),
            ops.normalize(layers.PReLU()(layers.GRU(3)(words)), axis=-1),
            average(layers.UnitNormalization()(states(words))),
        ]
    ),
}
