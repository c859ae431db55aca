"""Judges a model's graph before Keras builds anything of it: what Saiten cannot serve, and how to build it instead.

The order is that of what a person can do about it: inputs, outputs, layers that carry something from text to text,
the mask. What these let through may still read its padding: `saiten.model.bundle.invariance` tries it out.
"""

import re
from collections.abc import Callable, Mapping

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import LAYERS, OPERATIONS
from saiten.model.keras_models.graph import Call, Graph, Tensor

_TEXT_LAYERS = ("TextVectorization", "StringLookup")
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
_REDUCTIONS = ("Sum", "Mean", "Max", "Min", "Prod", "Any", "All", "Argmax", "Argmin", "Logsumexp", "Std", "Var", "Norm")
# Layers that mix steps without looking at the mask, and what does in their place.
_RECURRENT_CURE = "it reads padding as text; use LSTM or GRU"
_FLAT_CURE = "it makes features of steps, padding among them; use GlobalAveragePooling1D or a last LSTM"
MASK_LOSERS = {
    "Conv1D": f"{_RECURRENT_CURE}, or blank the padding by hand before and behind it",
    **dict.fromkeys(("SeparableConv1D", "DepthwiseConv1D", "Conv1DTranspose"), _RECURRENT_CURE),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), "it pools padding with text; leave it out"),
    **dict.fromkeys(
        ("AdaptiveMaxPooling1D", "AdaptiveAveragePooling1D"), "it pools padding with text; use GlobalAveragePooling1D"
    ),
    "GroupNormalization": "it takes its mean over the padding too; use LayerNormalization",
    **dict.fromkeys(("ZeroPadding1D", "Cropping1D", "UpSampling1D"), "it changes the number of steps; leave it out"),
    "GlobalMaxPooling1D": "it takes the padding's largest values too; use GlobalAveragePooling1D, or subtract 1e9 "
    "where ids equal 0 before it",
    **dict.fromkeys(("Flatten", "Reshape"), _FLAT_CURE),
    "Permute": "it turns steps into features, padding among them; leave it out",
}
# What gives no steps, or gives them at another place: the proof tells.
_MIXING = (
    "Flatten", "Dot", "Permute", "Einsum", "Matmul", "Take", "TakeAlongAxis", "Transpose", "Swapaxes", "Moveaxis",
)  # fmt: skip
_RANK_OF_IDS = 2
# What TensorFlow takes for a scope, which Keras calls after each layer.
_NAME = re.compile(r"[A-Za-z0-9_.\\/>-]*")
# What TimeDistributed adds nothing to.
_STEPWISE = ("Dense", "Dropout", "Activation", "LeakyReLU", "ReLU", "PReLU", "ELU", "LayerNormalization", "Rescaling")
# Layers whose first input alone says whether they give steps.
_QUERYING = ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention")


def refuse_unserved(graph: Graph) -> None:
    """Refuses what its graph alone shows that Saiten cannot serve.

    Raises:
        BundleError: In one sentence with the layer's name and the cure.
    """
    _refuse_inputs(graph)
    has_steps = steps_of(graph)
    _refuse_outputs(graph, has_steps)
    for call in graph.calls:
        _refuse_call(call)
    if not masks_by_hand(graph):
        _refuse_lost_mask(graph, has_steps)
    for call in graph.calls:
        if call.class_name == "RepeatVector":
            raise BundleError(
                f"Layer {call} repeats a text's row as steps, as models do that write texts; Saiten serves models that "
                "read them: end with a row a text, such as Dense."
            )


def _refuse_call(call: Call) -> None:
    """Refuses a layer that is never served, whatever it reads."""
    odd = next((name for name in call.path if not _NAME.fullmatch(name)), None)
    if odd is not None:
        raise BundleError(
            f"Layer {call} is named {odd!r:.40}, which TensorFlow does not take; name it with letters of ASCII, digits "
            "and _ alone, and save the model anew."
        )
    if call.config.get("stateful") or _inner(call).get("stateful"):
        raise BundleError(
            f"Layer {call} is stateful, so a text's scores hang on the texts before it; build it with stateful=False."
        )
    if call.class_name in LAYERS and call.keywords.get("training") is True:
        raise BundleError(
            f"Layer {call} is called with training=True, so a text's scores hang on chance or on other texts; call it "
            "without."
        )
    if call.class_name == "TimeDistributed":
        raise BundleError(
            f"Layer {call} goes through a text step by step, which is not covered; {_cure_of_steps(call)}."
        )
    n_forward, n_backward = (_units(call.config.get(name)) for name in ("layer", "backward_layer"))
    if call.class_name == "Bidirectional" and None not in (n_forward, n_backward) and n_forward != n_backward:
        cure = (
            "build it with as many in both, and train it again"
            if _inner(call).get("return_sequences")
            else "build a layer for each, one with go_backwards=True, and take the weights over"
        )
        raise BundleError(
            f"Layer {call} has {n_forward} units forwards and {n_backward} backwards, which Keras 3 cannot build on; "
            f"{cure}."
        )


def _units(layer: object) -> object:
    """Returns the units of a serialised recurrent layer, or of its last cell; None where it has none."""
    config = layer.get("config") if isinstance(layer, Mapping) else None
    if not isinstance(config, Mapping):
        return None
    cell = config.get("cell")
    cells = config.get("cells")
    last = cells[-1] if isinstance(cells, list) and cells else cell
    return config.get("units") if last is None else _units(last)


def _cure_of_steps(call: Call) -> str:
    layer = call.config.get("layer")
    name = str(layer.get("class_name")) if isinstance(layer, Mapping) else ""
    if name in _STEPWISE:
        return f"{name} does so by itself for any number: put {name} in its place and take the weights over"
    return f"Saiten gives a text's ids as one row: build it to read them so, without {name:.40} in TimeDistributed"


def masks_by_hand(graph: Graph) -> bool:
    """Tells whether the model looks for its padding itself, as `not_equal(ids, 0)` in its arithmetic does."""
    # Keras writes the mask that it hands on itself as if it had been given by name; a Softmax is given it by hand.
    return any(_looked_for(graph) & set(call.read(masks=call.class_name == "Softmax")) for call in graph.calls)


def _looked_for(graph: Graph) -> set[Tensor]:
    """Returns what functions make of the ids."""
    readers = [call for tensor in graph.inputs for call in graph.readers(tensor) if not call.is_layer]
    return {Tensor(graph.calls.index(call)) for call in readers}


def steps_of(graph: Graph) -> Callable[[Tensor], bool]:
    """Returns a function that tells whether a tensor has a row for each step, as far as its layer's kind tells."""
    calls: list[bool] = []

    def has_steps(tensor: Tensor) -> bool:
        # What a recurrent layer gives behind its sequence, or two of them, are its last states.
        call = graph.calls[tensor.call]
        is_state = call.class_name in RECURRENT and tensor.output > (call.config.get("merge_mode", "") is None)
        return calls[tensor.call] and not is_state

    for call in graph.calls:
        read = list(call.read())[: 1 if call.class_name in _QUERYING else None]
        rank = max((graph.ranks[tensor] for tensor in read if tensor in graph.ranks), default=3)
        keeps_them = any(map(has_steps, read)) and _keeps_steps(call, rank)
        calls.append(call.class_name == "InputLayer" or keeps_them)
    return has_steps


def _keeps_steps(call: Call, rank: int) -> bool:
    """Tells whether a call that reads steps, which are the second of `rank` axes, gives steps."""
    if call.class_name in RECURRENT:
        return bool(call.config.get("return_sequences") or _inner(call).get("return_sequences"))
    if call.class_name not in (LAYERS if call.is_layer else OPERATIONS):  # a class of its own may do anything
        return False
    if call.is_layer:
        takes_them_as_features = call.class_name == "Dense" and rank == _RANK_OF_IDS
        return not (call.class_name.startswith("Global") or call.class_name in _MIXING or takes_them_as_features)
    if call.class_name in _REDUCTIONS:  # with keepdims, too: one row is left, not a row a step
        axis = call.config.get("axis")
        axes = axis if isinstance(axis, list) else [axis]
        return axis is not None and not any(type(each) is int and each % rank == 1 for each in axes)
    if call.class_name == "GetItem" and isinstance(call.arguments[1], list):
        return not (len(call.arguments[1]) > 1 and _is_one(call.arguments[1][1]))
    return call.class_name not in (*_MIXING, "Reshape")


def _is_one(place: object) -> bool:
    """Tells whether an index or a slice takes one step, as ``-1`` and ``-1:`` do."""
    if not isinstance(place, Mapping):
        return type(place) is int
    start, stop = (place["config"].get(name) for name in ("start", "stop"))
    return (start, stop) in ((-1, None), (None, 1)) or (type(start) is type(stop) is int and stop - start == 1)


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
    reversible = next((call for call in graph.calls if call.class_name == "ReversibleEmbedding"), None)
    if reversible is not None:
        raise BundleError(
            f"Layer {reversible} can turn words back into ids, as models do that write texts; Saiten serves those "
            "that read: put Embedding in its place, and take the weights over."
        )
    if not any(call.class_name == "Embedding" for call in graph.calls):
        raise BundleError(
            "The model has no Embedding layer; Saiten scores models that read token ids: put the vectors into one."
        )
    if graph.calls[ids.call].config.get("dtype") == "string":
        raise BundleError("The model reads strings; Saiten gives it ids: save the part that begins with the ids.")


def _refuse_outputs(graph: Graph, has_steps: Callable[[Tensor], bool]) -> None:
    for tensor in graph.outputs:
        call = graph.calls[tensor.call]
        if has_steps(tensor):
            raise BundleError(
                f"Layer {call} gives scores for every token; Saiten scores texts: end with a layer of one row a "
                "text, such as an LSTM without return_sequences, then Dense."
            )


def _refuse_lost_mask(graph: Graph, has_steps: Callable[[Tensor], bool]) -> None:
    (ids,) = graph.inputs
    # A row of zeros for the padding and a layer that masks it will do, or a mask by name: the proof tells.
    looked_for = _looked_for(graph)
    is_masked = any(call.class_name == "Masking" or looked_for & set(call.read(masks=True)) for call in graph.calls)
    for call in graph.calls:
        is_open = call.class_name == "Embedding" and ids in call.arguments and call.config.get("mask_zero") is not True
        if is_open and not is_masked:
            raise BundleError(
                f"Layer {call} makes no mask, so the padding is read as input; build it with mask_zero=True and train "
                "the model again."
            )
        if call.class_name in MASK_LOSERS and any(map(has_steps, call.read())):
            raise BundleError(f"Layer {call} loses the mask: {MASK_LOSERS[call.class_name]}.")


def _inner(call: Call) -> dict[str, object]:
    layer = call.config.get("layer")
    config = layer.get("config") if isinstance(layer, dict) else None
    return config if isinstance(config, dict) else {}
