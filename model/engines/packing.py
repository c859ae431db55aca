"""Turns a Keras model into the packed engine's weights, or says why it cannot.

Reads the model only through its config and its weights; imports no Keras itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from saiten.model.engines.packed import (
    ACTIVATIONS,
    MAX_LAYERS,
    MERGES,
    DenseLayer,
    PackedEngine,
    RecurrentCell,
    RecurrentLayer,
)
from saiten.model.engines.packed_kernel import UNIT_BLOCK
from saiten.model.errors import SaitenError
from saiten.model.keras_models.layers import Step, steps_of
from saiten.model.text.ragged import FloatArray, Int64Array

_MAX_TABLE_BYTES = 2 << 30
_IGNORED = frozenset(("InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout"))
# Gates in Keras' order; those with a sigmoid come halved (see packed_kernel).
_SIGMOID_GATES = {"LSTM": (True, True, False, True), "GRU": (True, True, False)}
# A recurrent layer must have these settings; its others change training, or nothing.
_REQUIRED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "stateful": False,
    "return_state": False,
    "unroll": False,
}


class NotCoveredError(SaitenError):
    """The packed engine does not cover this architecture; the message says which part."""


def pack_model(model: Any) -> PackedEngine:
    """Returns a packed engine with the model's weights, the embedding folded into the first layer's.

    Args:
        model: A `keras.Model` of Embedding, LSTM or GRU layers, bidirectional or not, and Dense layers.

    Raises:
        NotCoveredError: It holds anything else.
    """
    steps = _chain(steps_of(model))
    if not steps or steps[0].class_name != "Embedding":
        raise NotCoveredError("The first layer is not an Embedding.")
    if len(steps) - 1 > MAX_LAYERS:
        raise NotCoveredError(f"There are {len(steps) - 1} layers behind the Embedding; {MAX_LAYERS} are covered.")
    weights = {layer.name: [np.asarray(array) for array in layer.get_weights()] for layer in model.layers}
    recurrent: list[RecurrentLayer] = []
    dense: list[DenseLayer] = []
    # Which row of the weights each input column stands for: widths are padded to whole blocks.
    columns = np.arange(weights[steps[0].name][0].shape[1])
    for step in steps[1:]:
        if step.class_name in _SIGMOID_GATES or step.class_name == "Bidirectional":
            if dense or (recurrent and not recurrent[-1].keep_all):
                raise NotCoveredError(f"Layer {step} stands behind the layers that it should stand before.")
            layer, columns = _recurrent_layer(step, weights[step.name], columns)
            recurrent.append(layer)
        elif not recurrent or recurrent[-1].keep_all:
            raise NotCoveredError(f"Layer {step} reads a whole sequence; only LSTM, GRU and Bidirectional are covered.")
        else:
            dense.append(_dense_layer(step, weights[step.name], None if dense else columns))
    if not dense:
        raise NotCoveredError("There is no Dense layer at the end.")
    recurrent[0] = _fold_embedding(weights[steps[0].name][0], recurrent[0])
    return PackedEngine(recurrent, dense)


def _chain(steps: Sequence[Step]) -> list[Step]:
    """Returns the steps that compute something, in a row; the mask's own operation is none of them."""
    masks = {step.name for step in steps if step.class_name == "NotEqual"}
    chain: list[Step] = []
    previous: set[str] = set()
    for step in steps:
        if step.name in masks:
            continue
        if set(step.inputs) - masks != previous:
            raise NotCoveredError(f"Layer {step} reads another output than that of the layer before it.")
        if step.config.get("dtype") not in (None, "float32", "int32", "int64") and not _is_float32(step):
            raise NotCoveredError(f"Layer {step} does not compute in float32.")
        if step.class_name not in _IGNORED:
            chain.append(step)
        previous = {step.name}
    return chain


def _is_float32(step: Step) -> bool:
    policy = step.config["dtype"]
    return isinstance(policy, Mapping) and policy.get("config") == {"name": "float32"}


def _recurrent_layer(step: Step, weights: list[FloatArray], columns: Int64Array) -> tuple[RecurrentLayer, Int64Array]:
    """Returns the layer, and where in its padded output each of its units stands."""
    merge, sides = _sides(step, weights)
    cells = [_cell(step, side, arrays, columns) for side, arrays in sides]
    units = [int(side["config"]["units"]) for side, _ in sides]
    if merge == "concat":
        starts = np.concatenate([[0], np.cumsum([cell.units for cell in cells[:-1]])])
    elif len(set(units)) > 1:
        raise NotCoveredError(f"Layer {step} merges layers of {units} units.")
    else:
        starts, units = np.zeros(1), units[:1]
    places = np.concatenate([start + np.arange(n) for start, n in zip(starts, units, strict=True)])
    keep_all = bool(sides[0][0]["config"].get("return_sequences"))
    return RecurrentLayer(tuple(cells), merge, keep_all), places.astype(np.int64)


def _sides(step: Step, weights: list[FloatArray]) -> tuple[str, list[tuple[Mapping[str, Any], list[FloatArray]]]]:
    """Returns how a layer's directions are merged, and each one's serialised layer and weights."""
    if step.class_name != "Bidirectional":
        if step.config.get("go_backwards"):
            raise NotCoveredError(f"Layer {step} goes backwards; only a Bidirectional layer may.")
        return "concat", [({"class_name": step.class_name, "config": step.config}, weights)]
    merge = step.config["merge_mode"]
    if merge not in MERGES:
        raise NotCoveredError(f"Layer {step} has merge_mode {merge!r}; {', '.join(MERGES)} are covered.")
    half = len(weights) // 2
    return merge, [(step.config["layer"], weights[:half]), (step.config["backward_layer"], weights[half:])]


def _cell(step: Step, layer: Mapping[str, Any], weights: list[FloatArray], columns: Int64Array) -> RecurrentCell:
    """Returns one direction's weights, widths padded to whole blocks, both of a GRU's biases put where they act."""
    class_name, config = layer["class_name"], layer["config"]
    if class_name not in _SIGMOID_GATES:
        raise NotCoveredError(f"Layer {step} holds a {class_name}; LSTM and GRU are covered.")
    for setting, value in _REQUIRED.items():
        if config.get(setting) != value:
            raise NotCoveredError(f"Layer {step} has {setting} {config.get(setting)!r}; only {value!r} is covered.")
    sigmoid = _SIGMOID_GATES[class_name]
    units = int(config["units"])
    reset_after = class_name == "GRU" and bool(config.get("reset_after"))
    bias = weights[2] if config.get("use_bias") else np.zeros((1 + reset_after, len(sigmoid) * units), np.float32)
    input_bias, recurrent_bias = bias if reset_after else (bias.reshape(-1), np.zeros(bias.size, np.float32))
    padded = _whole_blocks(units)
    width = _whole_blocks(int(columns.max()) + 1)
    candidate_bias = np.zeros(padded, np.float32)
    if reset_after:  # z and r add both biases; the candidate's recurrent one is inside the reset
        candidate_bias[:units] = recurrent_bias[2 * units :]
        input_bias = input_bias + np.where(np.arange(3 * units) < 2 * units, recurrent_bias, 0)
    return RecurrentCell(
        kind=class_name.lower(),
        inputs=_place(weights[0], sigmoid, units, padded, columns, width),
        bias=_place(input_bias[None], sigmoid, units, padded, np.zeros(1, np.int64), 1)[0],
        recurrent=_place(weights[1], sigmoid, units, padded, np.arange(units), padded),
        candidate_bias=candidate_bias,
        reset_after=reset_after,
    )


def _whole_blocks(width: int) -> int:
    return -(-width // UNIT_BLOCK) * UNIT_BLOCK


def _place(
    weights: FloatArray,
    sigmoid: tuple[bool, ...],
    units: int,
    padded: int,
    rows: Int64Array,
    n_rows: int,
) -> FloatArray:
    """Spreads weights [rows, gates * units] over [n_rows, gates * padded], sigmoid gates halved."""
    placed = np.zeros((n_rows, len(sigmoid), padded), np.float32)
    halved = weights.reshape(len(rows), len(sigmoid), units) * np.where(sigmoid, 0.5, 1.0)[:, None]
    placed[rows, :, :units] = halved
    return placed.reshape(n_rows, -1)


def _fold_embedding(embedding: FloatArray, layer: RecurrentLayer) -> RecurrentLayer:
    """Returns the first layer with a table, a row for each id, in place of its input weights."""
    size = sum(len(embedding) * cell.inputs.shape[1] * 4 for cell in layer.cells)
    if size > _MAX_TABLE_BYTES:
        raise NotCoveredError(f"The first layer's table would take {size} bytes; {_MAX_TABLE_BYTES} are the limit.")
    cells = []
    for cell in layer.cells:
        kernel = cell.inputs[: embedding.shape[1]].astype(np.float64)
        table = np.empty((len(embedding), kernel.shape[1]), np.float32)
        for start in range(0, len(embedding), 4096):  # in double precision, without a double copy of everything
            part = embedding[start : start + 4096].astype(np.float64)
            table[start : start + 4096] = part @ kernel + cell.bias
        cells.append(replace(cell, inputs=table, bias=np.zeros(0, np.float32)))
    return replace(layer, cells=tuple(cells))


def _dense_layer(step: Step, weights: list[FloatArray], columns: Int64Array | None) -> DenseLayer:
    activation = str(step.config.get("activation"))
    if step.class_name not in ("Dense", "Activation") or activation not in ACTIVATIONS:
        raise NotCoveredError(f"Layer {step} with activation {activation!r} is not covered.")
    if step.class_name == "Activation":
        return DenseLayer(np.zeros((0, 0)), np.zeros(0), activation)
    kernel = weights[0].astype(np.float64)
    bias = weights[1].astype(np.float64) if step.config.get("use_bias") else np.zeros(kernel.shape[1])
    if columns is not None:
        width = _whole_blocks(int(columns.max()) + 1)
        spread = np.zeros((width, kernel.shape[1]))
        spread[columns] = kernel
        kernel = spread
    return DenseLayer(kernel, bias, activation)
