"""Judges a model's graph before Keras builds anything of it: what Saiten cannot serve, and how to build it instead.

The order is that of what a person can do about it: inputs, outputs, layers that carry something from text to text,
the mask. What these let through may still read its padding: `saiten.model.bundle.invariance` tries it out.
"""

from collections.abc import Sequence

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import LAYERS
from saiten.model.keras_models.graph import Call, Graph, Tensor

_TEXT_LAYERS = ("TextVectorization", "StringLookup")
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D")
_REDUCTIONS = ("Sum", "Mean", "Max", "Min", "Prod", "Any", "All", "Argmax", "Argmin", "Logsumexp", "Std", "Var", "Norm")
# Layers that mix steps without looking at the mask, and what does in their place.
_MASK_LOSERS = {
    "Conv1D": "which reads padding as text; use LSTM or GRU, or blank the padding by hand before and behind it",
    "SeparableConv1D": "which reads padding as text; use LSTM or GRU",
    "DepthwiseConv1D": "which reads padding as text; use LSTM or GRU",
    "Conv1DTranspose": "which reads padding as text; use LSTM or GRU",
    "MaxPooling1D": "which pools padding with text; leave it out",
    "AveragePooling1D": "which pools padding with text; leave it out",
    "GlobalMaxPooling1D": "which takes the padding's largest values too; use GlobalAveragePooling1D, or subtract 1e9 "
    "where ids equal 0 before it",
    "Flatten": "which makes features of steps, padding among them; use GlobalAveragePooling1D or a last LSTM",
    "Reshape": "which makes features of steps, padding among them; use GlobalAveragePooling1D or a last LSTM",
    "Permute": "which turns steps into features, padding among them; leave it out",
}


def refuse_unserved(graph: Graph) -> None:
    """Refuses what its graph alone shows that Saiten cannot serve.

    Raises:
        BundleError: In one sentence with the layer's name and the cure.
    """
    _refuse_inputs(graph)
    has_steps = steps_of(graph)
    _refuse_outputs(graph, has_steps)
    for call in graph.calls:
        if call.config.get("stateful") or _inner(call).get("stateful"):
            raise BundleError(
                f"Layer {call} is stateful, so a text's scores hang on the texts before it; build it with "
                "stateful=False."
            )
        if call.class_name == "TimeDistributed":
            raise BundleError(
                f"Layer {call} runs a layer on every step of a known number; Dense does so by itself for any number: "
                "put Dense in its place and take the weights over."
            )
    if not masks_by_hand(graph):
        _refuse_lost_mask(graph, has_steps)


def masks_by_hand(graph: Graph) -> bool:
    """Tells whether the model looks for its padding itself, as `not_equal(ids, 0)` in its arithmetic does."""
    readers = [call for tensor in graph.inputs for call in graph.readers(tensor) if not call.is_layer]
    made = {Tensor(graph.calls.index(call)) for call in readers}
    return any(made & set(call.read()) for call in graph.calls)


def steps_of(graph: Graph) -> list[bool]:
    """Returns for each call whether what it gives has a row for each step, as far as its kind tells."""
    has_steps: list[bool] = []
    for call in graph.calls:
        reads = [has_steps[tensor.call] for tensor in call.read()]
        has_steps.append(call.class_name == "InputLayer" or (any(reads) and _keeps_steps(call)))
    return has_steps


def _keeps_steps(call: Call) -> bool:
    if call.class_name in (*_RECURRENT, "Bidirectional"):
        return bool(call.config.get("return_sequences") or _inner(call).get("return_sequences"))
    if call.class_name in _REDUCTIONS and not call.is_layer:
        axis = call.config.get("axis")
        return not (axis in (1, -2) or axis in ([1], [-2])) or bool(call.config.get("keepdims"))
    if call.class_name == "GetItem" and isinstance(call.arguments[1], list):
        return not (len(call.arguments[1]) > 1 and type(call.arguments[1][1]) is int)
    if call.is_layer and call.class_name not in LAYERS:  # a class of its own may do anything
        return False
    return not call.class_name.startswith("Global") and call.class_name not in ("Flatten", "Dot", "Einsum", "Matmul")


def _refuse_inputs(graph: Graph) -> None:
    vectorizer = next((call for call in graph.calls if call.class_name in _TEXT_LAYERS), None)
    if vectorizer is not None:
        raise BundleError(
            f"Layer {vectorizer} makes ids inside the model, where Saiten tokenizes with MeCab: save the model that "
            "begins behind it, and give its vocabulary as --word_index."
        )
    if len(graph.inputs) != 1:
        names = ", ".join(graph.calls[tensor.call].path[-1] for tensor in graph.inputs)
        raise BundleError(
            f"The model takes {len(graph.inputs)} inputs ({names:.80}); Saiten gives it one, a text's ids: build it "
            "with one input."
        )
    (ids,) = graph.inputs
    if not any(call.class_name == "Embedding" for call in graph.calls):
        raise BundleError(
            "The model has no Embedding layer; Saiten scores models that read token ids: put the vectors into one."
        )
    if graph.calls[ids.call].config.get("dtype") == "string":
        raise BundleError("The model reads strings; Saiten gives it ids: save the part that begins with the ids.")


def _refuse_outputs(graph: Graph, has_steps: Sequence[bool]) -> None:
    for tensor in graph.outputs:
        call = graph.calls[tensor.call]
        if has_steps[tensor.call]:
            raise BundleError(
                f"Layer {call} gives scores for every token; Saiten scores texts: end with a layer of one row a "
                "text, such as an LSTM without return_sequences, then Dense."
            )


def _refuse_lost_mask(graph: Graph, has_steps: Sequence[bool]) -> None:
    (ids,) = graph.inputs
    for call in graph.calls:
        if call.class_name == "Embedding" and ids in call.arguments and call.config.get("mask_zero") is not True:
            raise BundleError(
                f"Layer {call} makes no mask, so the padding is read as input; build it with mask_zero=True and train "
                "the model again."
            )
        if call.class_name in _MASK_LOSERS and any(has_steps[tensor.call] for tensor in call.read()):
            raise BundleError(f"Layer {call} loses the mask of the padding: {_MASK_LOSERS[call.class_name]}.")


def _inner(call: Call) -> dict[str, object]:
    layer = call.config.get("layer")
    config = layer.get("config") if isinstance(layer, dict) else None
    return config if isinstance(config, dict) else {}
