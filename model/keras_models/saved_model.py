"""Reads a `.keras` file that may come from strangers.

Keras builds whatever classes `config.json` names, and h5py follows links out of the file,
so both are read and judged before Keras sees them.
"""

import json
import pathlib
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from saiten.model.errors import BundleError, refusing
from saiten.model.keras_models.saved_config import check_classes, check_sizes

_MEMBERS = {"metadata.json": 1 << 20, "config.json": 4 << 20, "model.weights.h5": 8 << 30}


def check_keras_file(path: pathlib.Path, *, trust: bool = False) -> None:
    """Refuses a `.keras` file that holds more than a model of known layers.

    Args:
        path: The file.
        trust: Let through layer classes that Saiten does not build. The archive and the
            weights are judged all the same, and Keras' safe mode stays on.

    Raises:
        BundleError: What is wrong with the file.
    """
    unreadable = f"{path} is no .keras file that can be read; save the model as .keras with Keras 3."
    with refusing(unreadable), zipfile.ZipFile(path) as archive:
        _check_members(path, archive)
        config = json.loads(archive.read("config.json"))
        if not trust:
            check_classes(path, config)
        size = archive.getinfo("model.weights.h5").file_size
        check_sizes(path, config, size)
        with archive.open("model.weights.h5") as weights:
            _check_weights(path, weights, size)


def load_keras_file(path: pathlib.Path) -> Any:
    """Loads a checked `.keras` file as a `keras.Model`, uncompiled, in safe mode.

    Raises:
        BundleError: Keras cannot load it.
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a stranger's file makes Keras and TensorFlow raise anything
        raise BundleError(f"Keras {keras.version()} cannot load {path}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_members(path: pathlib.Path, archive: zipfile.ZipFile) -> None:
    names = [member.filename for member in archive.infolist()]
    if sorted(names) != sorted(_MEMBERS):
        raise BundleError(f"{path} must hold {', '.join(_MEMBERS)} and nothing else; it holds {', '.join(names[:10])}.")
    for member in archive.infolist():
        plain = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not plain or member.file_size > _MEMBERS[member.filename]:
            raise BundleError(
                f"{path}: {member.filename} is compressed or too large; save the model anew with Keras 3."
            )


def _check_weights(path: pathlib.Path, weights: IO[bytes], size: int) -> None:
    import h5py

    with refusing(f"{path}: model.weights.h5 is damaged."), h5py.File(weights, "r") as file:
        total = sum(_check_group(path, file, set()))
    # Keras stores weights plainly, so the file cannot be smaller than they are.
    if total > size:
        raise BundleError(f"{path}: model.weights.h5 announces {total} bytes of weights and has {size}.")


def _check_group(path: pathlib.Path, group: Any, seen: set[int]) -> Iterator[int]:
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise BundleError(f"{path}: model.weights.h5 holds a link, {name}.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # hard links can make a ring, or one array look like 2**60
            raise BundleError(f"{path}: model.weights.h5 holds {name} under two names.")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _check_group(path, item, seen)
        elif item.external or item.is_virtual or item.dtype.kind not in "fiu":
            raise BundleError(f"{path}: model.weights.h5 holds {item.name}, which is no plain array of numbers.")
        else:
            yield int(item.nbytes)
