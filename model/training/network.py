"""The networks that `train` builds: a fixed embedding, one recurrent layer, one score per output.

Importing this module imports Keras.
"""

import keras

from saiten.model.errors import UsageError
from saiten.model.text.ragged import FloatArray
from saiten.model.training.config import NETWORKS


def build_network(network: str, embeddings: FloatArray, units: int, n_outputs: int) -> keras.Model:
    """Builds a network that takes token ids and gives scores.

        token_ids    int32 [n, sequence_length], padded with 0 before or behind
          embedding  float32 [n, sequence_length, D], fixed; makes the mask: True where the id is not 0
          lstm       float32 [n, units] (bilstm: twice as many); skips what is masked
          scores     float32 [n, n_outputs], linear

    The recurrent layer is built without cuDNN, which takes only batches that are padded behind.
    The weights come from Keras' global seed: see `keras.utils.set_random_seed`.

    Args:
        network: One of `NETWORKS`.
        embeddings: float32 [V, D]; row 0 is the padding's and never read.
        units: Size of the recurrent state, in each direction.
        n_outputs: Number of scores.

    Raises:
        UsageError: There is no such network, or a size is not positive.
    """
    if network not in NETWORKS:
        raise UsageError(f"There is no network {network!r}; choose one of {', '.join(NETWORKS)}.")
    if units < 1 or n_outputs < 1:
        raise UsageError(f"A network needs 1 unit and 1 output or more, not {units} and {n_outputs}.")
    recurrent = _recurrent_layer(network, units)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(
        *embeddings.shape, weights=[embeddings], trainable=False, mask_zero=True, name="embedding"
    )
    scores = keras.layers.Dense(n_outputs, name="scores")
    return keras.Model(token_ids, scores(recurrent(embedding(token_ids))), name=network)


def _recurrent_layer(network: str, units: int) -> keras.layers.Layer:
    if network == "gru":
        return keras.layers.GRU(units, use_cudnn=False, name="gru")
    lstm = keras.layers.LSTM(units, use_cudnn=False, name="lstm")
    return lstm if network == "lstm" else keras.layers.Bidirectional(lstm, name="bilstm")
