"""Every layer of Keras, in the first places of a model of texts in which Keras itself builds it."""

import inspect
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers

from tests.helpers.networks import with_drawn_weights
from tests.people.tried import VOCABULARY_SIZE, WIDTH

N_STEPS = 12
Place = Callable[[Callable[[], Any], Any], Any]

# What Keras asks for, by a layer's name or how it begins; of several the last counts.
_ASKED: Mapping[str, Mapping[str, Any]] = {
    "Adaptive": {"output_size": 2},
    "Average": {},
    "AveragePooling": {"pool_size": 2},
    "MaxPooling": {"pool_size": 2},
    "Conv": {"filters": 3, "kernel_size": 1},
    "SeparableConv": {"filters": 3, "kernel_size": 1},
    "DepthwiseConv": {"kernel_size": 1},
    "Cropping": {"cropping": 1},
    "Dense": {"units": 3},
    "EinsumDense": {"equation": "...x,xy->...y", "output_shape": 3},
    "Embedding": {"input_dim": VOCABULARY_SIZE, "output_dim": WIDTH, "mask_zero": True},
    "ReversibleEmbedding": {"input_dim": VOCABULARY_SIZE, "output_dim": WIDTH, "mask_zero": True},
    "LSTM": {"units": 3},
    "GRU": {"units": 3},
    "SimpleRNN": {"units": 3},
    "SpatialDropout": {"rate": 0.1},
    "Dropout": {"rate": 0.1},
    "GaussianDropout": {"rate": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "GroupNormalization": {"groups": 1},
    "Normalization": {"mean": 0.5, "variance": 2.0},
    "MultiHeadAttention": {"num_heads": 1, "key_dim": 3},
    "GroupQueryAttention": {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1},
    "Activation": {"activation": "tanh"},
    "ActivityRegularization": {},
    "Lambda": {"function": lambda values: values * 2},
    "RepeatVector": {"n": 3},
    "Reshape": {"target_shape": (-1, WIDTH)},
    "Permute": {"dims": (2, 1)},
    "Rescaling": {"scale": 2.0},
    "Dot": {"axes": 1},
    "CategoryEncoding": {"num_tokens": VOCABULARY_SIZE},
    "Discretization": {"bin_boundaries": [10.0, 20.0]},
    "Hashing": {"num_bins": 50},
    "HashedCrossing": {"num_bins": 50},
    "IntegerLookup": {"vocabulary": list(range(1, 50))},
    "StringLookup": {"vocabulary": ["良い"]},
    "TextVectorization": {"vocabulary": ["良い"]},
    "CenterCrop": {"height": 2, "width": 2},
    "RandomCrop": {"height": 2, "width": 2},
    "Resizing": {"height": 2, "width": 2},
    "MaxNumBoundingBoxes": {"max_number": 3},
    "RandomRotation": {"factor": 0.1},
    "RandomZoom": {"factor": 0.1},
    "RandomBrightness": {"factor": 0.1},
    "RandomContrast": {"factor": 0.1},
    "RandomColorDegeneration": {"factor": 0.1},
    "RandomHue": {"factor": 0.1},
    "RandomPosterization": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.1},
    "RandomSharpness": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
}
_WRAPPERS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "RNN": lambda: {"cell": layers.LSTMCell(3)},
    "Bidirectional": lambda: {"layer": layers.LSTM(3)},
    "TimeDistributed": lambda: {"layer": layers.Dense(3)},
    "SpectralNormalization": lambda: {"layer": layers.Dense(3)},
    "Wrapper": lambda: {"layer": layers.Dense(3)},
    "Pipeline": lambda: {"layers": [layers.Rescaling(2.0)]},
}
# Which Keras builds in none of the places below with what is given here: no layers of a graph by themselves, ones that
# need another library's model, larger pictures or a known number of steps.
NOT_BUILT = frozenset(
    ("Layer", "Wrapper", "InputLayer", "LSTMCell", "GRUCell", "StackedRNNCells", "FlaxLayer", "JaxLayer", "TFSMLayer",
     "TorchModuleWrapper", "AveragePooling3D", "MaxPooling3D", "Cropping3D", "Permute", "RandomPosterization",
     "RandomZoom", "RandomColorDegeneration")
)  # fmt: skip


def names() -> list[str]:
    """Returns the names of Keras' layers, each once."""
    found = {name: getattr(layers, name) for name in dir(layers)}
    classes = {name: cls for name, cls in found.items() if inspect.isclass(cls) and issubclass(cls, layers.Layer)}
    # Some have older names beside their own, and one is called otherwise within Keras.
    own = {cls: name for name, cls in classes.items()} | {
        c: c.__name__ for c in classes.values() if c.__name__ in found
    }
    return sorted(own.values())


def made(name: str) -> Any:
    """Returns a layer with what Keras asks for."""
    if name in _WRAPPERS:
        return getattr(layers, name)(**_WRAPPERS[name]())
    matching = [asked for beginning, asked in _ASKED.items() if name.startswith(beginning)]
    return getattr(layers, name)(**(_ASKED[name] if name in _ASKED else matching[-1] if matching else {}))


def _words(ids: Any) -> Any:
    return layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(ids)


def _pictures(words: Any, *shape: int) -> Any:
    return layers.Reshape(shape)(words)


PLACES: Mapping[str, Place] = {
    "on the words": lambda layer, ids: layer()(_words(ids)),
    "on the last state": lambda layer, ids: layer()(layers.LSTM(4)(_words(ids))),
    "on two sequences": lambda layer, ids: layer()([_words(ids), _words(ids)]),
    "on words twice": lambda layer, ids: layer()(*[_words(ids)] * 2),
    "on two states": lambda layer, ids: layer()([layers.LSTM(4)(_words(ids)), layers.GRU(4)(_words(ids))]),
    "on the ids": lambda layer, ids: _words(layer()(ids)),
    "on words as a picture": lambda layer, ids: layer()(_pictures(_words(ids), 3, 4, WIDTH)),
    "on words as pictures": lambda layer, ids: layer()(_pictures(_words(ids), 1, 3, 4, WIDTH)),
    "on words as films": lambda layer, ids: layer()(_pictures(_words(ids), 1, 1, 3, 4, WIDTH)),
    "instead of them": lambda layer, ids: layer()(ids),
}


def _scores(values: Any) -> Any:
    """Whatever a layer gives, brought to a row of two scores."""
    value = keras.tree.flatten(values)[0]
    while len(value.shape) > 3:
        value = keras.ops.max(value, axis=1)
    return layers.Dense(2)(layers.LSTM(3)(value) if len(value.shape) == 3 else value)


def models(name: str, folder: pathlib.Path, most: int) -> Iterator[tuple[str, Any, pathlib.Path]]:
    """Yields the first models that Keras builds with a layer: the place, the model and its file."""
    n_built = 0
    for place, behind in PLACES.items():
        keras.utils.clear_session(free_memory=False)  # which would look through all of the memory
        ids = keras.Input((N_STEPS if "picture" in place or "film" in place else None,), dtype="int32")
        try:
            model = with_drawn_weights(keras.Model(ids, _scores(behind(lambda: made(name), ids))))
            model.save(folder / "model.keras")
        except Exception:  # noqa: BLE001 - Keras raises anything where a layer does not fit its place
            continue
        yield place, model, folder / "model.keras"
        n_built += 1
        if n_built == most:
            return


def padded(texts: list[Any], *, before: bool) -> Any:
    """Returns texts of ids as a matrix."""
    matrix = np.zeros((len(texts), N_STEPS), np.int32)
    for row, text in zip(matrix, texts, strict=True):
        row[slice(N_STEPS - len(text), None) if before else slice(len(text))] = text
    return matrix
