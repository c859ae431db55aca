"""Scores with the compiled Keras model: any masked architecture, at TensorFlow's price.

Importing this module imports TensorFlow.
"""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from saiten.model.engines.engine import check_ids
from saiten.model.engines.precision import in_double_precision
from saiten.model.errors import refusing
from saiten.model.keras_models.layers import model_vocabulary_size
from saiten.model.keras_models.saved_model import check_keras_file, load_keras_file
from saiten.model.text.encoder import cut_batches, pad
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray

# 65,536 cells of a 200-dimensional embedding are 52 MB; more rows than 256 gain nothing on a CPU.
_MAX_CELLS = 65_536
_MAX_ROWS = 256


class KerasEngine:
    """Runs a Keras model in one compiled function, in batches of texts of like length.

    Every batch is padded behind, to its longest text, with the id that the model masks.

    Args:
        model: Takes int32 [n, sequence_length], gives float32 [n, outputs].

    Attributes:
        vocabulary_size: One more than the largest id it takes.
        score_matrix: The compiled function, for ids that are padded already.
    """

    name = "keras"

    def __init__(self, model: keras.Model) -> None:
        for layer in _recurrent_layers(model):
            # cuDNN takes only masks padded behind, and the flag is not saved with a model. An unrolled layer gives the
            # same for one number of steps.
            layer.use_cudnn = layer.unroll = False
        self.model = model
        self.n_outputs = sum(int(output.shape[-1]) for output in model.outputs)
        self.vocabulary_size = model_vocabulary_size(model)
        self.score_matrix = compile_model(model)
        self._exact: KerasEngine | None = None

    def exact(self) -> "KerasEngine":
        """Returns the engine of the same model in double precision, made once; its scores come in single precision."""
        self._exact = self._exact or KerasEngine(in_double_precision(self.model))
        return self._exact

    def score(self, token_ids: IntArray, offsets: Int64Array) -> FloatArray:
        """Scores every text; see `saiten.model.engines.engine.Engine`."""
        check_ids(token_ids, self.vocabulary_size)
        lengths = np.diff(offsets)
        scores = np.full((len(lengths), self.n_outputs), np.nan, np.float32)
        for rows in cut_batches(lengths, _MAX_CELLS, _MAX_ROWS):
            matrix = pad(token_ids, offsets, rows, int(lengths[rows[-1]]))
            scores[rows] = self.score_matrix(matrix)
        return scores


def compile_model(model: keras.Model) -> Callable[[IntArray], FloatArray]:
    """Returns a function from padded ids, int32 [n, sequence_length], to scores, float32 [n, outputs].

    One trace serves every shape: a trace costs seconds, and `predict` makes one a shape.
    """

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)], autograph=False)
    def run(matrix: tf.Tensor) -> tf.Tensor:
        heads = tf.nest.flatten(model(matrix, training=False))
        return tf.concat([tf.cast(head, tf.float32) for head in heads], axis=1)

    return lambda matrix: run(matrix).numpy()


def _recurrent_layers(model: keras.Model) -> Iterator[Any]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _recurrent_layers(layer)
        inner = (getattr(layer, name, None) for name in ("forward_layer", "backward_layer"))
        yield from (candidate for candidate in (layer, *inner) if hasattr(candidate, "use_cudnn"))


def load_keras_engine(path: pathlib.Path, *, trust: bool = False, threads: int = 0) -> KerasEngine:
    """Loads a `.keras` file whose hash has been checked already.

    Args:
        path: The file.
        trust: Let through layer classes that Saiten does not build.
        threads: Threads TensorFlow may use in this process; 0 leaves it to TensorFlow.

    Raises:
        BundleError: The file holds a class that is not let through, or Keras cannot load it.
    """
    if threads:
        limit_threads(threads)
    check_keras_file(path, trust=trust)
    model = load_keras_file(path)
    with refusing(f"{path} holds no model from ids to scores; make the bundle anew."):
        return KerasEngine(model)


def limit_threads(threads: int) -> None:
    """Limits TensorFlow's threads; does nothing once TensorFlow has computed something in this process."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        # TensorFlow's pools are made once; a test or a notebook may have made them.
        return
