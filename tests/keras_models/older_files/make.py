"""Writes the models of this folder anew; see README.md."""

import pathlib

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

FOLDER = pathlib.Path(__file__).parent


def words(ids):  # noqa: ANN001, ANN201
    return layers.Embedding(60, 6, mask_zero=True)(ids)


def models():  # noqa: ANN201
    fixed = [layers.Embedding(60, 6, mask_zero=True, input_length=12), layers.LSTM(8)]
    yield "lstm", keras.Sequential([*fixed, layers.Dense(2, activation="softmax")])
    free = [layers.Embedding(60, 6, mask_zero=True), layers.SpatialDropout1D(0.2), layers.GRU(8)]
    gru = keras.Sequential([*free, layers.BatchNormalization(), layers.Dense(2)])
    gru.build((None, None))
    yield "gru", gru
    ids = layers.Input((None,))
    hard = layers.LSTM(5, return_sequences=True, recurrent_activation="hard_sigmoid")
    both = layers.Bidirectional(hard)(words(ids))
    pooled = [layers.Bidirectional(layers.GRU(4))(both), layers.GlobalAveragePooling1D()(both)]
    scores = layers.Dense(2, activation="sigmoid")(layers.Dropout(0.1)(layers.Concatenate()(pooled)))
    yield "func", keras.Model(ids, scores)
    inner = keras.Sequential([layers.LSTM(4), layers.Dense(3, activation="relu")], name="inner")
    inner.build((None, None, 6))
    ids = layers.Input((None,))
    yield "nested", keras.Model(ids, layers.Dense(2)(inner(words(ids))))
    yield "frozen", frozen()
    yield "attention", attention()
    yield "turned", turned()
    yield "shared", shared()
    yield "functions", functions()


def frozen():  # noqa: ANN201
    """Parts of parts: some frozen, some with hard_sigmoid, cells of two kinds."""
    halves = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    alike = [layers.Dense(6, activation="tanh"), layers.Dense(6)]
    before = keras.Sequential([*alike, halves, layers.BatchNormalization()], name="before")
    before.build((None, None, 6))
    alike[0].trainable = halves.forward_layer.trainable = False
    hard = {"recurrent_activation": "hard_sigmoid"}
    cells = [layers.LSTMCell(4, **hard), layers.GRUCell(3, **hard)]
    behind = keras.Sequential([keras.Sequential([layers.Dense(3, activation="hard_sigmoid")])])
    embedding = layers.Embedding(60, 6, mask_zero=True)
    stack = [layers.SpatialDropout1D(0.1, trainable=False), before, layers.Bidirectional(layers.RNN(cells)), behind]
    model = keras.Sequential([embedding, *stack, layers.Dense(2)])
    model.build((None, None))
    embedding.trainable = False
    return model


def attention():  # noqa: ANN201
    ids = layers.Input((None,))
    read = words(ids)
    seen = layers.Add()([read, layers.MultiHeadAttention(6, 6)(read, read)])
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization(axis=[2])(seen))
    return keras.Model(ids, layers.Dense(2)(layers.BatchNormalization(renorm=True)(pooled)))


def turned():  # noqa: ANN201
    """A model as the first layer, and a Bidirectional whose own layer is the one that goes backwards."""
    ids = layers.Input((None,))
    both = layers.Bidirectional(layers.LSTM(4, go_backwards=True, return_sequences=True))
    return keras.Sequential([keras.Model(ids, words(ids)), both, layers.GRU(3), layers.Dense(2)])


def shared():  # noqa: ANN201
    """Layers that stand in the model and in models within it, before and behind others of their kind."""
    ids, read_within, seen_within = layers.Input((None,)), layers.Input((None,)), layers.Input((None, 6))
    embedding = layers.Embedding(60, 6, mask_zero=True)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"))
    last = layers.Dense(3, activation="tanh")
    reader = keras.Model(read_within, layers.GRU(4)(both(embedding(read_within))), name="reader")
    dense = layers.Dense(6, activation="tanh")
    seer = keras.Model(seen_within, last(layers.LSTM(3)(both(dense(layers.Dense(6)(seen_within))))), name="seer")
    read = embedding(ids)
    beside = last(layers.GRU(3)(dense(both(read))))
    return keras.Model(ids, layers.Dense(2)(layers.Concatenate()([reader(ids), seer(read), beside])))


def functions():  # noqa: ANN201
    """Masks and attention by functions of TensorFlow, with numbers on either side, slices, and a model within."""
    ids = layers.Input((None,))
    values = layers.LSTM(4, return_sequences=True)(words(ids))
    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, tf.newaxis]
    weights = tf.nn.softmax(layers.Dense(1, activation="tanh")(values) + (1.0 - mask) * -1e9, axis=1)
    largest = tf.reduce_max(tf.where(tf.expand_dims(tf.math.equal(ids, 0), -1), -1e9, values), axis=1)
    average = tf.reduce_sum(values * mask, axis=1) / tf.maximum(tf.reduce_sum(mask, axis=1), 1.0)
    inside = layers.Input((4,))
    within = keras.Model(inside, tf.nn.leaky_relu(2.0 - tf.square(inside), alpha=0.3), name="within")
    last = layers.GRU(3)(layers.Embedding(60, 5)(ids), mask=tf.logical_not(tf.equal(ids, 0)))
    joined = tf.concat([tf.reduce_sum(weights * values, axis=1), largest, within(average), last[:, 1:]], axis=-1)
    return keras.Model(ids, tf.clip_by_value(layers.Dense(2)(joined) * 2.0 + 1.0, -4.0, 4.0))


def main():  # noqa: ANN201
    ids, generator = np.zeros((5, 12), int), np.random.default_rng(3)
    for row in range(5):
        ids[row, 12 - 2 * row - 2 :] = generator.integers(1, 60, 2 * row + 2)
    np.save(FOLDER / "ids.npy", ids)
    for name, model in models():
        drawn = np.random.default_rng(0)
        values = [drawn.normal(0, 0.3, weight.shape) for weight in model.weights]
        model.set_weights(
            [np.abs(v) if "variance" in w.name else v for v, w in zip(values, model.weights, strict=True)]
        )
        for ending in ("h5", "keras"):
            model.save(FOLDER / f"{name}.{ending}")
        np.save(FOLDER / f"{name}.npy", model.predict(ids, verbose=0))


if __name__ == "__main__":
    main()
