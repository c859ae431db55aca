"""The packed engine gives Keras' scores, alone or in company, and says what it does not cover."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from saiten.model.bundle.invariance import random_texts
from saiten.model.bundle.packed_proof import prove_packed
from saiten.model.engines.engine import TOLERANCE, scaled_difference
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packed.arithmetic import Combine
from saiten.model.engines.packed.packed_file import load_packed, save_packed
from saiten.model.engines.packed.program import Node, PackedEngine, Table
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.engines.precision import in_double_precision
from saiten.model.text.ragged import offsets_of
from tests.helpers.networks import VOCABULARY_SIZE, build_from, build_model, with_drawn_weights
from tests.people.models.networks import new_axes

IDS, OFFSETS = random_texts(VOCABULARY_SIZE)

LSTM = {"layer": "LSTM", "units": 8}
GRU = {"layer": "GRU", "units": 8}
DENSE = {"layer": "Dense", "units": 3}


def spec(base: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**base, **changes}


def both(base: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"layer": "Bidirectional", "of": base, **changes}


COVERED = {
    "lstm": [LSTM, DENSE],
    "units no multiple of 8": [spec(LSTM, units=13), DENSE],
    "one unit": [spec(LSTM, units=1), DENSE],
    "no bias": [spec(LSTM, use_bias=False), spec(DENSE, use_bias=False)],
    "gru": [GRU, DENSE],
    "gru that resets before": [spec(GRU, reset_after=False), DENSE],
    "gru without bias": [spec(GRU, use_bias=False), DENSE],
    "gru that resets before, no bias": [spec(GRU, reset_after=False, use_bias=False), DENSE],
    "both directions, concatenated": [both(spec(LSTM, units=5)), DENSE],
    "both directions, summed": [both(GRU, merge_mode="sum"), DENSE],
    "both directions, multiplied": [both(LSTM, merge_mode="mul"), DENSE],
    "both directions, averaged": [both(spec(GRU, units=3), merge_mode="ave"), DENSE],
    "stacked": [spec(LSTM, return_sequences=True), spec(GRU, units=5), DENSE],
    "stacked both ways": [
        both(spec(LSTM, units=5, return_sequences=True)),
        both(spec(GRU, return_sequences=True), merge_mode="sum"),
        both(spec(LSTM, units=3), merge_mode="mul"),
        DENSE,
    ],
    "dropout everywhere": [
        {"layer": "SpatialDropout1D", "rate": 0.5},
        spec(LSTM, dropout=0.5, recurrent_dropout=0.5),
        {"layer": "Dropout", "rate": 0.5},
        DENSE,
    ],
    "two dense layers": [LSTM, spec(DENSE, units=7, activation="relu"), DENSE],
    "activation as a layer": [LSTM, DENSE, {"layer": "Activation", "activation": "softmax"}],
    **{
        f"dense with {activation}": [LSTM, spec(DENSE, activation=activation)]
        for activation in ("elu", "relu", "sigmoid", "softmax", "softplus", "tanh")
    },
}


@pytest.mark.parametrize("stack", COVERED.values(), ids=COVERED)
def test_packed_scores_are_keras_scores(stack: list[dict[str, Any]]) -> None:
    model = build_from(stack)
    expected = KerasEngine(model).score(IDS, OFFSETS)
    packed = pack_model(model)
    assert scaled_difference(packed.score(IDS, OFFSETS), expected) < TOLERANCE
    assert np.ptp(expected, axis=0).max() > 1e-3, "the texts must not all score the same"
    assert scores_alone(packed).tobytes() == packed.score(IDS, OFFSETS).tobytes()


RECURRENT = st.builds(
    spec,
    st.sampled_from([LSTM, GRU]),
    units=st.integers(1, 20),
    use_bias=st.booleans(),
)
BIDIRECTIONAL = st.builds(both, RECURRENT, merge_mode=st.sampled_from(["concat", "sum", "mul", "ave"]))


@settings(max_examples=8, deadline=None)
@given(st.lists(RECURRENT | BIDIRECTIONAL, min_size=1, max_size=3), st.integers(1, 9))
def test_any_stack_that_is_covered_agrees(stack: list[dict[str, Any]], n_outputs: int) -> None:
    model = build_from([*map(with_sequences, stack[:-1]), stack[-1], spec(DENSE, units=n_outputs)])
    exact = KerasEngine(in_double_precision(model)).score(IDS, OFFSETS)
    assert scaled_difference(pack_model(model).score(IDS, OFFSETS), exact) < TOLERANCE


def made(layer: Mapping[str, Any]) -> Any:
    return getattr(layers, layer["layer"])(**{name: value for name, value in layer.items() if name != "layer"})


def with_sequences(layer: Mapping[str, Any]) -> dict[str, Any]:
    return spec(layer, of=with_sequences(layer["of"])) if "of" in layer else spec(layer, return_sequences=True)


def scores_alone(engine: PackedEngine) -> Any:
    texts = np.split(IDS, OFFSETS[1:-1])
    return np.concatenate([engine.score(text, np.array([0, len(text)])) for text in texts])


def test_new_axes_in_brackets_are_covered() -> None:
    """Masks by hand are written so: ``[:, :, None]``, ``[..., None]``, and ``[:, None]`` behind a count."""
    ids = keras.Input((None,), dtype="int32")
    model = with_drawn_weights(
        keras.Model(ids, new_axes(ids, layers.Embedding(VOCABULARY_SIZE, 5, mask_zero=True)(ids)))
    )
    expected = KerasEngine(model).score(IDS, OFFSETS)
    assert scaled_difference(pack_model(model).score(IDS, OFFSETS), expected) < TOLERANCE
    assert np.ptp(expected, axis=0).max() > 1e-3


@pytest.mark.parametrize("at", [lambda state: state[None, :], lambda state: state[:, None, None]])
def test_other_new_axes_are_left_to_keras(at: Any) -> None:
    ids = keras.Input((None,), dtype="int32")
    state = at(layers.LSTM(4)(layers.Embedding(VOCABULARY_SIZE, 5, mask_zero=True)(ids)))
    with pytest.raises(NotCoveredError, match="puts a dimension where the packed engine has none"):
        pack_model(keras.Model(ids, keras.ops.reshape(state, (-1, 4))))


def test_functional_models_with_a_fixed_length_are_covered() -> None:
    ids = keras.Input((8000,))
    words = layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)(ids)
    model = with_drawn_weights(keras.Model(ids, layers.Dense(2)(layers.LSTM(8)(words))))
    expected = KerasEngine(model).score(IDS, OFFSETS)
    assert scaled_difference(pack_model(model).score(IDS, OFFSETS), expected) < TOLERANCE


NOT_COVERED = {
    "another activation": ([spec(LSTM, activation="mish"), DENSE], "has the activation 'mish'"),
    "another gate": ([spec(GRU, recurrent_activation="softmax"), DENSE], "has the activation 'softmax'"),
    "an unusual activation": ([LSTM, spec(DENSE, activation="sparsemax")], "has the activation 'sparsemax'"),
    "another layer": ([spec(LSTM, return_sequences=True), {"layer": "Conv1D", "filters": 2, "kernel_size": 3}, LSTM],
                      r"Layer conv1d.* \(Conv1D\) is not covered"),
    "backwards, every step": ([spec(LSTM, go_backwards=True, return_sequences=True), LSTM, DENSE], "goes backwards"),
    "a row of each step": ([spec(LSTM, return_sequences=True), DENSE], "An output does not give one row a text"),
    "normalized steps": ([{"layer": "BatchNormalization", "axis": 1}, LSTM], "normalizes another axis"),
    "a threshold": ([LSTM, {"layer": "ReLU", "threshold": 0.1}], "has a threshold"),
    "a state that goes on": ([spec(LSTM, stateful=True), DENSE], "is stateful"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize(("stack", "reason"), NOT_COVERED.values(), ids=NOT_COVERED)
def test_what_is_not_covered_is_said(stack: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(NotCoveredError, match=reason):
        pack_model(build_with_length(stack))


def build_with_length(stack: list[dict[str, Any]]) -> Any:
    """Of 7 ids in each of 2 texts: some layers have to know."""
    ids = keras.Input((7,), batch_size=2)
    values = layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)(ids)
    for layer in stack:
        values = made(layer)(values)
    return keras.Model(ids, values)


def test_double_precision_is_the_same_model() -> None:
    """Keras' own rounding is taken out of the proof, not its arithmetic."""
    ids = keras.Input((8000,))
    words = layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)(ids)
    model = with_drawn_weights(keras.Model(ids, layers.Dense(2)(layers.Bidirectional(layers.GRU(8))(words))))
    double = in_double_precision(model)
    assert {weight.dtype for weight in double.weights} == {"float64"}
    assert [np.float32(a).tolist() for a in double.get_weights()] == [b.tolist() for b in model.get_weights()]
    scores = KerasEngine(model).score(IDS, OFFSETS)
    np.testing.assert_allclose(KerasEngine(double).score(IDS, OFFSETS), scores, atol=1e-5)


def test_packed_scores_that_differ_are_not_written() -> None:
    model = build_from(COVERED["lstm"])
    packed = pack_model(model)
    proof = prove_packed(packed, KerasEngine(model), [], 400)
    assert proof["covered"]
    assert proof["largest_difference"] < TOLERANCE
    packed = pack_model(model)
    packed.nodes[-1].operation.bias[0] += 2e-6
    with pytest.raises(NotCoveredError, match="its scores differ from the model's"):
        prove_packed(packed, KerasEngine(model), [], 400)


@pytest.mark.parametrize("where", ["kernel", "recurrent_kernel", "bias", "words"])
def test_nan_in_the_model_is_nan_in_the_scores(where: str) -> None:
    model = build_from(COVERED["lstm"])
    for weight in model.weights:
        if weight.path.endswith(where) or where in weight.path:
            weight.assign(np.full(weight.shape, np.nan))
            break
    assert np.isnan(pack_model(model).score(IDS, OFFSETS)).all()


def test_a_nan_word_costs_only_the_texts_that_hold_it() -> None:
    engine = pack_model(build_from(COVERED["lstm"]))
    engine.tables[0].rows[7] = np.nan
    holds = np.array([7 in text for text in np.split(IDS, OFFSETS[1:-1])])
    scores = engine.score(IDS, OFFSETS)
    assert holds.any()
    assert not holds.all()
    assert np.isnan(scores).any(axis=1).tolist() == holds.tolist()


def test_texts_without_ids_are_not_scored() -> None:
    engine = pack_model(build_from(COVERED["lstm"]))
    scores = engine.score(np.array([4, 5], np.int32), np.array([0, 0, 2, 2]))
    assert np.isnan(scores).all(axis=1).tolist() == [True, False, True]
    assert engine.score(np.zeros(0, np.int32), np.array([0])).shape == (0, 3)


@pytest.mark.parametrize("bad_id", [0, -1, VOCABULARY_SIZE, 2**31 - 1])
def test_ids_beyond_the_table_are_refused(bad_id: int) -> None:
    """The compiled code checks no bounds: such an id would read memory that is not its own."""
    with pytest.raises(ValueError, match="ids must be 1 to 59"):
        pack_model(build_from(COVERED["lstm"])).score(np.array([3, bad_id], np.int32), np.array([0, 2]))


def test_read_only_and_sliced_ids_score_alike() -> None:
    engine = pack_model(build_from(COVERED["lstm"]))
    frozen = IDS.copy()
    frozen.setflags(write=False)
    sliced = np.repeat(IDS, 2)[::2]
    expected = engine.score(IDS, OFFSETS).tobytes()
    assert engine.score(frozen, OFFSETS).tobytes() == expected
    assert engine.score(sliced, OFFSETS).tobytes() == expected


def test_many_texts_are_cut_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = pack_model(build_from(COVERED["stacked both ways"]))
    whole = engine.score(IDS, OFFSETS)
    monkeypatch.setattr("saiten.model.engines.packed.program._MAX_TOKENS", 50)
    assert engine.score(IDS, OFFSETS).tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", ["stacked both ways", "gru", "activation as a layer"])
def test_a_file_gives_the_engine_back(name: str, tmp_path: Any) -> None:
    engine = pack_model(build_from(COVERED[name]))
    save_packed(tmp_path / "packed.npz", engine)
    assert load_packed(tmp_path / "packed.npz").score(IDS, OFFSETS).tobytes() == engine.score(IDS, OFFSETS).tobytes()


def test_what_would_be_too_large_a_table_is_computed_for_every_text(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model(layers.LSTM(8), layers.Dense(2))
    monkeypatch.setattr("saiten.model.engines.packing.packer._MAX_TABLE_BYTES", 4 * 6 * VOCABULARY_SIZE)
    engine = pack_model(model)
    assert [table.rows.shape for table in engine.tables] == [(VOCABULARY_SIZE, 6)]
    assert scaled_difference(engine.score(IDS, OFFSETS), KerasEngine(model).score(IDS, OFFSETS)) < TOLERANCE


def test_the_dense_layer_before_a_recurrence_is_folded_into_the_table() -> None:
    engine = pack_model(build_model(layers.Dense(7, activation="relu"), layers.LSTM(8), layers.Dense(2)))
    assert [table.rows.shape for table in engine.tables] == [(VOCABULARY_SIZE, 32)]
    assert [node.operation.kind for node in engine.nodes] == ["lstm", "dense"]


def test_more_operations_than_are_read_are_neither_packed_nor_cut(tmp_path: Any) -> None:
    """A file that was cut at some operation would load, and score otherwise."""
    relu = {"layer": "Activation", "activation": "relu"}
    with pytest.raises(NotCoveredError, match="more than 256 operations"):
        pack_model(build_from([*COVERED["lstm"], *[relu] * 255]))
    engine = pack_model(build_from([*COVERED["lstm"], *[relu] * 254]))
    save_packed(tmp_path / "packed.npz", engine)
    assert load_packed(tmp_path / "packed.npz").score(IDS, OFFSETS).tobytes() == engine.score(IDS, OFFSETS).tobytes()
    monkeyed = [*engine.nodes, Node(engine.nodes[-1].operation, (len(engine.nodes),))]
    with pytest.raises(ValueError, match="the number of operations"):
        PackedEngine(engine.tables, monkeyed, engine.outputs)


def test_only_a_texts_first_or_last_ids_may_be_read() -> None:
    """What a network that reads the beginning alone is made of; its values lie end to end like all others."""
    engine = pack_model(build_from(COVERED["gru"]))
    for limit in (3, -3):
        limited = PackedEngine([Table(engine.tables[0].rows, limit)], engine.nodes, engine.outputs)
        texts = [text[:limit] if limit > 0 else text[limit:] for text in np.split(IDS, OFFSETS[1:-1])]
        expected = engine.score(np.concatenate(texts), offsets_of([len(text) for text in texts]))
        assert limited.score(IDS, OFFSETS).tobytes() == expected.tobytes()
    with pytest.raises(ValueError, match="steps does not fit"):
        PackedEngine([engine.tables[0], Table(engine.tables[0].rows, 3)], [Node(Combine("add"), (0, 1))], [2])


def test_neither_tensorflow_nor_keras_is_imported() -> None:
    program = (
        "import sys, saiten.model.engines.packed.packed_file\n"
        "print([m for m in ('tensorflow', 'keras', 'gensim') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
