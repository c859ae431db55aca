"""Every refusal is one line of at most 300 characters with its cure, whatever a file calls its layers."""

import json
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import keras
import pytest

from saiten.model.errors import BundleError, in_one_line
from saiten.model.keras_models.layers import refuse_outputs
from saiten.model.keras_models.model_file import read_model_file
from tests.people.refused import MODELS
from tests.people.tried import prove

NAMES: dict[str, Callable[[str], str]] = {
    "200 characters": lambda name: name + "_" + "x" * 200,
    "Japanese": lambda name: name + "層" * 200,
    "newlines and controls": lambda name: name + "\n\x1b[31m\x00\u202e" * 20,
    "all of these": lambda name: f"{name}\n\x1b[31m\x00\u202e層層{'x' * 100}{'層' * 100}",
}
# Of which Keras calls files or what is in them.
_NOT_NAMES = ("class_name", "registered_name", "module", "activation", "recurrent_activation", "dtype")
SOME = ("Bidirectional with fewer units backwards", "RepeatVector, 10,000 times", "TimeDistributed(Dense)",
        "Conv1D, GlobalMaxPooling1D", "two inputs", "Lambda", "Keras 2: .h5 of a layer that a model within shares",
        "Keras 2: LSTM with hard_sigmoid as its activation", "Keras 2: a call that is not known")  # fmt: skip


def names_of(config: Any) -> set[str]:
    """The names of all layers, those of models within too."""
    if isinstance(config, dict):
        own = (
            {config["config"]["name"]}
            if isinstance(config.get("config"), dict) and "name" in config["config"]
            else set()
        )
        return own.union(*map(names_of, config.values()))
    return set().union(*map(names_of, config)) if isinstance(config, list) else set()


def renamed(node: Any, names: dict[str, str], key: str = "") -> Any:
    if isinstance(node, dict):
        return {name: renamed(value, names, name) for name, value in node.items()}
    if isinstance(node, list):
        return [renamed(item, names, key) for item in node]
    return names.get(node, node) if isinstance(node, str) and key not in _NOT_NAMES else node


def rename(path: pathlib.Path, change: Callable[[str], str]) -> bool:
    """Gives the layers of a model's file other names; False where it has none."""
    if not path.is_file():
        return False
    if h5py.is_hdf5(path):
        with h5py.File(path, "r+") as file:
            if "model_config" not in file.attrs:
                return False
            config = json.loads(file.attrs["model_config"])
            file.attrs["model_config"] = json.dumps(renamed(config, {name: change(name) for name in names_of(config)}))
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if "config.json" not in members:
        return False
    config = json.loads(members["config.json"])
    changed = renamed(config, {name: change(name) for name in names_of(config)})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(changed).encode() if name == "config.json" else content)
    return True


def judge(path: pathlib.Path) -> None:
    model, _ = read_model_file(path)
    refuse_outputs(model, ["a", "b", "c"])
    prove(model)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("title", "kind"),
    [
        *((title, kind) for title in SOME for kind in NAMES),
        *(pytest.param(title, "all of these", marks=pytest.mark.thorough) for title in MODELS if title not in SOME),
    ],
)
def test_a_refusal_is_short_and_ends_with_its_cure(title: str, kind: str, tmp_path: pathlib.Path) -> None:
    keras.utils.clear_session(free_memory=False)
    path = MODELS[title](tmp_path)
    if not rename(path, NAMES[kind]):
        pytest.skip("it has no layers")
    with pytest.raises(BundleError) as caught:
        judge(path)
    said = str(caught.value)
    assert len(said) <= 300
    assert said.isprintable()
    assert said.endswith(".")
    _, _, cure = said.rpartition(": " if "; " not in said else "; ")
    assert len(cure) > 10
    assert "…" not in cure, said


def test_a_long_message_loses_of_its_names_first_and_then_its_middle() -> None:
    assert in_one_line("short\n\x1b") == "short\\n\\x1b"
    named = f"{'a' * 200}.keras (Keras 2): Layer {'b' * 200} (LSTM) of the model {'層' * 50} is odd; leave it out."
    said = in_one_line(named)
    assert len(said) == 300
    assert said.endswith(" is odd; leave it out.")
    assert [word[:1] for word in said.split(" ") if word.endswith("…")] == ["a", "b"]
    words = in_one_line(f"It {'is what it is ' * 50}; leave it out.")
    assert len(words) == 300
    assert words.startswith("It is what it is")
    assert words.endswith("; leave it out.")
    assert in_one_line(said) == said
