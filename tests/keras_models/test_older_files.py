"""Files whose parts lie otherwise than in Keras 3: equal to what tf_keras gave, or refused for a true reason."""

import json
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import read_bundle
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.precision import half_precision_of, in_single_precision
from saiten.model.errors import BundleError
from saiten.model.keras_models.model_file import read_model_file
from saiten.pipelines.commands.main import main
from tests.helpers.networks import with_drawn_weights
from tests.people.models.older import FOLDER, call, changed, setting

# A word each, by its id.
KANJI = (
    "＊山川海空花木火水土金石竹虫貝犬猫馬牛鳥魚夏冬秋春朝昼夜東西"
    "南北上下左右大小中外内新古長短高低赤青白黒黄男女父母兄弟姉妹"
)


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_the_command_makes_a_bundle_that_scores_texts_as_keras_2_did(
    name: str, ending: str, tmp_path: pathlib.Path
) -> None:
    """The whole way, from a file that tf_keras wrote to what its own `predict` gave for the texts' padded matrix."""
    matrix, scores = np.load(FOLDER / "ids.npy").astype(int), np.load(FOLDER / f"{name}.npy")
    texts = [" ".join(KANJI[i] for i in row if i) for row in matrix]
    expected = [json.dumps({"text": text, "scores": row.tolist()}) for text, row in zip(texts, scores, strict=True)]
    (tmp_path / "expected.jsonl").write_text("\n".join(expected), encoding="utf-8")
    (tmp_path / "words.json").write_text(json.dumps({KANJI[i]: i for i in range(1, 60)}), encoding="utf-8")
    files = {"keras_model": FOLDER / f"{name}.{ending}"}
    files |= {"word_index": tmp_path / "words.json", "expected": tmp_path / "expected.jsonl"}
    flags = [f"--{flag}={path}" for flag, path in files.items()]
    assert main(["bundle", *flags, "--filters=none", "--outputs=a,b", f"--bundle={tmp_path / 'bundle'}"]) == 0
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.has_packed
    assert bundle.manifest.training["file"] == f".{ending} of Keras 2.21.0"
    encoded = bundle.encoder().encode(texts)
    np.testing.assert_array_equal(encoded.token_ids, matrix[matrix > 0])
    for engine in ("packed", "keras"):
        found = bundle.engine(engine).score(encoded.token_ids, encoded.offsets)
        np.testing.assert_allclose(found, scores, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer '.*' .*was passed an input with a mask")
@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("name", ["frozen", "attention", "turned", "functions"])
def test_each_part_gets_its_own_weights(name: str, ending: str) -> None:
    """Frozen layers come last in an .h5, and a .keras has parts by names, in an order that is not that of the layer."""
    model, _ = read_model_file(FOLDER / f"{name}.{ending}")
    ids = np.load(FOLDER / "ids.npy").astype(np.int32)
    np.testing.assert_allclose(KerasEngine(model).score_matrix(ids), np.load(FOLDER / f"{name}.npy"), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer '.*' .*was passed an input with a mask")
def test_a_layer_that_models_share_gets_its_weights_in_each() -> None:
    """A .keras has them where the layer comes first, and none where it comes again."""
    model, _ = read_model_file(FOLDER / "shared.keras")
    ids = np.load(FOLDER / "ids.npy").astype(np.int32)
    np.testing.assert_allclose(KerasEngine(model).score_matrix(ids), np.load(FOLDER / "shared.npy"), atol=1e-5)


def test_an_h5_that_lost_how_a_shared_layer_is_connected_is_refused() -> None:
    """Keras 2 itself cannot read it."""
    with pytest.raises(BundleError) as caught:
        read_model_file(FOLDER / "shared.h5")
    assert str(caught.value) == (
        "shared.h5 (Keras 2.21.0): The older model's layer embedding (Embedding) stands within its model reader too, "
        "and an .h5 of Keras 2 loses what it reads outside; load the weights where the model was made, and save it "
        "there as .keras."
    )


def test_a_weight_for_a_layer_of_another_model_is_none_for_one_of_its_name(tmp_path: pathlib.Path) -> None:
    """What a layer shares is told by name and class, and refused where the number of weights says otherwise."""
    path = tmp_path / "shared.keras"
    with zipfile.ZipFile(FOLDER / "shared.keras") as old, zipfile.ZipFile(path, "w") as new:
        config = old.read("config.json").decode()
        assert config.count('"bidirectional"') > 2
        new.writestr("config.json", config.replace('"bidirectional"', '"other"', 1))
        for name in ("metadata.json", "model.weights.h5"):
            new.writestr(name, old.read(name))
    with pytest.raises(BundleError, match=r"^shared\.keras \(Keras 2\.21\.0\): "):
        read_model_file(path)


def test_a_frozen_half_of_keras_3_gets_its_own_weights(tmp_path: pathlib.Path) -> None:
    """The .h5 of Keras 3 has what was trained first, too."""
    stack = [layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(4)), layers.Dense(2)]
    model = with_drawn_weights(keras.Sequential([keras.Input((None,), dtype="int32"), *stack]))
    stack[1].forward_layer.trainable = False
    model.save(tmp_path / "m.h5")
    read, _ = read_model_file(tmp_path / "m.h5")
    for found, wanted in zip(read.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def begun(found: Any) -> None:
    """The LSTM of nested.h5's place reads its own states."""
    found[2]["class_name"] = "LSTM"
    found[2]["inbound_nodes"][0] += [["embedding", 0, 0, {}]]


REFUSED: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "two axes": ("gru", setting(4, axis=[1, 2]), r"has axis=\[1, 2\], where Keras 3 takes one axis; build it with"),
    "a dropout that works": (
        "func",
        call(6, training=True),
        r"\(Dropout\) with training=True, so.*; call it without\.$",
    ),
    "another keyword": ("func", call(6, wings=2), r"layer dropout \(Dropout\) with wings, which is not converted"),
    "states to begin with": ("func", begun, r"gives layer .* \(LSTM\) states to begin with, which is not converted"),
}


@pytest.mark.parametrize(("name", "change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_converted_is_said_truly(
    name: str, change: Callable[[Any], None], message: str, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        read_model_file(changed(name, change, "old.h5")(tmp_path))
    assert len(str(caught.value)) <= 300
    assert "old.h5 (Keras 2.21.0): " in str(caught.value)


def test_half_precision_is_kept_for_what_is_expected_of_it(tmp_path: pathlib.Path) -> None:
    """Scores of such a model differ by more than 1e-4 from what it gave itself, and its reader is to know why."""
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    half, _ = read_model_file(changed("lstm", setting(2, dtype=policy), "half.h5")(tmp_path))
    assert half_precision_of(half) == "float16"
    single = in_single_precision(half)
    ids = np.load(FOLDER / "ids.npy").astype(np.int32)
    np.testing.assert_allclose(KerasEngine(single).score_matrix(ids), np.load(FOLDER / "lstm.npy"), atol=1e-5)


def test_a_thresholded_relu_is_a_relu_with_a_threshold(tmp_path: pathlib.Path) -> None:
    def change(found: Any) -> None:
        found[6].update(class_name="ThresholdedReLU", config={"name": "dropout", "dtype": "float32", "theta": 0.25})

    model, _ = read_model_file(changed("func", change)(tmp_path))
    layer = model.get_layer("dropout")
    np.testing.assert_allclose(layer(np.array([-1.0, 0.2, 0.3, 2.0], np.float32)), np.array([0, 0, 0.3, 2], np.float32))
