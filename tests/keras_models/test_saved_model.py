"""A `.keras` file from strangers: what it may hold is judged before Keras builds anything."""

import io
import json
import os
import pathlib
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.bundle import read_bundle
from saiten.model.engines.keras_engine import load_keras_engine
from saiten.model.errors import BundleError
from saiten.model.keras_models.saved_model import check_keras_file, load_keras_file
from saiten.model.keras_models.stored_member import StoredMember
from tests.helpers.forgery import reseal
from tests.helpers.networks import build_model
from tests.helpers.scoring import score

Members = dict[str, bytes]
Forge = Callable[[Members], object]


@pytest.fixture(scope="module")
def good_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("model") / "good.keras"
    model = build_model(layers.Bidirectional(layers.LSTM(4)), layers.Dropout(0.1), layers.Dense(2))
    model.compile("adam", "mse")
    model.save(path)
    return path


def rewrite(source: pathlib.Path, target: pathlib.Path, forge: Forge, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    forge(members)
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_what_saiten_builds_is_let_through(good_file: pathlib.Path) -> None:
    check_keras_file(good_file)
    assert [layer.name for layer in load_keras_file(good_file).layers][:1] == ["words"]


def test_functional_models_are_let_through(tmp_path: pathlib.Path) -> None:
    """Keras 3.15 writes the mask as an operation of its own."""
    ids = keras.Input((8000,))
    states = layers.LSTM(4)(layers.Embedding(9, 3, mask_zero=True)(ids))
    keras.Model(ids, layers.Dense(1, kernel_regularizer="l2")(states)).save(tmp_path / "m.keras")
    check_keras_file(tmp_path / "m.keras")


def test_weights_are_judged_without_holding_them(tmp_path: pathlib.Path) -> None:
    """They may be as large as the machine's memory, and Keras is about to read them again."""
    keras.Sequential([layers.Input((None,)), layers.Embedding(100_000, 200, mask_zero=True)]).save(tmp_path / "m.keras")
    tracemalloc.start()
    try:
        check_keras_file(tmp_path / "m.keras")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "m.keras").stat().st_size > 80_000_000
    assert peak_bytes < 40_000_000


def test_a_stored_member_is_read_in_any_order(tmp_path: pathlib.Path) -> None:
    content = bytes(range(256)) * 40
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("before", b"x" * 99)
        archive.writestr("it", content)
        archive.writestr("behind", b"y" * 99)
    with (tmp_path / "a.zip").open("rb") as opened, zipfile.ZipFile(opened) as archive:
        member = StoredMember(opened, archive.getinfo("it"))
        assert member.read() == content
        assert (member.seek(-3, os.SEEK_END), member.read(9)) == (len(content) - 3, content[-3:])
        assert (member.seek(5), member.read(2), member.seek(1, os.SEEK_CUR), member.tell()) == (5, content[5:7], 8, 8)
        assert (member.seek(len(content) + 9), member.read(1)) == (len(content) + 9, b"")


# --- classes ---


def in_config(change: Callable[[Any], object]) -> Forge:
    def forge(members: Members) -> None:
        config = json.loads(members["config.json"])
        change(config)
        members["config.json"] = json.dumps(config).encode()

    return forge


def add_layer(module: str | None, class_name: str, config: Any = None, registered_name: str | None = None) -> Forge:
    layer = {"module": module, "class_name": class_name, "config": config or {}, "registered_name": registered_name}
    return in_config(lambda config: config["config"]["layers"].append(layer))


def set_activation(value: Any) -> Forge:
    return in_config(lambda config: config["config"]["layers"][-1]["config"].update(activation=value))


def in_weights(change: Callable[[h5py.File], object]) -> Forge:
    def forge(members: Members) -> None:
        content = io.BytesIO(members["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            change(file)
        members["model.weights.h5"] = content.getvalue()

    return forge


def function(name: str, module: str = "builtins") -> dict[str, Any]:
    return {"class_name": "function", "config": name, "module": module, "registered_name": name}


CLASSES: dict[str, tuple[Forge, str]] = {
    "a lambda layer": (add_layer("keras.layers", "Lambda"), r"keras\.layers\.Lambda"),
    "a layer that calls a function": (add_layer("keras.layers", "TorchModuleWrapper"), "TorchModuleWrapper"),
    "a layer that reads a file": (add_layer("keras.layers", "StringLookup"), "StringLookup"),
    "a saved model": (add_layer("keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}), "TFSMLayer"),
    "another module's class": (add_layer("os", "system"), r"os\.system"),
    "keras' inside": (add_layer("keras.src.layers", "Dense"), r"keras\.src\.layers\.Dense"),
    "a module that looks like keras": (add_layer("keras.layers.evil", "Dense"), "evil"),
    "a class registered elsewhere": (add_layer("keras.layers", "Dense", None, "Custom>Dense"), "Dense"),
    "a class without a module": (add_layer(None, "Dense"), "None.Dense"),
    "a lambda for an activation": (
        set_activation({"class_name": "__lambda__", "config": {"value": ["4wEAAA=="]}}),
        "__lambda__",
    ),
    "a function for an activation": (set_activation(function("system", "os")), "os.function"),
    "a function of keras for an activation": (
        set_activation(function("get", "keras.initializers")),
        r"keras\.initializers\.function",
    ),
    "a typespec": (set_activation({"class_name": "__typespec__", "spec_name": "x"}), "__typespec__"),
    "a layer in a wrapper": (
        in_config(lambda config: config["config"]["layers"][2]["config"]["layer"].update(class_name="Lambda")),
        "Lambda",
    ),
    "an initializer from elsewhere": (
        in_config(
            lambda config: config["config"]["layers"][1]["config"]["embeddings_initializer"].update(module="evil")
        ),
        "evil",
    ),
    "a metric of a model in the model": (
        in_config(
            lambda config: config["config"]["layers"].append(
                {"module": "keras", "class_name": "Sequential", "config": {"layers": []}}
                | {"compile_config": {"metrics": [{"module": "keras.layers", "class_name": "Conv2D", "config": {}}]}}
            )
        ),
        "Keras' layer Conv2D",
    ),
    "a subclassed model": (in_config(lambda config: config.update(module="evil", class_name="Model")), "evil.Model"),
}


@pytest.mark.parametrize(("forge", "message"), CLASSES.values(), ids=CLASSES)
def test_other_classes_need_trust(forge: Forge, message: str, good_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    rewrite(good_file, tmp_path / "forged.keras", forge)
    with pytest.raises(BundleError, match=rf"holds .*{message}.*--trust_bundle"):
        check_keras_file(tmp_path / "forged.keras")
    check_keras_file(tmp_path / "forged.keras", trust=True)


def test_what_keras_does_not_load_is_not_judged(good_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """An article's own loss function stands in compile_config, which is never read."""
    change = in_config(lambda config: config["compile_config"].update(loss=function("rmse", "thesis")))
    rewrite(good_file, tmp_path / "thesis.keras", change)
    check_keras_file(tmp_path / "thesis.keras")
    assert load_keras_file(tmp_path / "thesis.keras").output_shape == (None, 2)


# --- the archive and the weights: refused even when trusted ---


def external_data(file: h5py.File) -> None:
    file.create_dataset("stolen", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def ring(file: h5py.File) -> None:
    file["layers/again"] = file["layers"]


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("stolen", layout)


def link(kind: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.__setitem__("linked", kind)


STRUCTURE: dict[str, tuple[Forge, str]] = {
    "a member too many": (lambda members: members.update({"assets/x": b""}), "nothing else"),
    "a path out of the folder": (lambda members: members.update({"../../x": b""}), "nothing else"),
    "an absolute path": (lambda members: members.update({"/tmp/x": b""}), "nothing else"),
    "weights of another format": (
        lambda members: members.update({"model.weights.npz": members.pop("model.weights.h5")}),
        "nothing else",
    ),
    "no config": (lambda members: members.pop("config.json"), "nothing else"),
    "a config that is no json": (lambda members: members.update({"config.json": b"\x80\x04."}), r"no \.keras file"),
    "a config nested deep": (lambda members: members.update({"config.json": b"[" * 200_000}), r"no \.keras file"),
    "weights that are none": (lambda members: members.update({"model.weights.h5": b"x"}), "weights.h5 is damaged"),
    "a link out of the weights": (in_weights(link(h5py.ExternalLink("/etc/passwd", "/"))), "holds a link, linked"),
    "a link within the weights": (in_weights(link(h5py.SoftLink("/layers"))), "holds a link, linked"),
    "weights in another file": (in_weights(external_data), "stolen, which is no plain array"),
    "weights that are a view of another file": (in_weights(virtual), "stolen, which is no plain array"),
    "a ring of groups": (in_weights(ring), "under two names"),
    "weights of python objects": (
        in_weights(lambda file: file.create_dataset("text", data=["a"], dtype=h5py.string_dtype())),
        "text, which is no plain array",
    ),
    "weights announced, not there": (
        in_weights(lambda file: file.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip")),
        "announces",
    ),
}


@pytest.mark.parametrize(("forge", "message"), STRUCTURE.values(), ids=STRUCTURE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_forged_archive_is_refused_even_if_trusted(
    forge: Forge, message: str, good_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rewrite(good_file, tmp_path / "forged.keras", forge)
    with pytest.raises(BundleError, match=message):
        check_keras_file(tmp_path / "forged.keras", trust=True)


def set_size(layer: int, *keys: str, size: Any) -> Forge:
    def change(config: Any) -> None:
        node = config["config"]["layers"][layer]
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = size

    return in_config(change)


SIZES: dict[str, Forge] = {
    "words": set_size(1, "config", "input_dim", size=1 << 40),
    "a word's vector": set_size(1, "config", "output_dim", size=1 << 40),
    "a state": set_size(2, "config", "layer", "config", "units", size=1 << 20),
    "an output": set_size(-1, "config", "units", size=1 << 40),
    "a float for a size": set_size(-1, "config", "units", size=1e12),
    "what a layer reads": set_size(-1, "build_config", size={"input_shape": [None, 1 << 40]}),
    "what the model reads": set_size(0, "config", "batch_shape", size=[None, 1 << 40]),
}


@pytest.mark.parametrize("forge", SIZES.values(), ids=SIZES)
def test_a_size_that_the_weights_do_not_have_is_refused_even_if_trusted(
    forge: Forge, good_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Keras makes room for what config.json announces, terabytes if need be, before it looks at the weights."""
    rewrite(good_file, tmp_path / "forged.keras", forge)
    with pytest.raises(BundleError, match=r"config\.json announces up to [\d,]{10,} weights"):
        check_keras_file(tmp_path / "forged.keras", trust=True)


def test_a_compressed_archive_is_refused(good_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Keras stores its members plainly; a compressed one may be a bomb."""
    rewrite(good_file, tmp_path / "bomb.keras", lambda _: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match="is compressed or too large"):
        check_keras_file(tmp_path / "bomb.keras", trust=True)


def test_a_member_that_announces_too_much_is_refused(good_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    content = bytearray(good_file.read_bytes())
    at = content.rindex(b"PK\x01\x02")  # the last entry of the directory; its size stands at 24
    content[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    (tmp_path / "forged.keras").write_bytes(content)
    with pytest.raises(BundleError, match="is compressed or too large"):
        check_keras_file(tmp_path / "forged.keras", trust=True)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(100), b"\x80\x04K\x01."])
def test_what_is_no_archive_is_one_sentence(content: bytes, tmp_path: pathlib.Path) -> None:
    (tmp_path / "model.h5").write_bytes(content)
    with pytest.raises(BundleError, match=r"no \.keras file that can be read; save the model as \.keras"):
        check_keras_file(tmp_path / "model.h5")


def test_flipped_bytes_of_the_weights_are_refused_in_one_sentence_or_change_nothing_that_is_checked(
    good_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """h5py raises KeyError, OverflowError and more over them, each of which would end in a traceback."""
    random, n_refused = Random(1), 0

    def flip(members: Members) -> None:
        content = bytearray(members["model.weights.h5"])
        for _ in range(10):
            content[random.randrange(min(len(content), 4_000))] = random.randrange(256)
        members["model.weights.h5"] = bytes(content)

    for _ in range(200):
        rewrite(good_file, tmp_path / "forged.keras", flip)
        try:
            check_keras_file(tmp_path / "forged.keras")
        except BundleError:
            n_refused += 1
    assert n_refused > 20


@pytest.mark.parametrize(
    "forge",
    [
        set_size(-1, "config", "dtype", size="string"),
        set_size(-1, "config", "dtype", size="int32"),
        in_config(lambda config: config["config"].update(layers=[])),
        in_config(lambda config: config["config"].update(layers=3)),
    ],
    ids=["a dtype without numbers", "a dtype without fractions", "no layers", "a number for layers"],
)
def test_a_model_that_keras_cannot_build_is_one_sentence(
    forge: Forge, good_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rewrite(good_file, tmp_path / "forged.keras", forge)
    with pytest.raises(BundleError):
        load_keras_engine(tmp_path / "forged.keras")


def test_safe_mode_stays_on_when_trusted(tmp_path: pathlib.Path) -> None:
    """A Lambda runs code of the file: Keras itself refuses it, and so it must stay."""
    model = keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "lambda.keras")
    check_keras_file(tmp_path / "lambda.keras", trust=True)
    with pytest.raises(BundleError, match="cannot load"):
        load_keras_file(tmp_path / "lambda.keras")


def test_a_forged_model_in_a_bundle_never_runs(bundle_copy: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The whole way: hashes are made true again, and still nothing of the file is executed."""
    canary = tmp_path / "canary"
    source = tmp_path / "lambda.keras"
    name = str(canary)
    model = keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: [open(name, "w").close(), x][1])])
    model.save(source)
    canary.unlink(missing_ok=True)
    source.replace(bundle_copy / "model.keras")
    reseal(bundle_copy)
    for trust in (False, True):
        with pytest.raises(BundleError):
            read_bundle(bundle_copy, trust=trust).engine("keras")
    assert not canary.exists()


def test_a_run_with_a_layer_that_is_not_let_through_does_not_begin(
    bundle_copy: pathlib.Path, reviews: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(bundle_copy / "model.keras", tmp_path / "forged.keras", add_layer("keras.layers", "StringLookup"))
    (tmp_path / "forged.keras").replace(bundle_copy / "model.keras")
    reseal(bundle_copy)
    assert score(read_bundle(bundle_copy), reviews, tmp_path / "out", "--engine=keras") == 2
    assert "pass --trust_bundle" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_weights_that_are_loaded_are_those_of_the_file(good_file: pathlib.Path) -> None:
    with zipfile.ZipFile(good_file) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        stored = np.array(file["layers/dense/vars/0"])
    assert np.array_equal(load_keras_file(good_file).layers[-1].get_weights()[0], stored)
