"""The proof that a network reads no padding whatever its weights are.

Trained weights can hide that a network reads its padding: a sigmoid that is 1 to the last place, weights so small that
nothing moves a score, a gate that forgets. Then `saiten.model.bundle.invariance` sees nothing, and the next text may be
another. So a copy of the network with drawn weights of ordinary size is tried too, on short texts, where nothing has
worn off. What may be meant stays: the rows of Embeddings, of which that of the padding may be zeros, and some may be
masks; and every 0 among the weights, such as of a bias that was never trained.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from saiten.model.errors import BundleError
from saiten.model.keras_models.blame import say_what_is_to_blame
from saiten.model.keras_models.computed_in import computed_in
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.layers import model_vocabulary_size
from saiten.model.keras_models.padding.lost_mask import said_of_lost_mask
from saiten.model.keras_models.padding.run_graph import operation_of, run_graph
from saiten.model.text.ragged import FloatArray, IntArray

_DRAWS = 2
# Texts by their number of ids, most of one, in which most ids of the vocabulary come to stand beside padding.
_TEXTS = {1: 400, 2: 40, 3: 20, 6: 10, 12: 10}
# By how much the longest is padded, each behind and before.
_PADDED = (1, 9)
# Of the largest score: rounding comes to some 1e-6 in so short texts, padding that is read to 1e-2.
_MOST_ROUNDING = 1e-4
# An Embedding whose numbers are all below the first is made larger, so that they count.
_SMALL, _ORDINARY = 1e-2, 0.5


def refuse_lost_mask(model: Any) -> None:
    """Refuses a model that seems to lose its mask, as its graph tells, and does.

    Raises:
        BundleError: By the layer's name, with the cure.
    """
    if said_of_lost_mask(graph_of(model)):
        refuse_reading(model)


def refuse_reading(model: Any) -> None:
    """Refuses a model that reads its padding with drawn weights.

    Args:
        model: From ids, [n, sequence_length], to scores, [n, outputs]; it stays as it is.

    Raises:
        BundleError: It does, by the name of the layer to blame; or it seems to lose its mask and cannot be computed.
    """
    try:
        drawn = _with_bare_outputs(computed_in(model, "float32"))
    except Exception:  # noqa: BLE001 - a stranger's layer, which has to be trusted, may not be built from its settings
        return  # the scores of the model itself tell
    suspicion, weights = said_of_lost_mask(graph_of(model)), model.get_weights()
    for seed in range(_DRAWS):
        generator = np.random.default_rng(seed)
        _draw_weights(drawn, weights, generator)
        try:
            with warnings.catch_warnings():  # Keras warns of a softmax over one step, which no person's text was
                warnings.simplefilter("ignore")
                difference = _largest_difference(drawn, generator)
        except Exception as error:
            if suspicion:
                raise BundleError(suspicion) from error
            return  # as above
        if difference > _MOST_ROUNDING:
            raise BundleError(
                suspicion
                or say_what_is_to_blame(drawn)
                or f"The model reads its padding: with other weights in its layers a score changes by {difference:.2g} "
                "when a text is padded; train it with mask_zero=True and layers that keep the mask."
            )


def _with_bare_outputs(drawn: Any) -> Any:
    """Takes the activations of the last layers away: a softmax of one number is 1 whatever it reads."""
    import keras

    graph = graph_of(drawn)
    for call in (graph.calls[output.call] for output in graph.outputs):
        if call.class_name in ("Dense", "Activation"):
            operation_of(drawn, call.path).activation = keras.activations.linear
    return drawn


def _draw_weights(drawn: Any, weights: Sequence[FloatArray], generator: np.random.Generator) -> None:
    for weight, own in zip(drawn.weights, weights, strict=True):
        if np.asarray(own).dtype.kind == "f":
            weight.assign(_enlarged(own) if weight.name == "embeddings" else _drawn(weight, own, generator))


def _enlarged(rows: FloatArray) -> FloatArray:
    largest = float(np.abs(rows).max(initial=0.0))
    return rows * (_ORDINARY / largest) if 0 < largest < _SMALL else rows


def _drawn(weight: Any, own: FloatArray, generator: np.random.Generator) -> FloatArray:
    is_bias = own.ndim < 2
    n_read = 4 if is_bias else max(1, int(np.prod(own.shape[:-1])))
    values = generator.normal(0, 1 / np.sqrt(n_read), own.shape)
    if "variance" in weight.name:
        values = 0.5 + np.abs(values)
    # A kernel of nothing but zeros is one that was never trained, and hides all that is before it.
    return np.where((own != 0) | (not is_bias and not own.any()), values, 0).astype(np.float32)


def _largest_difference(model: Any, generator: np.random.Generator) -> float:
    """Returns by how much of an output's largest score one changes, where texts of several lengths are padded."""
    size = model_vocabulary_size(model)
    texts = [generator.integers(1, size, (n, length), np.int32) for length, n in _TEXTS.items()]
    alone = np.concatenate([_scores(model, matrix) for matrix in texts])
    if not np.isfinite(alone).all():  # of a text of nothing but words of zeros, of which an average is none
        return 0.0
    largest = np.maximum(np.abs(alone).max(axis=0), np.finfo(np.float32).tiny)
    both = np.concatenate([alone, alone])
    differences = [np.abs(_scores(model, _padded(texts, more)) - both) / largest for more in _PADDED]
    return float(np.nan_to_num(np.max(differences), nan=np.inf))


def _padded(texts: Sequence[IntArray], more: int) -> IntArray:
    """Returns all texts padded behind, then all padded before: Keras takes as long for both as for one of them."""
    missing = [max(_TEXTS) + more - text.shape[1] for text in texts]
    behind, before = [(0, n) for n in missing], [(n, 0) for n in missing]
    padded = [
        np.pad(text, ((0, 0), side)) for sides in (behind, before) for text, side in zip(texts, sides, strict=True)
    ]
    return np.concatenate(padded)


def _scores(model: Any, ids: IntArray) -> FloatArray:
    import keras

    graph = graph_of(model)
    values = list(run_graph(model, graph, ids))
    heads = [keras.tree.flatten(values[output.call])[output.output] for output in graph.outputs]
    return np.concatenate([np.asarray(head, np.float32) for head in heads], axis=1)
