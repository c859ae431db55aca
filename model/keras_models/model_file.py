"""A Keras model from whatever file a person has: `.keras`, an older `.h5` or `.keras`, judged before it is built."""

import json
import pathlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from saiten.model.errors import BundleError, refusing
from saiten.model.keras_models.drawn_weights import refuse_lost_mask
from saiten.model.keras_models.graph import Graph, read_graph
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.older.keras2_archive import set_saved_weights
from saiten.model.keras_models.older.keras2_config import BUILD_ANEW, to_keras3
from saiten.model.keras_models.older.keras2_weights import set_h5_weights
from saiten.model.keras_models.older.keras3_h5 import with_modules
from saiten.model.keras_models.older.shared_layers import refuse_lost_places
from saiten.model.keras_models.padding.lost_mask import said_of_lost_mask
from saiten.model.keras_models.saved_config import check_classes, check_sizes
from saiten.model.keras_models.saved_model import check_keras_file, check_weights, load_keras_file

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_MAX_METADATA, _MAX_CONFIG = 1 << 20, 4 << 20
_WEIGHTS = "model.weights.h5"
_TENSORFLOW_VERSION = re.compile(rb"\x2a([\x05-\x0f])(\d+\.\d+\.\d+)")  # a field of a SavedModel's MetaInfoDef

# What people have beside Keras' own files, by its ending, and what to do.
_CURE = "save the whole model with model.save('model.keras') where it was made"
_SAVE_AND_TRUST = "save it with model.save('model.keras'), and pass --trust_bundle if you trust where it comes from"
_CURE_OF_MADE = "give the Keras model that it was made of, saved with model.save('model.keras')"
_PICKLE = "is a pickle, which may run code when it is read, so it is not"
_OTHERS = {
    _PICKLE: (".pkl", ".pickle", ".joblib", ".dill", ".sav"),
    "holds a model's layers and not its weights": (".json", ".yaml", ".yml"),
    "holds weights and no model, as checkpoints of TensorFlow do": (".ckpt", ".index", ".data-00000-of-00001"),
    "is a part of a SavedModel, which holds a program rather than layers": (".pb", ".pbtxt"),
    f"is a model of TensorFlow Lite; {_CURE_OF_MADE}": (".tflite",),
    f"is a model in ONNX; {_CURE_OF_MADE}": (".onnx",),
    "is a model of another library than Keras, such as PyTorch; build it with Keras, and take the weights over": (
        ".pt", ".pth", ".safetensors", ".ot", ".mlmodel", ".pdparams", ".msgpack"
    ),
    "holds arrays of NumPy and no model": (".npy", ".npz"),
    "is an archive; give the model's file that is in it": (".gz", ".tgz", ".tar", ".zip", ".bz2", ".xz", ".7z"),
}  # fmt: skip


def read_model_file(path: pathlib.Path, *, trust: bool = False) -> tuple[Any, str]:
    """Reads a model and says what file it was.

    Args:
        path: The file.
        trust: Let through classes that may run code; of a file of Keras 3 only.

    Raises:
        BundleError: The file is none that is read, or its model none that can be served.
    """
    if path.is_dir():
        raise BundleError(_said_of_folder(path))
    with path.open("rb") as file:
        magic = file.read(len(_HDF5))
    if magic == _HDF5:
        return _read_h5(path)
    if not magic.startswith(_ZIP) or not _is_keras_archive(path):
        raise BundleError(_said_of_other(path, magic))
    version = _keras_version(path)
    if version.startswith(("1.", "2.")):
        return _read_keras2_archive(path, version)
    _judge(path, trust=trust)
    check_keras_file(path, trust=trust)
    model = load_keras_file(path)
    if not model.weights:
        raise BundleError(
            f"{path.name:.60} has no weights: the model was saved before it was built; call it once, and save it again."
        )
    refuse_lost_mask(model)
    return model, f".keras of Keras {version or 3}"


def _said_of_folder(path: pathlib.Path) -> str:
    if not (path / "saved_model.pb").is_file():
        return f"{path.name:.60} is a folder; give the model's file, as model.save('model.keras') writes it."
    with (path / "saved_model.pb").open("rb") as file:
        found = _TENSORFLOW_VERSION.search(file.read(_MAX_METADATA))
    version = f" of TensorFlow {found[2][: found[1][0]].decode()}" if found else ""
    return (
        f"{path.name:.60} is a SavedModel{version}: it holds a program rather than layers; load it where it was made, "
        "with tf_keras or TensorFlow, and save it there as .h5 or .keras."
    )


def _said_of_other(path: pathlib.Path, magic: bytes) -> str:
    """Returns what a file is that holds no Keras model, and what to give in its place."""
    ending = path.suffix.lower() or path.name
    kind = _PICKLE if magic[:1] == b"\x80" else next((kind for kind, names in _OTHERS.items() if ending in names), None)
    kind = kind or "is neither a .keras file nor an .h5: it begins otherwise"
    return f"{path.name:.60} {kind if ';' in kind else f'{kind}; {_CURE}'}."


def _is_keras_archive(path: pathlib.Path) -> bool:
    unreadable = f"{path.name:.60} is no .keras file that can be read; save the model anew."
    with refusing(unreadable), zipfile.ZipFile(path) as archive:
        return not archive.namelist() or "metadata.json" in archive.namelist()


def _judge(path: pathlib.Path, *, trust: bool) -> None:
    """Refuses what cannot be served, before what is not trusted."""
    with refusing(f"{path.name:.60} is no .keras file that can be read; save the model anew."):
        with zipfile.ZipFile(path) as archive:
            config = json.loads(_read(archive, "config.json", _MAX_CONFIG))
        graph = read_graph(config)
        refuse_unserved(graph)
        if not trust:
            _refuse_classes(path.name, config, graph)


def _refuse_classes(name: str, config: Any, graph: Graph, **way_out: str) -> None:
    """Refuses classes that are not let through; first of all a mask that seems to be lost, which no trust mends."""
    try:
        check_classes(name, config, **way_out)
    except BundleError as error:
        if said := said_of_lost_mask(graph):
            raise BundleError(said) from error
        raise


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Reads a member, which may unpack to any size."""
    if name not in archive.namelist():
        raise BundleError(f"The archive holds no {name}, so it is no .keras file; use model.save('model.keras').")
    with archive.open(name) as file:
        return file.read(most)


def _keras_version(path: pathlib.Path) -> str:
    unreadable = f"{path.name:.60} is no .keras file that can be read; save the model anew."
    with refusing(unreadable), zipfile.ZipFile(path) as archive:
        metadata = json.loads(_read(archive, "metadata.json", _MAX_METADATA))
    return str(metadata.get("keras_version", ""))[:20]


def _read_h5(path: pathlib.Path) -> tuple[Any, str]:
    import h5py

    unreadable = f"{path.name:.60} is an .h5 that is damaged, or written by no Keras; save the model anew."
    with refusing(unreadable), path.open("rb") as content, h5py.File(content, "r") as file:
        check_weights(f"{path.name:.60}", file, path.stat().st_size)
        version = str(file.attrs.get("keras_version", "of unknown version"))[:20]
        if "model_config" not in file.attrs:
            raise BundleError(
                f"{path.name:.60} (Keras {version}) holds weights and no model; save the whole model: "
                "model.save('model.h5'), not save_weights."
            )
        with _said_of(path, version):
            is_older = not version.startswith("3.")
            config = json.loads(file.attrs["model_config"])
            if is_older:
                refuse_lost_places(config)
            read, way_out = (to_keras3, BUILD_ANEW) if is_older else (with_modules, _SAVE_AND_TRUST)
            model = _build(read(config), path.stat().st_size, way_out)
            set_h5_weights(model, file, is_older=is_older)
            refuse_lost_mask(model)
    return model, f".h5 of Keras {version}"


def _read_keras2_archive(path: pathlib.Path, version: str) -> tuple[Any, str]:
    import h5py

    unreadable = f"{path.name:.60} is a .keras file of Keras {version} that is damaged; save the model anew."
    with refusing(unreadable), zipfile.ZipFile(path) as archive:
        config = json.loads(_read(archive, "config.json", _MAX_CONFIG))
        if archive.getinfo(_WEIGHTS).compress_type != zipfile.ZIP_STORED:
            raise BundleError(f"{path.name:.60}: {_WEIGHTS} is compressed; save the model anew.")
        with archive.open(_WEIGHTS) as content, h5py.File(content, "r") as weights:
            check_weights(f"{path.name:.60}", weights, archive.getinfo(_WEIGHTS).file_size)
            with _said_of(path, version):
                model = _build(to_keras3(config), path.stat().st_size, BUILD_ANEW)
                set_saved_weights(model, weights)
                refuse_lost_mask(model)
    return model, f".keras of Keras {version}"


@contextmanager
def _said_of(path: pathlib.Path, version: str) -> Iterator[None]:
    """Puts the file and the version that wrote it before what is wrong with its model."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{path.name:.40} (Keras {version}): {error}") from error


def _build(config: Mapping[str, Any], n_bytes: int, way_out: str) -> Any:
    """Builds a model with Keras 3, once its layers were judged; `way_out` is for classes that are not let through."""
    import keras

    graph = read_graph(config)
    refuse_unserved(graph)
    _refuse_classes("The file", config, graph, way_out=way_out)
    check_sizes("the model", config, n_bytes)
    try:
        model = keras.models.model_from_json(json.dumps(config))
        if not model.built:
            model.build((None, None))
        return model
    except Exception as error:  # a stranger's settings make Keras raise anything
        raise BundleError(
            f"it cannot be built with Keras {keras.version()}, which takes other settings of a layer; {BUILD_ANEW}."
        ) from error
