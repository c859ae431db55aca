"""What Keras 2 loses of a layer that a model shares with a model within it, where it writes an `.h5`."""

from collections.abc import Iterator, Mapping
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.graph import name_of


def refuse_lost_places(model: Mapping[str, Any]) -> None:
    """Refuses a model whose file tells no more how its layers are connected.

    Keras 2 describes a shared layer once, and lays what it reads in a model within over what it read in the model
    around: what is written there is wrong, and Keras 2 itself reads such a file wrongly or not at all.

    Args:
        model: Its configuration, as an `.h5` of Keras 2 has it.

    Raises:
        BundleError: A layer's connections are lost.
    """
    layers = _layers_of(model)
    for place, layer in enumerate(layers):
        number = layer.get("shared_object_id")
        for inner in layers[place + 1 :] if number is not None and layer.get("inbound_nodes") else ():
            if number in _connected_within(inner):
                kind = str(layer["class_name"])
                raise BundleError(
                    f"The older model's layer {name_of(layer):.40} ({kind:.30}) stands within its model "
                    f"{name_of(inner):.40} too, and an .h5 of Keras 2 loses what it reads outside; load the weights "
                    "where the model was made, and save it there as .keras."
                )
        refuse_lost_places(layer)


def _connected_within(model: Mapping[str, Any]) -> Iterator[Any]:
    """Yields the numbers of layers whose connections a model within, or one within that, describes."""
    for layer in _layers_of(model):
        if model["class_name"] != "Sequential":
            yield layer.get("shared_object_id")
        yield from _connected_within(layer)


def _layers_of(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    config = model.get("config")
    layers = config if isinstance(config, list) else (config or {}).get("layers")
    return layers if isinstance(layers, list) else []
