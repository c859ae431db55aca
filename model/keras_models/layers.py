"""What a Keras model takes and gives: ids below its Embedding's size, scores for its outputs."""

from collections.abc import Sequence
from typing import Any

from saiten.model.counted import counted
from saiten.model.errors import BundleError
from saiten.model.keras_models.graph import Call, graph_of
from saiten.model.outputs import refuse_output_names
from saiten.model.task import Task


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


def task_of(model: Any) -> Task:
    """Returns what a model's outputs are, as the activation that makes them tells.

    One softmax over two outputs or more makes classes, sigmoids alone make labels; all else counts as numbers.
    """
    graph = graph_of(model)
    activations = {_activation(graph.calls[output.call]) for output in graph.outputs}
    if activations == {"softmax"} and len(graph.outputs) == 1 and model.outputs[0].shape[-1] > 1:
        return "classes"
    return "labels" if activations == {"sigmoid"} else "numbers"


def _activation(call: Call) -> str:
    name = call.class_name.lower()
    return name if name in ("softmax", "sigmoid") else str(call.config.get("activation"))


def refuse_outputs(model: Any, outputs: Sequence[str]) -> None:
    """Refuses a model that does not give the outputs.

    Raises:
        BundleError: Their number or their names.
    """
    if any(len(output.shape) != 2 for output in model.outputs):
        shapes = ", ".join(str(output.shape) for output in model.outputs)
        if any(len(output.shape) < 2 for output in model.outputs):
            cure = "leave out what takes the axis of the scores away, such as a squeeze"
        elif all(1 in output.shape[1:-1] for output in model.outputs):
            cure = "put Flatten before the layer that makes them"
        else:
            cure = "put a last LSTM before the layer that makes them"
        raise BundleError(f"The model gives {shapes:.100}, not one row of scores a text: {cure}.")
    n_scores = sum(output.shape[-1] for output in model.outputs)
    if n_scores != len(outputs):
        n_named = counted(len(outputs), "output is", "outputs are")
        raise BundleError(f"The model gives {counted(n_scores, 'score')} a text, but {n_named} named; name each.")
    own = [str(name) for name in getattr(model, "output_names", ())]
    if sorted(own) == sorted(outputs) and own != list(outputs):
        raise BundleError(f"The model gives {', '.join(own):.200} in this order: give --outputs so, or other names.")
    refuse_output_names(outputs)


def refuse_misfit(model: Any, vocabulary_size: int, outputs: Sequence[str]) -> None:
    """Refuses a model that does not take the vocabulary's ids or does not give the outputs.

    Raises:
        BundleError: What does not fit.
    """
    refuse_outputs(model, outputs)
    input_dim = model_vocabulary_size(model)
    if vocabulary_size > input_dim:
        raise BundleError(
            f"The vocabulary has ids up to {vocabulary_size - 1}, but the model's Embedding takes ids below "
            f"{input_dim}: they are not of one training, or num_words is missing."
        )
