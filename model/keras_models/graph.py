"""A Keras model's graph, read from its serialised config as data, without Keras. Models within it are unfolded."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from saiten.model.errors import BundleError

_MODELS = ("Sequential", "Functional", "Model")
_TENSOR = "__keras_tensor__"


@dataclass(frozen=True)
class Tensor:
    """Output number `output` of call number `call`."""

    call: int
    output: int = 0


@dataclass(frozen=True)
class Call:
    """One use of a layer, or of a function of `keras.ops`.

    Attributes:
        path: The layer's name, behind those of the models around it.
        class_name: Such as ``LSTM``; of a function ``Sum`` or the like.
        module: Such as ``keras.layers``.
        config: Its settings.
        arguments: Positional ones, JSON-able but for `Tensor`s.
        keywords: The others.
    """

    path: tuple[str, ...]
    class_name: str
    module: str
    config: Mapping[str, Any]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path[-1]:.40} ({self.class_name:.40})"

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer rather than a bare function."""
        return not self.module.startswith("keras.src.ops")

    def read(self, *, masks: bool = False) -> Iterator[Tensor]:
        """Yields what it computes with, and on request the masks that Keras hands on."""
        yield from _tensors([*self.arguments, *(v for name, v in self.keywords.items() if masks or name != "mask")])


@dataclass(frozen=True)
class Graph:
    """Calls in an order in which they can be computed.

    Attributes:
        calls: Those that the outputs depend on, and the inputs (``InputLayer``).
        inputs: Of the model.
        outputs: Of the model, in its order.
        ranks: How many axes a tensor has, as far as the config says so: a Functional model's does, of what calls read.
    """

    calls: tuple[Call, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ranks: Mapping[Tensor, int] = field(default_factory=dict)

    def readers(self, tensor: Tensor) -> list[Call]:
        """Returns the calls that compute with a tensor."""
        return [call for call in self.calls if tensor in call.read()]


def graph_of(model: Any) -> Graph:
    """Returns the graph of a `keras.Model`; see `read_graph`."""
    return read_graph(json.loads(model.to_json()))


def read_graph(config: Mapping[str, Any]) -> Graph:
    """Reads a serialised Sequential or Functional model: what `to_json` gives, or a `.keras` file's config.json.

    Raises:
        BundleError: The model is of another kind, or its config is none that Keras writes.
    """
    reader = _Reader()
    try:
        outputs = reader.read(config, None, ())
    except BundleError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BundleError(
            "The model's configuration is not as Keras 3 writes it; build it with Keras 3, and save it anew."
        ) from error
    return Graph(tuple(reader.calls), tuple(reader.inputs), tuple(outputs), reader.ranks)


class _Reader:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.inputs: list[Tensor] = []
        self.ranks: dict[Tensor, int] = {}

    def read(self, model: Mapping[str, Any], given: Sequence[Tensor] | None, path: tuple[str, ...]) -> list[Tensor]:
        """Appends a model's calls; returns its outputs. `given` is None for the outermost model's inputs."""
        kind, config = model.get("class_name"), model.get("config")
        layers = config.get("layers") if isinstance(config, Mapping) and kind in _MODELS else None
        if not isinstance(config, Mapping) or not isinstance(layers, list):
            raise BundleError(
                f"The model's class is {kind!s:.50}; only Sequential and Functional models are read: "
                "build it so, and take the weights over."
            )
        if kind == "Sequential":
            return self._sequential(layers, given, path)
        return _Functional(self, config, given, path).outputs()

    def _sequential(
        self, layers: Sequence[Mapping[str, Any]], given: Sequence[Tensor] | None, path: tuple[str, ...]
    ) -> list[Tensor]:
        if not layers:
            raise BundleError("The model has no layers; save it once it has some and was built.")
        values = list(given) if given is not None else []
        for layer in layers:
            if layer["class_name"] == "InputLayer":
                values = values or [self.add_input(layer, path)]
            else:
                values = values or [self.add_input({"class_name": "InputLayer", "config": {"name": "input"}}, path)]
                values = self.add(layer, [values[0]], {}, path)[:1]
        return values

    def add_input(self, layer: Mapping[str, Any], path: tuple[str, ...]) -> Tensor:
        (tensor,) = self.add(layer, [], {}, path)
        self.inputs.append(tensor)
        return tensor

    def add(
        self, layer: Mapping[str, Any], arguments: Sequence[Any], keywords: Mapping[str, Any], path: tuple[str, ...]
    ) -> list[Tensor]:
        """Appends a layer's call, or a model's calls; returns the outputs that are known to be there."""
        inner = (*path, name_of(layer))
        if layer["class_name"] in _MODELS:
            return self.read(layer, list(_tensors(arguments)), inner)
        self.calls.append(
            Call(
                inner,
                str(layer["class_name"]),
                str(layer.get("module")),
                layer["config"],
                tuple(arguments),
                dict(keywords),
            )
        )
        return [Tensor(len(self.calls) - 1)]


class _Functional:
    """Resolves one Functional model's outputs back to its inputs."""

    def __init__(
        self, reader: _Reader, config: Mapping[str, Any], given: Sequence[Tensor] | None, path: tuple[str, ...]
    ) -> None:
        self.reader, self.config, self.path = reader, config, path
        self.layers = {name_of(layer): layer for layer in config["layers"]}
        # What each use of a layer gives; the inputs' first.
        self.values: dict[tuple[str, int], list[Tensor]] = {}
        for position, (name, node, _) in enumerate(_references(config["input_layers"])):
            tensor = reader.add_input(self.layers[name], path) if given is None else given[position]
            self.values[name, node] = [tensor]

    def outputs(self) -> list[Tensor]:
        return [self._resolve(*reference) for reference in _references(self.config["output_layers"])]

    def _resolve(self, name: str, node: int, output: int) -> Tensor:
        if (name, node) not in self.values:
            layer = self.layers[name]
            use = layer["inbound_nodes"][node]
            arguments, keywords = self._replaced(use["args"]), self._replaced(use["kwargs"])
            self.values[name, node] = self.reader.add(layer, arguments, keywords, self.path)
        found = self.values[name, node]
        return found[output] if output < len(found) else Tensor(found[0].call, output)

    def _replaced(self, node: Any) -> Any:
        if isinstance(node, Mapping):
            if node.get("class_name") == _TENSOR:
                name, number, output = node["config"]["keras_history"]
                tensor = self._resolve(name, number, output)
                shape = node["config"].get("shape")
                if isinstance(shape, list) and len(shape) > 1:  # of Keras 2 only that there is a text is known
                    self.reader.ranks[tensor] = len(shape)
                return tensor
            return {key: self._replaced(value) for key, value in node.items()}
        return [self._replaced(item) for item in node] if isinstance(node, list) else node


def name_of(layer: Mapping[str, Any]) -> str:
    """Returns a serialised layer's name."""
    return str(layer.get("name") or layer["config"].get("name") or layer["class_name"])


def _references(node: Any) -> Iterator[tuple[str, int, int]]:
    """Yields ``(layer, node, output)`` of whatever structure Keras gives inputs and outputs."""
    if isinstance(node, Mapping):
        for key in sorted(node):  # as Keras flattens a dict
            yield from _references(node[key])
    elif len(node) == 3 and isinstance(node[0], str):
        yield node[0], int(node[1]), int(node[2])
    else:
        for item in node:
            yield from _references(item)


def _tensors(node: Any) -> Iterator[Tensor]:
    if isinstance(node, Tensor):
        yield node
    elif isinstance(node, Mapping):
        yield from _tensors(list(node.values()))
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _tensors(item)
