"""Keras' recurrent layers as operations: input weights as a product of their own, then the recurrence."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saiten.model.engines.packed.arithmetic import Concatenate
from saiten.model.engines.packed.general_kernels import STEP_ACTIVATIONS
from saiten.model.engines.packed.kernels import UNIT_BLOCK
from saiten.model.engines.packed.operation import Operation, aligned_empty
from saiten.model.engines.packed.recurrence import GRU, LSTM, SimpleRNN
from saiten.model.engines.packed.stepwise import Dense
from saiten.model.engines.packing.packer import FEATURES, STEPS, Layer, Packer, Value
from saiten.model.text.ragged import FloatArray

_N_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
_MERGES = {"sum": "add", "mul": "multiply", "ave": "add"}


def pack_recurrent(packer: Packer, layer: Layer, value: Value) -> list[Value | None]:
    """Returns a recurrent layer's outputs: the states, and with `return_state` the last state too.

    None stands for what is not covered: an LSTM's cell state.
    """
    if layer.class_name != "Bidirectional":
        return _one_direction(packer, layer, layer.class_name, layer.config, list(layer.weights), value)
    merge = layer.config["merge_mode"]
    if merge not in (None, "concat", *_MERGES):
        raise layer.refuse(f"has merge_mode {merge!r}")
    half = len(layer.weights) // 2
    sides = [
        _one_direction(packer, layer, side["class_name"], side["config"], list(weights), value)
        for side, weights in (
            (layer.config["layer"], layer.weights[:half]),
            (layer.config["backward_layer"], layer.weights[half:]),
        )
    ]
    (forward, *states), (backward, *backward_states) = sides
    assert forward is not None
    assert backward is not None
    both = [forward, backward] if merge is None else [_merged(packer, merge, forward, backward)]
    return [*both, *states, *backward_states]


def _merged(packer: Packer, merge: str, forward: Value, backward: Value) -> Value:
    if merge == "concat":
        return packer.apply(Concatenate(), forward, backward)
    merged = packer.combine(_MERGES[merge], forward, backward)
    return packer.combine("multiply", merged, packer.constant(0.5)) if merge == "ave" else merged


def _one_direction(
    packer: Packer, layer: Layer, class_name: str, config: Mapping[str, Any], weights: list[FloatArray], value: Value
) -> list[Value | None]:
    if class_name == "RNN":
        class_name, config = _cell_of(layer, config)
    if class_name not in _N_GATES:
        raise layer.refuse(f"holds a {class_name}; LSTM, GRU and SimpleRNN are covered")
    backward, keep_all = bool(config.get("go_backwards")), bool(config.get("return_sequences"))
    if config.get("stateful"):
        raise layer.refuse("is stateful")
    if backward and keep_all and layer.class_name != "Bidirectional":
        raise layer.refuse("goes backwards and gives every step")
    project, recurrence = _operations(layer, class_name, config, weights, backward, keep_all)
    projected = packer.apply(project, value)
    states = packer.apply(recurrence, projected, axes=(STEPS, FEATURES) if keep_all else (FEATURES,))
    if not config.get("return_state"):
        return [states]
    last = "first" if backward else "last"
    hidden = packer.pool(last, states, (FEATURES,)) if keep_all else states
    return [states, hidden, None] if class_name == "LSTM" else [states, hidden]


def _cell_of(layer: Layer, config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Returns a cell's layer and settings, for `RNN(LSTMCell(32))` and the like."""
    cell = config["cell"]
    if not isinstance(cell, Mapping) or str(cell.get("class_name")).removesuffix("Cell") not in _N_GATES:
        raise layer.refuse("holds another cell than LSTMCell, GRUCell and SimpleRNNCell")
    return cell["class_name"].removesuffix("Cell"), {**config, **cell["config"]}


def _operations(
    layer: Layer,
    class_name: str,
    config: Mapping[str, Any],
    weights: list[FloatArray],
    backward: bool,
    keep_all: bool,
) -> tuple[Dense, Operation]:
    """Returns the product with the input weights, and the recurrence; a GRU's biases are put where they act."""
    units, n_gates = int(config["units"]), _N_GATES[class_name]
    gate = _step_activation(layer, config.get("recurrent_activation", "linear"))
    activation = _step_activation(layer, config["activation"])
    reset_after = class_name == "GRU" and bool(config.get("reset_after"))
    bias = weights[2] if config.get("use_bias") else np.zeros((1 + reset_after, n_gates * units), np.float32)
    input_bias, recurrent_bias = bias if reset_after else (bias.reshape(-1), np.zeros(bias.size, np.float32))
    padded = -(-units // UNIT_BLOCK) * UNIT_BLOCK
    candidate_bias = np.zeros(padded, np.float32)
    if reset_after:  # z and r add both biases; the candidate's recurrent one is inside the reset
        candidate_bias[:units] = recurrent_bias[2 * units :]
        input_bias = input_bias + np.where(np.arange(3 * units) < 2 * units, recurrent_bias, 0)
    product = Dense(_spread(weights[0], units, padded), _spread(input_bias[None], units, padded)[0])
    recurrent = aligned_empty((padded, n_gates * padded), np.float32)
    recurrent[units:] = 0
    recurrent[:units] = _spread(weights[1], units, padded)
    settings = (recurrent, units, gate, activation, backward, keep_all)
    if class_name == "GRU":
        return product, GRU(*settings, candidate_bias, reset_after)
    return product, LSTM(*settings) if class_name == "LSTM" else SimpleRNN(*settings)


def _step_activation(layer: Layer, activation: Any) -> str:
    name = {None: "linear", "swish": "silu"}.get(activation, activation) if isinstance(activation, str | None) else ""
    if name not in STEP_ACTIVATIONS:
        raise layer.refuse(f"has the activation {str(activation)!r:.60}, which no step of the packed engine has")
    return str(name)


def _spread(weights: FloatArray, units: int, padded: int) -> FloatArray:
    """Spreads weights [rows, gates * units] over [rows, gates * padded]."""
    n_gates = weights.shape[1] // units
    spread = np.zeros((len(weights), n_gates, padded), np.float32)
    spread[:, :, :units] = weights.reshape(len(weights), n_gates, units)
    return spread.reshape(len(weights), -1)
