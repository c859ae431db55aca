"""Says which layer is to blame where a model reads its padding, or cannot be computed for it, why, and what to do."""

from typing import Any

from saiten.model.keras_models.graph import Call, graph_of
from saiten.model.keras_models.padding.lost_mask import MASK_LOSERS, RECURRENT, said_of_lost_mask
from saiten.model.keras_models.padding.padding_reader import PaddingReader, find_padding_reader

_ALL = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
_IDS_MASK = "ops.not_equal(ids, 0)"
_ATTENTION = ("Attention", "AdditiveAttention")
_MANY_ATTENTION = ("MultiHeadAttention", "GroupQueryAttention")
_ALONG_AN_AXIS = (
    "LayerNormalization", "BatchNormalization", "UnitNormalization", "RMSNormalization", "Normalization",
    "GroupNormalization",
)  # fmt: skip
_PICKING = ("GetItem", "Take", "TakeAlongAxis")
_MERGING = ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate")
_ACTIVATIONS = ("Relu", "Relu6", "Tanh", "Sigmoid", "Gelu", "Elu", "Selu", "Silu", "Softplus", "Softsign", "Mish")
# What keeps the mask in the place of what loses it.
_KEEPING = {
    "EinsumDense": "Dense", "RMSNormalization": "LayerNormalization",
    **{name: f"layers.{name}" for name in _MERGING},
    **{name: f"layers.Activation('{name.lower()}')" for name in _ACTIVATIONS},
}  # fmt: skip
_SUBTRACT = "subtract 1e9 where ids equal 0 before it"
_BLANK = "multiply what it reads by 0 where ids equal 0"
# What does in the place of functions and layers that take all steps alike.
_OVER_TEXT = {
    "Mean": f"use GlobalAveragePooling1D with mask={_IDS_MASK}",
    **dict.fromkeys(("Sum", "Cumsum", "Einsum", "Matmul", "Dot", "EinsumDense"), _BLANK),
    **dict.fromkeys(("Max", "Logsumexp", "Softmax", "LogSoftmax", "Argmax", "Activation"), _SUBTRACT),
    **dict.fromkeys(("Min", "Argmin"), "add 1e9 where ids equal 0 before it"),
    "Prod": "make it 1 where ids equal 0 before it",
    **dict.fromkeys(("Std", "Var"), "compute it from sums that leave ids of 0 out"),
}


def say_what_is_to_blame(model: Any) -> str:
    """Returns a sentence, ``""`` where no layer is found.

    The layer that seems to lose the mask, as the model's graph tells, comes before what is found by computing.

    Args:
        model: A `keras.Model` with one input, of ids, whose scores change with padding or cannot be computed.
    """
    if said := said_of_lost_mask(graph_of(model)):
        return said
    found = find_padding_reader(model)
    if found is None:
        return ""
    # What picks or mixes steps is to blame itself, though another layer reads what it gives.
    loser = found.loser if found.loser is not None and _loses_steps(found.loser) else None
    return f"Layer {loser} {_why_of_steps(loser)}." if loser else f"Layer {found.call} {_why(found)}."


def _loses_steps(call: Call) -> bool:
    if call.class_name == "GetItem" and isinstance(call.arguments[1], list):
        return len(call.arguments[1]) > 1 and call.arguments[1][1] not in (_ALL, None)
    return call.class_name in MASK_LOSERS or call.class_name in _PICKING


def _why_of_steps(call: Call) -> str:
    if call.class_name in MASK_LOSERS:
        return f"loses the mask: {MASK_LOSERS[call.class_name]}"
    return (
        "takes steps by their place, where shorter texts have padding; use a last LSTM without return_sequences, which "
        "ends with the text"
    )


def _why(found: PaddingReader) -> str:
    """Returns the reason and the cure, the reasons that leave the least open first."""
    call = found.call
    if found.steps_axis == 0:
        return "mixes the texts of a batch (axis 0), so a text's scores hang on others; let it work along another axis"
    if call.class_name in _ALONG_AN_AXIS and _is_along_steps(found):
        return f"works along the steps (axis={_axis(call)}), padding among them; leave its axis at -1"
    if call.class_name == "Softmax" and call.is_layer and found.is_masked and found.rank > 2:
        cure = _give_mask(found) if _is_along_steps(found) else "use layers.Activation('softmax')"
        return f"is given a mask of one value a step, which Keras cannot lay on several features; {cure}"
    if found.steps_axis == found.rank - 1 and (found.rank > 2 or call.class_name == "Dense"):
        return "takes the steps as features, padding among them; leave it out, or what turns them before it"
    if found.loser is not None and _takes_mask(call):
        return f"reads padding as text, for {found.loser} before it hands on no mask; {_cure_of_loss(found)}"
    return _why_of_reading(found)


def _why_of_reading(found: PaddingReader) -> str:
    call = found.call
    if call.class_name in RECURRENT and not found.raised:
        if call.config.get("go_backwards") and call.config.get("return_sequences") and found.is_masked:
            return (
                "gives its steps from last to first (go_backwards=True) under a mask from first to last; leave "
                "go_backwards out, or use Bidirectional"
            )
        if "initial_state" in call.keywords:
            return f"is given states to begin with, and Keras gives it no mask then; {_give_mask(found)}"
    if _loses_steps(call):
        return _why_of_steps(call)
    if found.raised:
        return (
            "cannot be computed for every number of steps, as texts have them; use layers that can, such as LSTM, GRU "
            "and GlobalAveragePooling1D"
        )
    if _takes_mask(call):
        return f"reads padding as text, for it is given no mask; {_give_mask(found)}"
    cure = _OVER_TEXT.get(call.class_name, f"leave it out, or let it look at {_IDS_MASK}")
    return f"takes padding along with the text; {cure}"


def _takes_mask(call: Call) -> bool:
    readers = (*RECURRENT, *_ATTENTION, *_MANY_ATTENTION, "GlobalAveragePooling1D", "Softmax")
    return call.is_layer and call.class_name in readers


def _cure_of_loss(found: PaddingReader) -> str:
    loser = found.loser
    if loser is None or loser.class_name not in _KEEPING:
        return _give_mask(found)
    is_merge = loser.class_name in _MERGING  # a layer of that name loses no mask where all that it reads have one
    if is_merge and (loser.is_layer or len(list(loser.read())) < 2):
        return _give_mask(found)
    return f"use {_KEEPING[loser.class_name]} in its place"


def _give_mask(found: PaddingReader) -> str:
    reader = found.call.class_name
    if reader in _ATTENTION:
        return f"give it mask=[mask, mask], made by {_IDS_MASK}"
    if reader == "Softmax" and found.rank > 2:
        return f"give it mask={_IDS_MASK}[:, :, None]"
    return f"give it {'value_mask' if reader in _MANY_ATTENTION else 'mask'}={_IDS_MASK}"


def _axis(call: Call) -> Any:
    axis = call.config.get("axis")
    return axis[0] if isinstance(axis, list) and len(axis) == 1 else axis


def _is_along_steps(found: PaddingReader) -> bool:
    """Tells whether an axis that a layer works along is the one of its steps."""
    axis = found.call.config.get("axis")
    axes = axis if isinstance(axis, list) else [axis]
    return any(type(each) is int and each % max(found.rank, 1) == found.steps_axis for each in axes)
