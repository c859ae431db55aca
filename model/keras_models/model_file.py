"""A Keras model from whatever file a person has: `.keras`, an older `.h5` or `.keras`, judged before it is built."""

import json
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from saiten.model.errors import BundleError, refusing
from saiten.model.keras_models.graph import read_graph
from saiten.model.keras_models.judge import refuse_unserved
from saiten.model.keras_models.keras2_config import to_keras3
from saiten.model.keras_models.keras2_weights import set_h5_weights, set_saved_weights
from saiten.model.keras_models.keras3_h5 import with_modules
from saiten.model.keras_models.saved_config import check_classes, check_sizes
from saiten.model.keras_models.saved_model import check_keras_file, check_weights, load_keras_file

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_MAX_METADATA, _MAX_CONFIG = 1 << 20, 4 << 20
_WEIGHTS = "model.weights.h5"


def read_model_file(path: pathlib.Path, *, trust: bool = False) -> tuple[Any, str]:
    """Reads a model and says what file it was.

    Args:
        path: The file.
        trust: Let through classes that may run code; of a file of Keras 3 only.

    Raises:
        BundleError: The file is none that is read, or its model none that can be served.
    """
    if path.is_dir():
        raise BundleError(
            f"{path.name:.60} is a folder, as a SavedModel is: it holds a program rather than layers; load it "
            "where it was made, with tf_keras or TensorFlow, and save it there as .h5 or .keras."
        )
    with path.open("rb") as file:
        magic = file.read(len(_HDF5))
    if magic == _HDF5:
        return _read_h5(path)
    if not magic.startswith(_ZIP):
        raise BundleError(
            f"{path.name:.60} is neither a .keras file nor an .h5: it begins otherwise; save the whole model with "
            "model.save('model.keras')."
        )
    version = _keras_version(path)
    if version.startswith(("1.", "2.")):
        return _read_keras2_archive(path, version)
    _judge(path)
    check_keras_file(path, trust=trust)
    model = load_keras_file(path)
    if not model.weights:
        raise BundleError(
            f"{path.name:.60} has no weights: the model was saved before it was built; call it once, and save it again."
        )
    return model, f".keras of Keras {version or 3}"


def _judge(path: pathlib.Path) -> None:
    """Refuses what cannot be served, before what is not trusted."""
    with refusing(f"{path.name:.60} is no .keras file that can be read; save the model anew."):
        with zipfile.ZipFile(path) as archive:
            config = json.loads(_read(archive, "config.json", _MAX_CONFIG))
        refuse_unserved(read_graph(config))


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
            model = _build(to_keras3(config) if is_older else with_modules(config), path.stat().st_size)
            set_h5_weights(model, file, is_older=is_older)
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
                model = _build(to_keras3(config), path.stat().st_size)
                set_saved_weights(model, weights)
    return model, f".keras of Keras {version}"


@contextmanager
def _said_of(path: pathlib.Path, version: str) -> Iterator[None]:
    """Puts the file and the version that wrote it before what is wrong with its model."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{path.name:.40} (Keras {version}): {error}") from error


def _build(config: Mapping[str, Any], n_bytes: int) -> Any:
    """Builds a model with Keras 3, once its layers were judged."""
    import keras

    refuse_unserved(read_graph(config))
    check_classes("The file", config)
    check_sizes("the model", config, n_bytes)
    try:
        model = keras.models.model_from_json(json.dumps(config))
        if not model.built:
            model.build((None, None))
        return model
    except Exception as error:  # a stranger's settings make Keras raise anything
        raise BundleError(
            f"it cannot be built with Keras {keras.version()}, which does not know a layer's setting; load it with "
            "tf_keras and save it with fewer settings, or with Keras 3."
        ) from error
