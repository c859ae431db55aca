"""The networks that `train` builds: a masked recurrent part, and beside it a linear one over distinct words.

Importing this module imports Keras.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from saiten.model.task import Task
from saiten.model.text.ragged import DoubleArray, FloatArray
from saiten.model.text.vocabulary import OOV_ID, PAD_ID
from saiten.model.training.config import NetworkConfig
from saiten.model.training.networks.wide import Bias, WideTable, character_runs, wide_sums

# Beyond any sequence's length.
_LAST = 2**30
_MOST_SEED = 2**31
_ACTIVATIONS: dict[Task, str] = {"labels": "sigmoid", "classes": "softmax"}


class Network:
    """A network as it is trained, and as it is saved: the two share their weights.

        token_ids  int32 [n, sequence_length], padded with 0 before or behind
        deep       the first tokens > embedding (makes the mask) > recurrent layer > last state,
                   or mean and maximum over time > Dense
        wide       see `saiten.model.training.networks.wide`; only where the config has it
        parts      float32 [n, parts, outputs], the parts' logits side by side: what is trained
        scores     float32 [n, outputs], each part's logits times its factor, summed: what is saved

    The recurrent layer is built without cuDNN, which takes only batches that are padded behind.
    Whatever is left to chance has a seed of its own, drawn from `seed`: Keras' global ones come from Python's
    generator, which any other thread of the process may draw from in between.

    Args:
        config: What to build, settled.
        embeddings: float32 [V, D]; row 0 is the padding's and never read.
        n_outputs: Number of scores.
        words: The vocabulary's, [V], for the wide part.
        start: float32 [outputs], what the biases start at.
        seed: Of the first weights, and of what is dropped in training.

    Attributes:
        trained: The model of the parts.
        wide_variables: What is trained of the wide part.
    """

    def __init__(
        self,
        config: NetworkConfig,
        embeddings: FloatArray,
        n_outputs: int,
        words: Sequence[str | None] = (),
        start: FloatArray | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self._config = config
        self._next_seed = partial(random.Random(seed).randrange, _MOST_SEED)
        self._n_pairs = config.n_pairs or 0
        self._n_outputs = n_outputs
        self._vocabulary_size = len(embeddings)
        start = np.zeros(n_outputs, np.float32) if start is None else start
        self._embedding = layers.Embedding(
            *embeddings.shape, weights=[embeddings], trainable=config.train_vectors, mask_zero=True, name="embedding"
        )
        self._recurrent = _recurrent_layer(config, self._next_seed)
        start_of_dense = keras.initializers.GlorotUniform(self._next_seed())
        self._dense = layers.Dense(n_outputs, kernel_initializer=start_of_dense, name="deep")
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        parts = [self._deep(token_ids, is_trained=True)]
        if config.wide:
            self._words = WideTable(len(embeddings), n_outputs, character_runs(words), name="words")
            self._pairs = WideTable(self._n_pairs + 1, n_outputs, name="pairs")
            self._bias = Bias(start, name="bias")
            parts.append(self._bias(self._wide(token_ids, self._words, self._pairs)))
        self.trained = keras.Model(token_ids, ops.stack(parts, axis=1), name="trained")
        wide_layers = (self._words, self._pairs, self._bias) if config.wide else ()
        self.wide_variables = [variable for layer in wide_layers for variable in layer.trainable_variables]
        self._dense.bias.assign(start)

    def use_vectors(self, embeddings: FloatArray) -> None:
        """Lets the words begin with other vectors, float32 [V, D], than those that the network was built with."""
        self._embedding.set_weights([embeddings])

    def saved(self, task: Task, factors: DoubleArray, mean: FloatArray, deviation: FloatArray) -> keras.Model:
        """Builds the model that is saved, of Keras' own layers alone. It takes the trained Dense layer over.

        Args:
            task: Decides the last activation.
            factors: float64 [parts], what each part's logits count.
            mean: float32 [outputs], added to the scores.
            deviation: float32 [outputs], what the scores are multiplied by before.
        """
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        kernel, bias = self._dense.get_weights()
        scales = factors[:, None].astype(np.float32) * deviation
        bias = bias * scales[0] + mean
        scores = self._deep(token_ids, is_trained=False)
        if self._config.wide:
            tables = [
                layers.Embedding(*rows.shape, weights=[rows], name=f"wide_{table.name}")
                for table in (self._words, self._pairs)
                for rows in [table.rows() * scales[1]]
            ]
            bias = bias + self._bias.get_weights()[0] * scales[1]
            scores = layers.Add(name="wide_and_deep")([scores, self._wide(token_ids, *tables)])
        self._dense.set_weights([kernel * scales[0], bias])
        if task in _ACTIVATIONS:
            scores = layers.Activation(_ACTIVATIONS[task], name="scores")(scores)
        return keras.Model(token_ids, scores, name="wide_deep" if self._config.wide else self._config.recurrent)

    def _deep(self, token_ids: Any, *, is_trained: bool) -> Any:
        config = self._config
        if config.first_tokens is not None:
            token_ids = first_tokens(token_ids, config.first_tokens)
        if is_trained and config.word_dropout:
            token_ids = WordDropout(config.word_dropout, self._next_seed())(token_ids)
        sequence = self._embedding(token_ids)
        if is_trained and config.dropout:
            sequence = layers.SpatialDropout1D(config.dropout, seed=self._next_seed())(sequence)
        states = self._recurrent(sequence)
        if config.pooling == "mean_max":
            states = _mean_and_maximum(states, token_ids)
        if is_trained and config.dropout:
            states = layers.Dropout(config.dropout, seed=self._next_seed())(states)
        return self._dense(states)

    def _wide(self, token_ids: Any, words: Any, pairs: Any) -> Any:
        return wide_sums(token_ids, words, pairs, self._vocabulary_size, self._n_pairs)


class WordDropout(layers.Layer):
    """Replaces a share of the words by OOV while it trains, so that the OOV word's vector is trained too."""

    def __init__(self, rate: float, seed: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._rate = rate
        self._seed = keras.random.SeedGenerator(seed)

    def call(self, token_ids: Any, training: bool = False) -> Any:
        if not training:
            return token_ids
        is_dropped = keras.random.uniform(ops.shape(token_ids), seed=self._seed) < self._rate
        return ops.where(ops.logical_and(is_dropped, token_ids != PAD_ID), OOV_ID, token_ids)


def _recurrent_layer(config: NetworkConfig, next_seed: Callable[[], int]) -> layers.Layer:
    def make(layer: type[layers.Layer], **settings: Any) -> layers.Layer:
        return layer(
            config.units,
            return_sequences=config.pooling != "last",
            use_cudnn=False,
            kernel_initializer=keras.initializers.GlorotUniform(next_seed()),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next_seed()),
            **settings,
        )

    if config.recurrent == "gru":
        return make(layers.GRU, name="gru")
    lstm = make(layers.LSTM, name="lstm")
    if config.recurrent == "lstm":
        return lstm
    both = layers.Bidirectional(lstm, backward_layer=make(layers.LSTM, go_backwards=True), name="bilstm")
    for direction in (both.forward_layer, both.backward_layer):
        direction.supports_jit = True  # Keras forgets, when it copies the layer, that it is to do without cuDNN
    return both


def first_tokens(token_ids: Any, n: int) -> Any:
    """Returns each text's first tokens, int32 [n, at most so many], padded behind, wherever the padding was."""
    is_token = ops.not_equal(token_ids, PAD_ID)
    places = ops.where(is_token, ops.cumsum(ops.cast(is_token, "int32"), axis=1), _LAST)
    return ops.take_along_axis(token_ids, ops.argsort(places, axis=1)[:, :n], axis=1)


def _mean_and_maximum(states: Any, token_ids: Any) -> Any:
    """Returns mean and maximum over the tokens' states, [n, 2 * units]; padding has no part in either."""
    mean = layers.GlobalAveragePooling1D(name="mean")(states)
    # A state is above -1, so padding never has the maximum.
    is_token = ops.expand_dims(ops.not_equal(token_ids, PAD_ID), -1)
    return layers.Concatenate(name="mean_and_maximum")([mean, ops.max(ops.where(is_token, states, -1.0), axis=1)])
