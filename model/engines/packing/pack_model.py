"""Walks a Keras model's graph and packs it. Reads the model through its config and weights; imports no Keras."""

from collections.abc import Mapping, Sequence
from typing import Any

from saiten.model.engines.packed.program import PackedEngine
from saiten.model.engines.packing.idioms import find_idiom
from saiten.model.engines.packing.keras_layers import LAYERS
from saiten.model.engines.packing.keras_operations import FUNCTIONS
from saiten.model.engines.packing.packer import Layer, NotCoveredError, Packer, Value
from saiten.model.keras_models.graph import Call, Graph, Tensor, graph_of
from saiten.model.keras_models.layers import model_vocabulary_size


def pack_model(model: Any) -> PackedEngine:
    """Returns a packed engine with the model's weights.

    Args:
        model: A `keras.Model` whose layers and functions are in `LAYERS` and `FUNCTIONS`, in any arrangement, or
            several of them in one of `IDIOMS`.

    Raises:
        NotCoveredError: It holds anything else, or uses it in a way that is not covered.
    """
    graph = graph_of(model)
    packer = Packer(model_vocabulary_size(model))
    idioms = {i: found for i in range(len(graph.calls)) if (found := find_idiom(graph, Tensor(i)))}
    values: dict[int, Sequence[Value | None]] = {}

    def pack(number: int, call: Call) -> Sequence[Value | None]:
        if call.class_name == "InputLayer":
            return [packer.ids()]
        if number not in idioms:
            return _pack(packer, model, graph, call, values)
        idiom, found = idioms[number]
        ids = _output(graph, values, found["ids"])
        return [idiom.convert(packer, ids, found, lambda tensor: _weights(model, graph.calls[tensor.call].path))]

    for number in sorted(_needed(graph, {number: found["ids"] for number, (_, found) in idioms.items()})):
        call = graph.calls[number]
        try:
            values[number] = pack(number, call)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise NotCoveredError(f"Layer {call} has settings or inputs that are not covered.") from error
    return packer.engine([_output(graph, values, tensor) for tensor in graph.outputs])


def _needed(graph: Graph, idioms: Mapping[int, Tensor]) -> set[int]:
    """Returns the numbers of the calls that are packed: all but those that an idiom stands for.

    Args:
        idioms: What the idiom that ends with a call reads.
    """
    needed: set[int] = set()
    waiting = [tensor.call for tensor in graph.outputs]
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed.add(number)
            read = [idioms[number]] if number in idioms else graph.calls[number].read(masks=True)
            waiting.extend(tensor.call for tensor in read)
    return needed


def _output(graph: Graph, values: Mapping[int, Sequence[Value | None]], tensor: Tensor) -> Value:
    found = values[tensor.call][tensor.output : tensor.output + 1]
    if not found or found[0] is None:
        raise NotCoveredError(f"Layer {graph.calls[tensor.call]} gives an output that is not covered.")
    return found[0]


def _pack(
    packer: Packer, model: Any, graph: Graph, call: Call, values: Mapping[int, Sequence[Value | None]]
) -> Sequence[Value | None]:
    def resolved(node: Any) -> Any:
        if isinstance(node, Tensor):
            return _output(graph, values, node)
        return [resolved(item) for item in node] if isinstance(node, list | tuple) else node

    arguments, keywords = resolved(call.arguments), {name: resolved(node) for name, node in call.keywords.items()}
    if not call.is_layer:
        function = FUNCTIONS.get(call.class_name)
        if function is None:
            raise NotCoveredError(f"The function {call} is not covered.")
        return [function(packer, Layer(str(call), call.class_name, {**call.config, **keywords}), arguments)]
    convert = LAYERS.get(call.class_name)
    if convert is None:
        raise NotCoveredError(f"Layer {call} is not covered.")
    _check_keywords(packer, call, keywords)
    layer = Layer(str(call), call.class_name, call.config, _weights(model, call.path))
    inputs = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
    if not all(isinstance(value, Value) for value in inputs):
        raise layer.refuse("reads something that is no tensor")
    return convert(packer, layer, inputs)


def _check_keywords(packer: Packer, call: Call, keywords: Mapping[str, Any]) -> None:
    """Refuses what changes a layer's result, but for the mask of the padding, which no text here has."""
    for name, value in keywords.items():
        masks = value if isinstance(value, list) else [value]
        is_mask = name == "mask" and all(
            mask is None or (isinstance(mask, Value) and packer.is_all(mask, 1.0)) for mask in masks
        )
        if not is_mask and value not in (None, False):
            raise NotCoveredError(f"Layer {call} is called with {name}, which is not covered.")


def _weights(model: Any, path: Sequence[str]) -> list[Any]:
    layer = model
    for name in path:
        layer = layer.get_layer(name)
    return [weight for weight in layer.get_weights() if weight.dtype.kind == "f"]
