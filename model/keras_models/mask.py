"""Finds the layer that loses the mask, so that a person can be told its name."""

from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.layers import Step, steps_of

_MASK_OPERATION = "NotEqual"  # how Keras 3.15 spells an Embedding's mask in a Functional model


def refuse_lost_mask(model: Any) -> None:
    """Refuses a model whose padding is read as input, as far as its layers tell.

    `saiten.model.bundle.invariance` tries the model out; this one runs nothing, and names the layer.

    Args:
        model: A Sequential or Functional `keras.Model`.

    Raises:
        BundleError: An Embedding makes no mask, a layer behind it loses the mask, or there is no Embedding.
    """
    steps = steps_of(model)
    layers = {layer.name: layer for layer in model.layers}
    n_embeddings = 0
    # Which steps give a sequence with a mask; the others give one row a text, or the ids.
    masked: set[str] = set()
    for step in steps:
        if step.class_name == "Embedding" and step.name.startswith("wide_"):
            continue
        if step.class_name == "Embedding":
            _check_embedding(step)
            n_embeddings += 1
            masked.add(step.name)
        elif masked.intersection(step.inputs) and step.class_name not in (_MASK_OPERATION, "Where"):
            _check_layer(step, layers.get(step.name))
            if len(layers[step.name].output.shape) > 2:  # one that gives a row a text has no more need of the mask
                masked.add(step.name)
        elif step.class_name in ("Sequential", "Functional"):
            refuse_lost_mask(layers[step.name])
            n_embeddings += 1
    if not n_embeddings:
        raise BundleError("The model has no Embedding layer; Saiten scores models that read token ids.")


def _check_layer(step: Step, layer: Any) -> None:
    # A model within the model is no exception: Keras 3.15 lets a nested Sequential drop the mask.
    if layer is None or not layer.supports_masking:
        raise BundleError(
            f"Layer {step} loses the mask of the padding; "
            "use layers that keep it, such as LSTM, GRU, Bidirectional and Dense."
        )


def _check_embedding(step: Step) -> None:
    if step.config.get("mask_zero") is not True:
        raise BundleError(
            f"Layer {step} makes no mask, so the padding is read as input; "
            "build it with mask_zero=True and train the model again."
        )
