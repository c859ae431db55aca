"""Which layer seems to lose the mask, as a model's graph alone tells.

It is a suspicion: a mask that is made of the words' vectors, a row of zeros for the padding that is summed, or a second
Embedding of ones and a zero do without Keras' mask, and only what the model computes tells. It says why, and what to
do, of a model that turned out to read its padding.
"""

from collections.abc import Callable, Mapping

from saiten.model.keras_models.allowed_layers import LAYERS, OPERATIONS
from saiten.model.keras_models.graph import Call, Graph, Tensor

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
_REDUCTIONS = (
    "All", "Amax", "Amin", "Any", "Argmax", "Argmin", "Average", "CountNonzero", "Logsumexp", "Max", "Mean", "Median",
    "Min", "Nanargmax", "Nanargmin", "Nanmax", "Nanmean", "Nanmedian", "Nanmin", "Nanpercentile", "Nanprod",
    "Nanquantile", "Nanstd", "Nansum", "Nanvar", "Norm", "Percentile", "Prod", "Ptp", "Quantile", "Std", "Sum",
    "Trapezoid", "Var",
)  # fmt: skip
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
    "Diagonal", "Dot", "Einsum", "Flatten", "Inner", "Matmul", "Moments", "Moveaxis", "Permute", "Ravel", "Rearrange",
    "RepeatVector", "Slice", "Split", "Swapaxes", "Take", "TakeAlongAxis", "Tensordot", "Trace", "Transpose", "Unstack",
    "Vdot",
)  # fmt: skip
_RANK_OF_IDS = 2
# Layers whose first input alone says whether they give steps.
_QUERYING = ("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention")


def said_of_lost_mask(graph: Graph) -> str:
    """Returns a sentence with the layer that seems to lose the mask and the cure, ``""`` where none does."""
    if _masks_by_hand(graph):
        return ""
    (ids,) = graph.inputs
    has_steps = steps_of(graph)
    # A row of zeros for the padding and a layer that masks it will do, or a mask by name.
    looked_for = _looked_for(graph)
    is_masked = any(call.class_name == "Masking" or looked_for & set(call.read(masks=True)) for call in graph.calls)
    for call in graph.calls:
        is_open = call.class_name == "Embedding" and ids in call.arguments and call.config.get("mask_zero") is not True
        if is_open and not is_masked:
            return (
                f"Layer {call} makes no mask, so the padding is read as input; build it with mask_zero=True and train "
                "the model again."
            )
        if call.class_name in MASK_LOSERS and any(map(has_steps, call.read())):
            return f"Layer {call} loses the mask: {MASK_LOSERS[call.class_name]}."
    return ""


def _masks_by_hand(graph: Graph) -> bool:
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
        return bool(call.config.get("return_sequences") or inner_config(call).get("return_sequences"))
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


def inner_config(call: Call) -> Mapping[str, object]:
    """Returns the settings of the layer that a Bidirectional or the like holds, none of another."""
    layer = call.config.get("layer")
    config = layer.get("config") if isinstance(layer, dict) else None
    return config if isinstance(config, dict) else {}
