"""A Keras model's layers, read from its serialised config, without Keras."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saiten.model.errors import BundleError
from saiten.model.keras_models.graph import graph_of
from saiten.model.outputs import refuse_output_names


@dataclass(frozen=True)
class Step:
    """One layer (or bare operation) of a model, in the order of computation.

    Attributes:
        name: As Keras knows it.
        class_name: Such as ``LSTM``.
        config: Its settings.
        inputs: Names of the steps whose outputs it reads.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.class_name})"


def list_steps(model: Mapping[str, Any]) -> list[Step]:
    """Returns the steps of a serialised Sequential or Functional model.

    Args:
        model: What `json.loads(model.to_json())` gives, or a `.keras` file's config.json.

    Raises:
        BundleError: The model is of another kind, or a step is used more than once.
    """
    layers = model["config"].get("layers") if model.get("class_name") in ("Sequential", "Functional") else None
    if not isinstance(layers, list):
        raise BundleError(f"The model is a {model.get('class_name')}; only Sequential and Functional models are read.")
    steps: list[Step] = []
    for layer in layers:
        name = layer.get("name") or layer["config"].get("name") or layer["class_name"]
        nodes = layer.get("inbound_nodes")
        inputs: tuple[str, ...]
        if nodes is None:
            inputs = (steps[-1].name,) if steps else ()
        elif len(nodes) > 1:
            raise BundleError(f"Layer {name} is used {len(nodes)} times; only models that use a layer once are read.")
        else:
            inputs = tuple(dict.fromkeys(_histories(nodes)))
        steps.append(Step(name, layer["class_name"], layer["config"], inputs))
    return steps


def steps_of(model: Any) -> list[Step]:
    """Returns the steps of a Keras model; see `list_steps`."""
    return list_steps(json.loads(model.to_json()))


def model_vocabulary_size(model: Any) -> int:
    """Returns one more than the largest id the model takes.

    That is the smallest `input_dim` of an Embedding that reads ids or makes the mask.

    Raises:
        BundleError: No Embedding reads the model's input.
    """
    graph = graph_of(model)
    sizes = [
        int(call.config["input_dim"])
        for call in graph.calls
        if call.class_name == "Embedding" and (set(call.arguments) & set(graph.inputs) or call.config.get("mask_zero"))
    ]
    if not sizes:
        raise BundleError("The model has no Embedding layer that reads its input; Saiten scores models that read ids.")
    return min(sizes)


def refuse_misfit(model: Any, vocabulary_size: int, outputs: Sequence[str]) -> None:
    """Refuses a model that does not take the vocabulary's ids or does not give the outputs.

    Raises:
        BundleError: What does not fit.
    """
    if len(model.inputs) != 1 or any(len(output.shape) != 2 for output in model.outputs):
        raise BundleError("The model must take one matrix of ids and give one row of scores a text.")
    n_scores = sum(output.shape[-1] for output in model.outputs)
    if n_scores != len(outputs):
        raise BundleError(f"The model gives {n_scores} scores, but {len(outputs)} outputs are named.")
    refuse_output_names(outputs)
    input_dim = model_vocabulary_size(model)
    if vocabulary_size > input_dim:
        raise BundleError(
            f"The vocabulary has ids up to {vocabulary_size - 1}, but the model's Embedding takes ids below "
            f"{input_dim}: they are not of one training, or num_words is missing."
        )


def _histories(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]["keras_history"][0]
        else:
            yield from _histories(list(node.values()))
    elif isinstance(node, list):
        for item in node:
            yield from _histories(item)
