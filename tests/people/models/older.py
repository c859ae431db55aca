"""Older files that are refused: those of tests/keras_models/older_files with what people's have more."""

import json
import pathlib
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import h5py

FOLDER = pathlib.Path(__file__).parents[2] / "keras_models" / "older_files"
Make = Callable[[pathlib.Path], pathlib.Path]
Change = Callable[[list[Any]], object]


def changed(name: str, change: Change, file_name: str = "model.h5") -> Make:
    """Returns a function that writes an .h5 whose layers' configuration was changed."""

    def make(folder: pathlib.Path) -> pathlib.Path:
        path = folder / file_name
        path.write_bytes((FOLDER / f"{name}.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config["config"]["layers"])
            file.attrs["model_config"] = json.dumps(config)
        return path

    return make


def _kind(kind: str) -> Make:
    return changed("lstm", lambda found: found[2].update(class_name=kind))


def _function(named: str, **keywords: Any) -> Make:
    """Returns what writes a function in an LSTM's place."""

    def change(found: list[Any]) -> None:
        found[6].update(class_name="TFOpLambda", config={"name": f"tf.{named}", "function": named}, name=f"tf.{named}")
        found[6]["inbound_nodes"] = [["concatenate", 0, 0, keywords]]
        found[7]["inbound_nodes"] = [[[f"tf.{named}", 0, 0, {}]]]

    return changed("func", change)


def setting(number: int, **settings: Any) -> Change:
    """Returns what gives a layer further settings."""
    return lambda found: found[number]["config"].update(settings)


def call(number: int, **keywords: Any) -> Change:
    """Returns what gives a layer's first call further keywords."""
    return lambda found: found[number]["inbound_nodes"][0][0][3].update(keywords)


def _begun(found: list[Any]) -> None:
    found[2]["class_name"] = "LSTM"
    found[2]["inbound_nodes"][0] += [["embedding", 0, 0, {}]]


def _shared(folder: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copy(FOLDER / "shared.h5", folder / "model.h5"))


OLDER: Mapping[str, Make] = {
    "Keras 2: .h5 of a layer that a model within shares": _shared,
    "Keras 2: Lambda": _kind("Lambda"),
    "Keras 2: a function of TensorFlow that is not converted": _function("tile", multiples=[1, 2]),
    "Keras 2: a function of TensorFlow with a setting": _function("math.cumsum", axis=1, reverse=True),
    "Keras 2: CuDNNLSTM": _kind("CuDNNLSTM"),
    "Keras 2: a layer of one's own": _kind("MyAttention"),
    "Keras 2: LSTM(time_major=True)": changed("lstm", setting(2, time_major=True)),
    "Keras 2: LSTM with hard_sigmoid as its activation": changed("lstm", setting(2, activation="hard_sigmoid")),
    "Keras 2: BatchNormalization(axis=[1, 2])": changed("gru", setting(4, axis=[1, 2])),
    "Keras 2: Dropout that is called with training=True": changed("func", call(6, training=True)),
    "Keras 2: a call that is not known": changed("func", call(6, wings=2)),
    "Keras 2: LSTM that begins with another's states": changed("func", _begun),
    "Keras 2: a setting that Keras 3 lacks": changed("lstm", setting(2, wings=2)),
    "Keras 2: weights of other units": changed("lstm", setting(2, units=16)),
}
