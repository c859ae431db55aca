"""Judges a model's graph before Keras builds anything of it: what Saiten cannot serve, and how to build it instead.

The order is that of what a person can do about it: inputs, outputs, layers that carry something from text to text.
What is let through may still read its padding: `saiten.model.keras_models.drawn_weights` and
`saiten.model.bundle.invariance` try it out.
"""

import re
from collections.abc import Callable, Mapping

from saiten.model.errors import BundleError
from saiten.model.keras_models.allowed_layers import LAYERS
from saiten.model.keras_models.graph import Call, Graph, Tensor
from saiten.model.keras_models.padding.lost_mask import inner_config, steps_of

_TEXT_LAYERS = ("TextVectorization", "StringLookup")
# What TensorFlow takes for a scope, which Keras calls after each layer.
_NAME = re.compile(r"[A-Za-z0-9_.\\/>-]*")
# What TimeDistributed adds nothing to.
_STEPWISE = ("Dense", "Dropout", "Activation", "LeakyReLU", "ReLU", "PReLU", "ELU", "LayerNormalization", "Rescaling")
# Of a row: what makes much of little takes all memory.
_MOST_REPEATS = 4_096


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


def _refuse_call(call: Call) -> None:
    """Refuses a layer that is never served, whatever it reads."""
    odd = next((name for name in call.path if not _NAME.fullmatch(name)), None)
    if odd is not None:
        raise BundleError(
            f"Layer {call} is named {odd!r:.40}, which TensorFlow does not take; name it with letters of ASCII, digits "
            "and _ alone, and save the model anew."
        )
    if call.config.get("stateful") or inner_config(call).get("stateful"):
        raise BundleError(
            f"Layer {call} is stateful, so a text's scores hang on the texts before it; build it with stateful=False."
        )
    if call.class_name in LAYERS and call.keywords.get("training") is True:
        raise BundleError(
            f"Layer {call} is called with training=True, so a text's scores hang on chance or on other texts; call it "
            "without."
        )
    if call.class_name == "RepeatVector" and not _is_count(call.config.get("n")):
        raise BundleError(
            f"Layer {call} repeats a text's row {call.config.get('n')!s:.20} times, {_MOST_REPEATS:,} are the most; "
            "leave it out: Keras lays one row on all steps by itself."
        )
    if call.class_name == "TimeDistributed":
        raise BundleError(
            f"Layer {call} goes through a text step by step, which is not covered; {_cure_of_steps(call)}."
        )
    n_forward, n_backward = (_units(call.config.get(name)) for name in ("layer", "backward_layer"))
    if call.class_name == "Bidirectional" and None not in (n_forward, n_backward) and n_forward != n_backward:
        cure = (
            "build it with as many in both, and train it again"
            if inner_config(call).get("return_sequences")
            else "build a layer for each, one with go_backwards=True, and take the weights over"
        )
        raise BundleError(
            f"Layer {call} has {n_forward} units forwards and {n_backward} backwards, which Keras 3 cannot build on; "
            f"{cure}."
        )


def _is_count(n: object) -> bool:
    return type(n) is int and 0 < n <= _MOST_REPEATS


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
