"""Models from people's files: older ones give the scores of the Keras that wrote them, others one sentence."""

import io
import json
import pathlib
import re
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers, ops

from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.errors import BundleError
from saiten.model.keras_models.drawn_weights import refuse_lost_mask, refuse_reading
from saiten.model.keras_models.graph import graph_of
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.model_file import read_model_file
from saiten.model.keras_models.padding.lost_mask import said_of_lost_mask

OLDER = pathlib.Path(__file__).parent / "older_files"


@pytest.mark.filterwarnings("ignore:Layer 'inner'.*was passed an input with a mask")
@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("name", ["lstm", "gru", "func", "nested"])
def test_an_older_file_gives_the_scores_of_the_keras_that_wrote_it(name: str, ending: str) -> None:
    model, made_from = read_model_file(OLDER / f"{name}.{ending}")
    assert made_from == f".{ending} of Keras 2.21.0"
    expected = np.load(OLDER / f"{name}.npy")
    ids = np.load(OLDER / "ids.npy")
    np.testing.assert_allclose(KerasEngine(model).score_matrix(ids.astype(np.int32)), expected, atol=1e-6)
    lengths = (ids > 0).sum(axis=1)
    packed = pack_model(model).score(ids[ids > 0].astype(np.int32), np.append(0, np.cumsum(lengths)))
    np.testing.assert_allclose(packed, expected, atol=1e-6)


def test_an_older_files_width_is_that_of_its_embedding() -> None:
    assert read_model_file(OLDER / "lstm.h5")[0].inputs[0].shape == (None, 12)
    assert read_model_file(OLDER / "gru.h5")[0].inputs[0].shape == (None, None)


def rewritten(tmp_path: pathlib.Path, change: Callable[[Any], None]) -> pathlib.Path:
    """A copy of lstm.h5 whose configuration was changed."""
    path = tmp_path / "old.h5"
    path.write_bytes((OLDER / "lstm.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def in_layer(number: int, **settings: Any) -> Callable[[Any], None]:
    return lambda config: config["config"]["layers"][number]["config"].update(settings)


def kind_of_layer(number: int, kind: str) -> Callable[[Any], None]:
    return lambda config: config["config"]["layers"][number].update(class_name=kind)


OLD_REFUSED: dict[str, tuple[Callable[[Any], None], str]] = {
    "a lambda": (kind_of_layer(2, "Lambda"), r"layer lstm \(Lambda\) is code rather than a plain layer; leave it"),
    "a function of TensorFlow": (kind_of_layer(2, "TFOpLambda"), r"\(TFOpLambda\) is code rather than a plain layer"),
    "cuDNN": (kind_of_layer(2, "CuDNNLSTM"), r"\(CuDNNLSTM\) takes no mask.*train the model again"),
    "its own class": (kind_of_layer(2, "MyAttention"), r"holds the class MyAttention .*; build it with Keras 3"),
    "a state that goes on": (in_layer(2, stateful=True), r"Layer lstm \(LSTM\) is stateful"),
    "steps first": (in_layer(2, time_major=True), "has time_major=True, which Keras 3 lacks; build it with Keras 3"),
    "no mask": (in_layer(1, mask_zero=False), r"makes no mask.*mask_zero=True"),
    "more units than weights": (
        in_layer(2, units=16),
        r"kernel \(6, 32\) of its layer lstm .* is not the kernel \(6, 64\)",
    ),
    "units beyond all memory": (in_layer(2, units=1 << 30), "config.json announces up to"),
    "another setting": (in_layer(2, wings=2), "it cannot be built with Keras 3"),
    "a subclassed model": (lambda config: config.update(class_name="MyModel"), "is a MyModel; only Sequential"),
    "no configuration": (lambda config: config.update(config=None), "damaged, or written by no Keras"),
}


@pytest.mark.parametrize(("change", "message"), OLD_REFUSED.values(), ids=OLD_REFUSED)
def test_an_older_file_is_refused_in_one_sentence(
    change: Callable[[Any], None], message: str, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        read_model_file(rewritten(tmp_path, change))
    assert len(str(caught.value)) <= 300
    assert "old.h5" in str(caught.value)
    assert "--trust_bundle" not in str(caught.value)  # no code of an older file is ever run


def test_an_older_grus_default_is_not_that_of_keras_3(tmp_path: pathlib.Path) -> None:
    """Before Keras 2.2 knew reset_after there was only the reset before the product."""
    path = tmp_path / "gru.h5"
    path.write_bytes((OLDER / "gru.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        del config["config"]["layers"][3]["config"]["reset_after"]
        file.attrs["model_config"] = json.dumps(config)
        group = file["model_weights/gru"]
        name = group.attrs["weight_names"][2]
        bias = np.array(group[name])[0]
        del group[name]
        group[name] = bias
    model, _ = read_model_file(path)
    assert model.layers[2].reset_after is False


FILES: dict[str, tuple[bytes, str]] = {
    "weights alone": (b"h5", "holds weights and no model.*not save_weights"),
    "a pickle": (b"\x80\x04\x95", "is a pickle, which may run code when it is read.*model.save"),
    "nothing": (b"", "is neither a .keras file nor an .h5"),
    "half an h5": ((OLDER / "lstm.h5").read_bytes()[:5_000], "an .h5 that is damaged"),
    "half an archive": ((OLDER / "lstm.keras").read_bytes()[:5_000], "no .keras file that can be read"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_another_file_is_refused_in_one_sentence(content: bytes, message: str, tmp_path: pathlib.Path) -> None:
    if content == b"h5":
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file["dense/kernel"] = np.zeros((3, 2), np.float32)
        content = buffer.getvalue()
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(BundleError, match=message) as caught:
        read_model_file(tmp_path / "model.bin")
    assert len(str(caught.value)) <= 300


ENDINGS = {
    "is a pickle, which may run code": (".pkl", ".pickle", ".joblib", ".sav"),
    "holds a model's layers and not its weights": (".json", ".yaml"),
    "holds weights and no model": (".ckpt", ".index", ".data-00000-of-00001"),
    "is a part of a SavedModel": (".pb",),
    "is a model of TensorFlow Lite": (".tflite",),
    "is a model in ONNX": (".onnx",),
    "is a model of another library than Keras": (".pt", ".pth", ".safetensors"),
    "holds arrays of NumPy and no model": (".npy", ".npz"),
    "is an archive": (".zip", ".tar", ".gz"),
    "is neither a .keras file nor an .h5": (".txt", ".h5", ".keras", ""),
}


@pytest.mark.parametrize("content", [b"no model at all", b"zip"], ids=["bytes", "archive"])
@pytest.mark.parametrize(("message", "ending"), [(said, ending) for said, names in ENDINGS.items() for ending in names])
def test_a_file_is_refused_by_what_its_ending_says(
    message: str, ending: str, content: bytes, tmp_path: pathlib.Path
) -> None:
    """A .pt, an .npz and a .zip are archives, as a .keras file is."""
    path = tmp_path / f"model{ending}"
    path.write_bytes(content)
    if content == b"zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", "no model")
    with pytest.raises(BundleError) as caught:
        read_model_file(path)
    assert str(caught.value).startswith(f"{path.name} {message}")
    assert re.search(r"; (save|give|build) \S.*\.$", str(caught.value))
    assert len(str(caught.value)) <= 300


def test_a_saved_model_is_refused_with_its_version_and_the_way_out(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BundleError, match=r"is a folder; give the model's file"):
        read_model_file(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x0a\x2a\x06" + b"2.15.1" + b"\x32\x00")
    with pytest.raises(BundleError, match=r"is a SavedModel of TensorFlow 2\.15\.1: .*as \.h5 or \.keras"):
        read_model_file(tmp_path)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_model_that_was_saved_before_it_was_built_has_no_weights(tmp_path: pathlib.Path) -> None:
    keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3), layers.Dense(1)]).save(
        tmp_path / "m.keras"
    )
    with pytest.raises(BundleError, match=r"m\.keras has no weights: the model was saved before it was built"):
        read_model_file(tmp_path / "m.keras")


# --- what a graph shows ---


def ids() -> Any:
    return keras.Input((12,), dtype="int32", name="ids")


def over_words(*stack: Any, mask_zero: bool = True) -> Any:
    return keras.Sequential([ids(), layers.Embedding(9, 4, mask_zero=mask_zero, name="words"), *stack])


def two_inputs() -> Any:
    first, second = ids(), keras.Input((3,), name="meta")
    words = layers.LSTM(3)(layers.Embedding(9, 4, mask_zero=True)(first))
    return keras.Model([first, second], layers.Dense(1)(layers.Concatenate()([words, second])))


def by_hand(x: Any) -> Any:
    words = layers.Embedding(9, 4)(x)
    mask = ops.expand_dims(ops.cast(ops.not_equal(x, 0), "float32"), -1)
    return layers.Dense(1)(ops.sum(words * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0))


UNSERVED: dict[str, tuple[Callable[[], Any], str]] = {
    "two inputs": (two_inputs, r"takes 2 inputs \(ids, meta\)"),
    "text": (
        lambda: keras.Sequential(
            [keras.Input((1,), dtype="string"), layers.TextVectorization(9), layers.Embedding(9, 4)]
        ),
        r"\(TextVectorization\) makes ids inside the model",
    ),
    "vectors": (lambda: keras.Sequential([keras.Input((None, 4)), layers.LSTM(3)]), "has no Embedding layer"),
    "a score for each token": (lambda: over_words(layers.Dense(1)), "gives scores for every token"),
    "a layer on each step": (
        lambda: over_words(layers.TimeDistributed(layers.Dense(3)), layers.LSTM(2)),
        r"\(TimeDistributed\) goes through a text step by step.*put Dense in its place",
    ),
    "a state that goes on": (lambda: over_two(stateful=True), r"\(LSTM\) is stateful"),
    "convolution": (lambda: over_words(layers.Conv1D(3, 2), layers.LSTM(2)), r"\(Conv1D\) loses the mask"),
    "flat steps": (lambda: over_words(layers.Flatten(), layers.Dense(2)), r"\(Flatten\) loses the mask"),
    "the largest": (lambda: over_words(layers.GlobalMaxPooling1D()), r"\(GlobalMaxPooling1D\) loses the mask.*1e9"),
    "no mask": (lambda: over_words(layers.LSTM(3), mask_zero=False), r"Layer words \(Embedding\) makes no mask"),
}


def over_two(**settings: Any) -> Any:
    start = keras.Input((None,), batch_size=2)
    return keras.Model(start, layers.LSTM(3, **settings)(layers.Embedding(9, 4, mask_zero=True)(start)))


def judge(model: Any) -> None:
    refuse_unserved(graph_of(model))
    refuse_lost_mask(model)


@pytest.mark.filterwarnings("ignore:Layer .* does not support mask")
@pytest.mark.parametrize(("build", "message"), UNSERVED.values(), ids=UNSERVED)
def test_what_cannot_be_served_is_named_with_the_cure(build: Callable[[], Any], message: str) -> None:
    model = build()
    with pytest.raises(BundleError, match=message) as caught:
        judge(model)
    assert len(str(caught.value)) <= 300


def test_a_model_that_looks_for_its_padding_itself_needs_no_mask() -> None:
    start = ids()
    model = keras.Model(start, by_hand(start))
    assert said_of_lost_mask(graph_of(model)) == ""
    refuse_reading(model)


@pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask")
def test_the_real_reason_comes_before_what_is_not_trusted(tmp_path: pathlib.Path) -> None:
    model = over_words(layers.LSTM(3, return_sequences=True), layers.Flatten(), layers.Lambda(lambda x: x))
    model.save(tmp_path / "m.keras")
    with pytest.raises(BundleError, match=r"\(Flatten\) loses the mask"):
        read_model_file(tmp_path / "m.keras")
    over_words(layers.LSTM(3), layers.Lambda(lambda x: x), layers.Dense(1)).save(tmp_path / "m.keras")
    with pytest.raises(BundleError, match=r"holds keras\.layers\.Lambda.*--trust_bundle"):
        read_model_file(tmp_path / "m.keras")


def test_an_h5_of_keras_3_may_hold_spatial_dropout(tmp_path: pathlib.Path) -> None:
    """Alone of the layers it does not write down whether it is trained, which functions of keras.ops never do."""
    ids = keras.Input((None,), dtype="int32")
    words = layers.SpatialDropout1D(0.2)(layers.Embedding(9, 4, mask_zero=True)(ids))
    model = keras.Model(ids, layers.Add()([layers.LSTM(3)(words), layers.GRU(3)(words)]))
    model.save(tmp_path / "m.h5")
    read, _ = read_model_file(tmp_path / "m.h5")
    assert [type(layer) for layer in read.layers] == [type(layer) for layer in model.layers]
