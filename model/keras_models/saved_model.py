"""Reads a `.keras` file that may come from strangers.

Keras builds whatever classes `config.json` names, and h5py follows links out of the file,
so both are read and judged before Keras sees them.
"""

import json
import pathlib
import zipfile
from collections.abc import Iterator
from typing import Any

from saiten.model.errors import BundleError, refusing
from saiten.model.keras_models.saved_config import check_classes, check_sizes
from saiten.model.keras_models.stored_member import StoredMember

_SAVE = "save the model anew with model.save('model.keras') where it was made."
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
    import h5py

    unreadable = f"{path.name:.60} is no .keras file that can be read; save the model as .keras with Keras 3."
    with refusing(unreadable), path.open("rb") as opened, zipfile.ZipFile(opened) as archive:
        _check_members(path.name, archive)
        config = json.loads(archive.read("config.json"))
        if not trust:
            check_classes(path.name, config)
        member = archive.getinfo("model.weights.h5")
        size = member.file_size
        check_sizes(path.name, config, size)
        damaged = f"{path.name:.60}: model.weights.h5 is damaged; {_SAVE}"
        with refusing(damaged), h5py.File(StoredMember(opened, member), "r") as file:
            check_weights(f"{path.name:.60}: model.weights.h5", file, size)


def load_keras_file(path: pathlib.Path) -> Any:
    """Loads a checked `.keras` file as a `keras.Model`, uncompiled, in safe mode.

    Raises:
        BundleError: Keras cannot load it.
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a stranger's file makes Keras and TensorFlow raise anything
        raise BundleError(
            f"Keras {keras.version()} cannot load {path.name:.60}: {_first_line(error):.110}; save the model anew with "
            "this version, or as .h5."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_members(name: str, archive: zipfile.ZipFile) -> None:
    names = [member.filename for member in archive.infolist()]
    if sorted(names) != sorted(_MEMBERS):
        shown = ", ".join(names[:10])
        raise BundleError(f"{name:.60} must hold {', '.join(_MEMBERS)} and nothing else, not {shown:.80}; {_SAVE}")
    for member in archive.infolist():
        plain = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not plain or member.file_size > _MEMBERS[member.filename]:
            raise BundleError(f"{name:.60}: {member.filename} is compressed or too large; {_SAVE}")


def check_weights(name: str, file: Any, size: int) -> None:
    """Refuses an open HDF5 file that holds more than plain arrays of numbers of its own.

    Args:
        name: What holds them, for messages.
        file: The `h5py.File`.
        size: Of the HDF5 file, in bytes.

    Raises:
        BundleError: It holds a link, something else than numbers, or more than fits.
    """
    total = sum(_check_group(name, file, set()))
    # Keras stores weights plainly, so the file cannot be smaller than they are.
    if total > size:
        raise BundleError(f"{name} announces {total:,} bytes of weights and has {size:,}: it is cut off; {_SAVE}")


def _check_group(name: str, group: Any, seen: set[int]) -> Iterator[int]:
    import h5py

    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise BundleError(f"{name} holds a link, {key:.60}; {_SAVE}")
        item = group[key]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # hard links can make a ring, or one array look like 2**60
            raise BundleError(f"{name} holds {key:.60} under two names; {_SAVE}")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _check_group(name, item, seen)
        elif item.external or item.is_virtual or item.dtype.kind not in "fiu":
            raise BundleError(f"{name} holds {item.name:.60}, which is no plain array of numbers; {_SAVE}")
        else:
            yield int(item.nbytes)
