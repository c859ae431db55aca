"""Computes a Keras model's graph call by call, to look at what is computed between ids and scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from saiten.model.keras_models.graph import Call, Graph, Tensor


def run_graph(model: Any, graph: Graph, ids: Any) -> Iterator[Any]:
    """Yields what each call gives, in the graph's order.

    Args:
        model: A `keras.Model`.
        graph: Its own, with one input.
        ids: int32 [n, sequence_length], padded.

    Yields:
        A tensor, or a list of them, each with the mask that Keras hangs on it.

    Raises:
        Exception: Whatever Keras raises where a call cannot be computed.
    """
    values: list[Any] = []
    for call in graph.calls:
        values.append(_given(ids, call) if call.class_name == "InputLayer" else _computed(model, call, values))
        yield values[-1]


def _given(ids: Any, call: Call) -> Any:
    import keras

    dtype = call.config.get("dtype")
    return keras.ops.cast(ids, dtype if isinstance(dtype, str) else "float32")


def _computed(model: Any, call: Call, values: list[Any]) -> Any:
    arguments = [_filled(argument, values) for argument in call.arguments]
    if call.class_name == "GetItem" and isinstance(arguments[1], list):  # JSON has no tuples
        arguments[1] = tuple(arguments[1])
    return operation_of(model, call.path)(*arguments, **_filled(call.keywords, values))


def operation_of(model: Any, path: tuple[str, ...]) -> Any:
    """Returns the layer or function of a call's path."""
    for name in path:
        model = next(each for each in getattr(model, "operations", None) or model.layers if each.name == name)
    return model


def _filled(node: Any, values: list[Any]) -> Any:
    """Returns an argument with tensors in their places."""
    import keras

    if isinstance(node, Tensor):
        found = values[node.call]
        return found[node.output] if isinstance(found, list | tuple) else found
    if isinstance(node, Mapping):
        if "class_name" in node:
            return keras.saving.deserialize_keras_object(dict(node))
        return {key: _filled(value, values) for key, value in node.items()}
    return [_filled(item, values) for item in node] if isinstance(node, list) else node
