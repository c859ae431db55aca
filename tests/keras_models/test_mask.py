"""A model that loses the mask is refused, and the layer that loses it is named."""

import dataclasses
import json
import pathlib
import re
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.invariance import InvarianceProof, prove_invariance, random_texts
from saiten.model.engines.engine import scaled_difference
from saiten.model.engines.keras_engine import KerasEngine, compile_model
from saiten.model.errors import BundleError
from saiten.model.keras_models.drawn_weights import refuse_lost_mask, refuse_reading
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.padding.lost_mask import said_of_lost_mask
from saiten.pipelines.commands.main import main
from tests.helpers.networks import VOCABULARY_SIZE, build_model, with_drawn_weights

TEXTS = random_texts(VOCABULARY_SIZE)


def said_of(model: Any) -> str:
    """What is said of a model's graph alone, which must not be refused for it."""
    refuse_unserved(graph_of(model))
    return said_of_lost_mask(graph_of(model))


def sequences() -> Any:
    return layers.LSTM(4, return_sequences=True)


KEEP_THE_MASK = {
    "lstm": [layers.LSTM(4), layers.Dense(2)],
    "both directions, stacked": [layers.Bidirectional(sequences()), layers.GRU(4), layers.Dense(2)],
    "average": [layers.GlobalAveragePooling1D(), layers.Dense(2)],
    "dense at each step": [layers.Dense(4), layers.Dropout(0.5), layers.LSTM(4), layers.Dense(2)],
    "flat behind the recurrence": [layers.LSTM(4), layers.Flatten(), layers.Dense(2)],
}


@pytest.mark.parametrize("stack", KEEP_THE_MASK.values(), ids=KEEP_THE_MASK)
def test_a_model_that_keeps_its_mask_passes_both(stack: list[Any]) -> None:
    model = build_model(*stack)
    assert said_of(model) == ""
    refuse_reading(model)
    proof = prove_invariance(compile_model(model), *TEXTS)
    assert proof.passed
    assert proof.largest_difference <= 1e-6
    assert InvarianceProof.of(json.loads(json.dumps(dataclasses.asdict(proof)))) == proof


LOSE_THE_MASK = {
    "flatten": [layers.Flatten(name="flat"), layers.Dense(2)],
    "convolution": [layers.Conv1D(4, 3, name="conv"), layers.LSTM(4), layers.Dense(2)],
    "convolution behind a recurrence": [sequences(), layers.Conv1D(4, 3, name="conv2"), layers.LSTM(4)],
    "maximum": [layers.GlobalMaxPooling1D(name="most"), layers.Dense(2)],
    "reshape": [layers.Reshape((-1, 3), name="shape"), layers.LSTM(4)],
    "pooling": [layers.MaxPooling1D(name="pool"), layers.LSTM(4)],
}
NAMES = dict(zip(LOSE_THE_MASK, ("flat", "conv", "conv2", "most", "shape", "pool"), strict=True))


@pytest.mark.filterwarnings("ignore:.*does not support mask_propagation")
@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize("case", LOSE_THE_MASK)
def test_the_layer_that_loses_the_mask_is_named(case: str) -> None:
    fixed = [layers.Input((12,)), layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)]
    model = keras.Sequential([*fixed, *LOSE_THE_MASK[case]])
    assert re.match(rf"Layer {NAMES[case]} \(.*\) loses the mask", said_of(model))
    with pytest.raises(BundleError, match=f"^{re.escape(said_of(model))}$"):
        refuse_lost_mask(model)


def test_an_embedding_without_mask_is_named() -> None:
    model = build_model(layers.LSTM(4), layers.Dense(2), mask_zero=False)
    assert re.match(r"Layer words \(Embedding\) makes no mask.*mask_zero=True", said_of(model))
    with pytest.raises(BundleError, match=f"^{re.escape(said_of(model))}$"):
        refuse_lost_mask(model)
    with pytest.raises(BundleError, match="reads its padding: a score changes by"):
        prove_invariance(KerasEngine(model).score_matrix, *TEXTS)


def functional(*, by_hand: bool) -> Any:
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(VOCABULARY_SIZE, 6, mask_zero=True)(ids)
    first = layers.LSTM(4)(words)
    second = layers.Conv1D(3, 2, padding="same", name="conv")(words) if by_hand else words
    pooled = layers.GlobalAveragePooling1D()(second)
    return with_drawn_weights(keras.Model(ids, layers.Dense(2)(layers.Concatenate()([first, pooled]))))


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
def test_branches_are_followed() -> None:
    assert said_of(functional(by_hand=False)) == ""
    assert said_of(functional(by_hand=True)).startswith("Layer conv (Conv1D) loses the mask")


class Liar(layers.Layer):
    """Says that it supports masking and reads the padding."""

    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def get_config(self) -> Any:
        return {"name": self.name}

    def call(self, inputs: Any) -> Any:
        return inputs + keras.ops.mean(inputs, axis=1, keepdims=True)


def test_the_proof_finds_what_layers_do_not_tell() -> None:
    model = build_model(Liar(), layers.LSTM(4), layers.Dense(2))
    assert said_of(model) == ""
    refuse_reading(model)  # which builds no copy of a class that is not registered
    with pytest.raises(BundleError, match="reads its padding"):
        prove_invariance(compile_model(model), *TEXTS)


def test_words_may_stand_in_an_inner_model() -> None:
    def nested(*, mask_zero: bool) -> Any:
        ids = keras.Input((None,), dtype="int32")
        inner = build_model(layers.LSTM(4), mask_zero=mask_zero)
        return keras.Model(ids, layers.Dense(2)(inner(ids)))

    assert said_of(nested(mask_zero=True)) == ""
    prove_invariance(compile_model(nested(mask_zero=True)), *TEXTS)
    assert said_of(nested(mask_zero=False)).startswith("Layer words (Embedding) makes no mask")


def test_a_model_without_words_is_refused() -> None:
    model = keras.Sequential([layers.Input((None, 3)), layers.LSTM(4)])
    with pytest.raises(BundleError, match="no Embedding layer"):
        refuse_unserved(graph_of(model))


def test_scores_that_are_not_finite_prove_nothing() -> None:
    def broken(matrix: Any) -> Any:
        return np.full((len(matrix), 1), np.nan, np.float32)

    with pytest.raises(BundleError, match="not finite"):
        prove_invariance(broken, *TEXTS)


def _off_by(difference: float) -> Any:
    """Scores as a model does that is off by so much where it is padded."""
    return lambda matrix: np.where(matrix[:, :1] == 0, difference, 0) + np.full((len(matrix), 2), 0.5)


def test_rounding_is_told_from_reading_in_double_precision() -> None:
    proof = prove_invariance(_off_by(5e-6), *TEXTS, exact=lambda: _off_by(1e-8))
    assert (proof.precision, proof.largest_difference) == ("double", pytest.approx(1e-8))
    assert InvarianceProof.of(json.loads(json.dumps(dataclasses.asdict(proof)))) == proof
    assert prove_invariance(_off_by(5e-7), *TEXTS, exact=lambda: _off_by(1)).precision == "single"


def _cannot() -> Any:
    raise TypeError("a layer of somebody's")


@pytest.mark.parametrize("exact", [lambda: _off_by(5e-6), lambda: _off_by(5e-7), _cannot])
def test_what_double_precision_does_not_prove_is_refused(exact: Any) -> None:
    with pytest.raises(BundleError, match=r"rounds otherwise in other batches: a score changes by 5e-06"):
        prove_invariance(_off_by(5e-6), *TEXTS, exact=exact)


def test_no_precision_helps_a_model_that_reads_its_padding() -> None:
    with pytest.raises(BundleError, match=r"reads its padding: a score changes by 0\.001"):
        prove_invariance(_off_by(1e-3), *TEXTS, exact=lambda: _off_by(0))


def test_every_shape_is_tried() -> None:
    shapes, paddings = set(), set()

    def watched(matrix: Any) -> Any:
        shapes.add(matrix.shape)
        paddings.add((bool((matrix[:, 0] == 0).any()), bool((matrix[:, -1] == 0).any())))
        return np.where(matrix > 0, matrix, 0).sum(axis=1, keepdims=True).astype(np.float32)

    proof = prove_invariance(watched, *TEXTS)
    assert {width for _, width in shapes} >= set(proof.sequence_lengths)
    assert {rows for rows, _ in shapes} == set(proof.batch_sizes) >= {1, 3, 32}
    assert {(True, False), (False, True)} <= paddings


def test_the_difference_is_scaled_by_large_scores_only() -> None:
    def difference(score: float, expected: float) -> float:
        return scaled_difference(np.float32([[score]]), np.float32([[expected]]))

    assert difference(0.5, 0.25) == 0.25
    assert difference(300, 200) == 0.5
    assert difference(np.nan, 1) == np.inf
    assert difference(np.nan, np.nan) == np.inf
    assert difference(np.inf, np.inf) == np.inf
    assert scaled_difference(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)) == 0


GOOD_PROOF = {
    "passed": True, "largest_difference": 1e-7, "texts": 32,
    "sequence_lengths": [9], "batch_sizes": [1, 32], "padding": ["post", "pre"],
}  # fmt: skip


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "passed",
        {},
        {**GOOD_PROOF, "passed": False},
        {**GOOD_PROOF, "passed": "true"},
        {**GOOD_PROOF, "largest_difference": 1e-3},
        {**GOOD_PROOF, "largest_difference": None},
        {**GOOD_PROOF, "largest_difference": -1},
        {**GOOD_PROOF, "texts": 0},
    ],
)
def test_a_proof_that_does_not_hold_is_refused(proof: Any) -> None:
    assert InvarianceProof.of(GOOD_PROOF).largest_difference == 1e-7
    with pytest.raises(BundleError, match="invariance proof"):
        InvarianceProof.of(proof)


@pytest.mark.filterwarnings("ignore:Layer 'lossy'")  # what Keras says of it when it is built
@pytest.mark.parametrize("layer", ["Flatten", "Conv1D"])
def test_bundle_names_the_layer_that_loses_the_mask(
    layer: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees the layer and why, not how to let it through."""

    lossy = keras.layers.Flatten(name="lossy") if layer == "Flatten" else keras.layers.Conv1D(4, 2, name="lossy")
    reader = [] if layer == "Flatten" else [keras.layers.LSTM(3)]
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Embedding(5, 4, mask_zero=True), lossy, *reader, keras.layers.Dense(1)]
    )
    model.save(tmp_path / "model.keras")
    (tmp_path / "words.json").write_text('{"良い": 1, "(": 2}', encoding="utf-8")
    flags = [f"--keras_model={tmp_path}/model.keras", f"--word_index={tmp_path}/words.json", "--outputs=a"]
    assert main(["bundle", *flags, f"--bundle={tmp_path}/bundle"]) == 2
    said = capsys.readouterr().err
    assert f"Layer lossy ({layer}) loses the mask" in said
    assert said.count("\n") == 1


def test_no_warning_comes_of_texts_that_nobody_brought(recwarn: pytest.WarningsRecorder) -> None:
    """Of a text of one step Keras says that its softmax is 1, to a person whose texts have more."""
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(VOCABULARY_SIZE, 4, mask_zero=True)(ids)
    model = keras.Model(ids, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Attention()([words, words]))))
    with_drawn_weights(model)
    recwarn.clear()
    refuse_reading(model)
    assert [str(warning.message) for warning in recwarn] == []
