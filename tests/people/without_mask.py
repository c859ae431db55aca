"""Models without Keras' mask: sound ones, which leave their padding out by other means, and ones that read it.

Of both kinds a function from ids to scores; an Embedding called ``vectors`` gets zeros for the padding, one called
``marks`` ones for words and a zero for it, one called ``lows`` -1e9 for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.helpers.networks import with_drawn_weights
from tests.people.models.networks import dense
from tests.people.tried import VOCABULARY_SIZE, WIDTH

Build = Callable[[Any], Any]
Change = Callable[[str, Any], Any]


def vectors(ids: Any, name: str = "vectors", width: int = WIDTH) -> Any:
    return layers.Embedding(VOCABULARY_SIZE, width, name=name)(ids)


def marks(ids: Any) -> Any:
    return vectors(ids, "marks", 1)


def differs(values: Any) -> Any:
    """Where a vector is not zeros."""
    return ops.any(ops.not_equal(values, 0), axis=-1)


def as_numbers(mask: Any) -> Any:
    return ops.expand_dims(ops.cast(mask, "float32"), -1)


def total(values: Any) -> Any:
    return ops.sum(values, axis=1)


def count(ids: Any) -> Any:
    return ops.maximum(ops.cast(ops.count_nonzero(ids, axis=1), "float32"), 1.0)[:, None]


def by_vectors(cell: Any) -> Build:
    def build(ids: Any) -> Any:
        words = vectors(ids)
        return dense(cell(words, mask=differs(words)))

    return build


def mean_of_nonzero(ids: Any) -> Any:
    words = vectors(ids)
    mask = as_numbers(differs(words))
    return dense(total(words * mask) / ops.maximum(total(mask), 1.0))


def attention_with_lows(ids: Any) -> Any:
    words = vectors(ids, "words")
    weights = ops.softmax(layers.Dense(1)(words) + vectors(ids, "lows", 1), axis=1)
    return dense(total(words * weights))


def largest_by_norm(ids: Any) -> Any:
    words = vectors(ids)
    is_word = ops.norm(words, axis=-1, keepdims=True) > 0
    return dense(ops.max(ops.where(is_word, layers.Dense(4)(words), -1e9), axis=1))


def attention_with_masks(ids: Any) -> Any:
    words = vectors(ids)
    mask = ops.sum(ops.abs(words), axis=-1) > 0
    return dense(layers.GlobalAveragePooling1D()(layers.Attention()([words, words], mask=[mask, mask]), mask=mask))


def weighted(ids: Any) -> Any:
    """As TF-IDF is laid on word vectors: a second Embedding of one number a word, 0 for the padding."""
    return dense(layers.Dot(axes=(1, 1))([vectors(ids), layers.Reshape((-1,))(marks(ids))]))


def stacked(ids: Any) -> Any:
    return dense(
        layers.GRU(3)(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Masking()(vectors(ids))))
    )


SOUND: Mapping[str, Build] = {
    "a mask of vectors that are not 0, LSTM": by_vectors(layers.LSTM(4)),
    "a mask of vectors that are not 0, Bidirectional GRU": by_vectors(layers.Bidirectional(layers.GRU(3))),
    "a mask of vectors that are not 0, average": by_vectors(layers.GlobalAveragePooling1D()),
    "mean of the vectors that are not 0": mean_of_nonzero,
    "Masking, Bidirectional LSTM, GRU": stacked,
    "Masking that is given the zeros it looks for, average": lambda ids: dense(
        layers.GlobalAveragePooling1D()(layers.Masking(mask_value=0.0)(vectors(ids)))
    ),
    "sum of vectors, zeros for the padding": lambda ids: dense(total(vectors(ids))),
    "sum of vectors by a count of ids": lambda ids: dense(total(vectors(ids)) / count(ids)),
    "sum of vectors by a sum of marks": lambda ids: dense(total(vectors(ids)) / ops.maximum(total(marks(ids)), 1.0)),
    "marks of a second Embedding": lambda ids: dense(total(layers.Dense(4)(vectors(ids, "words")) * marks(ids))),
    "marks of a second Embedding as a mask": lambda ids: dense(
        layers.LSTM(4)(vectors(ids, "words"), mask=ops.squeeze(marks(ids), -1) > 0.5)
    ),
    "lows of a second Embedding, attention": attention_with_lows,
    "weights of a second Embedding": weighted,
    "the largest where a norm is not 0": largest_by_norm,
    "Attention with masks of sums": attention_with_masks,
    "the sign of ids": lambda ids: dense(
        total(vectors(ids, "words") * ops.expand_dims(ops.cast(ops.sign(ids), "float32"), -1))
    ),
    "relu without a bias, the largest": lambda ids: dense(
        layers.GlobalMaxPooling1D()(layers.Dense(4, activation="relu", use_bias=False)(vectors(ids)))
    ),
    "convolution of one step without a bias, sum": lambda ids: dense(
        total(layers.Conv1D(4, 1, use_bias=False, activation="tanh")(vectors(ids)))
    ),
}


def as_they_are(_: str, value: Any) -> Any:
    return value


def smaller(factor: float) -> Change:
    return lambda _, value: value * factor


def biased(bias: float) -> Change:
    """The last layer, or what is behind the recurrence, gives the same whatever it reads."""
    return lambda path, value: value + bias if path.startswith("last") and path.endswith("bias") else value


def zeros_at_last(path: str, value: Any) -> Any:
    return value * 0 if path.startswith("last") else value


def forgetting(path: str, value: Any) -> Any:
    """An LSTM whose gates let nothing through that is older than a step, and little of that."""
    return np.full_like(value, -12) if path.startswith("lstm") and path.endswith("bias") else value


def mostly_positive(path: str, value: Any) -> Any:
    if not path.startswith("vectors"):
        return value
    changed = np.abs(value)
    changed[7] = -changed[7]
    return changed


def lstm(ids: Any, activation: str = "sigmoid", units: int = 2, name: str = "words") -> Any:
    return layers.Dense(units, activation, name="last")(layers.LSTM(4, name="lstm")(vectors(ids, name)))


def hidden(ids: Any) -> Any:
    return layers.Dense(2)(layers.Dense(3, "relu", name="last")(layers.LSTM(4)(vectors(ids, "words"))))


READING: Mapping[str, tuple[Build, Change]] = {
    "LSTM": (lstm, as_they_are),
    "LSTM, weights of a millionth": (lstm, smaller(1e-6)),
    "LSTM, weights of next to nothing": (lstm, smaller(1e-12)),
    "LSTM, weights of a hundred times": (lstm, smaller(100.0)),
    "LSTM, a sigmoid that is 1": (lstm, biased(200.0)),
    "LSTM, a sigmoid that is 0": (lstm, biased(-200.0)),
    "LSTM, a relu that is 0": (hidden, biased(-200.0)),
    "LSTM, a head of zeros": (lstm, zeros_at_last),
    "LSTM, a softmax of one number": (lambda ids: lstm(ids, "softmax", 1), as_they_are),
    "LSTM that forgets": (lstm, forgetting),
    "LSTM, zeros for the padding": (lambda ids: lstm(ids, name="vectors"), as_they_are),
    "GRU, zeros for the padding, weights of a millionth": (
        lambda ids: layers.Dense(2)(layers.GRU(4)(vectors(ids))),
        smaller(1e-6),
    ),
    "a mask of vectors that are not 0, but for none": (
        lambda ids: dense(layers.LSTM(4)(vectors(ids, "words"), mask=differs(vectors(ids, "others")))),
        as_they_are,
    ),
    "the average of vectors, zeros for the padding": (
        lambda ids: dense(layers.GlobalAveragePooling1D()(vectors(ids))),
        as_they_are,
    ),
    "Dense with a bias, sum": (lambda ids: dense(total(layers.Dense(4)(vectors(ids)))), smaller(1e-3)),
    "the largest, zeros for the padding": (lambda ids: dense(layers.GlobalMaxPooling1D()(vectors(ids))), as_they_are),
    "the largest, but for one word above 0": (
        lambda ids: dense(layers.GlobalMaxPooling1D()(vectors(ids))),
        mostly_positive,
    ),
    "convolution of three steps, the largest": (
        lambda ids: dense(layers.GlobalMaxPooling1D()(layers.Conv1D(4, 3, padding="same")(vectors(ids)))),
        smaller(1e-4),
    ),
    "attention whose softmax counts the padding": (
        lambda ids: dense(total(vectors(ids) * ops.softmax(layers.Dense(1)(vectors(ids, "other")), axis=1))),
        smaller(1e-4),
    ),
    "a factor before LSTM takes the mask, weights of a millionth": (
        lambda ids: dense(
            layers.LSTM(4)(layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(ids) * 2.0), activation="sigmoid"
        ),
        smaller(1e-6),
    ),
    "states that begin a second text": (
        lambda ids: dense(layers.LSTM(4)(vectors(ids, "words")) - ops.mean(layers.LSTM(4)(vectors(ids, "words2")), 0)),
        smaller(1e-5),
    ),
}


def model_of(build: Build, change: Change = as_they_are, *, is_fresh: bool = False) -> Any:
    """Returns a model with drawn weights, changed, or with those that Keras begins with."""
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, build(ids))
    if not is_fresh:
        with_drawn_weights(model)
    for weight in model.weights:
        value = change(weight.path, weight.numpy())
        rows = np.arange(len(value) if value.ndim else 0)[:, None] > 0
        if weight.path.startswith("vectors"):
            value = np.where(rows, value, 0)
        elif weight.path.startswith("marks"):
            value = np.where(rows, 1.0, 0)
        elif weight.path.startswith("lows"):
            value = np.where(rows, 0, -1e9)
        weight.assign(value)
    return model
