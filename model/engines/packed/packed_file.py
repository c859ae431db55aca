"""`packed.npz`: the packed engine's arrays and operations, read as data from strangers.

`numpy.load` makes room for whatever a header announces, so headers are read first and
compared with what is there. Nothing in the file is compressed or pickled.
"""

import dataclasses
import json
import math
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from saiten.model.engines.packed.operation import Operation, aligned_empty, fits
from saiten.model.engines.packed.operations import OPERATIONS
from saiten.model.engines.packed.program import MAX_NODES, MAX_TABLES, Node, PackedEngine, Table
from saiten.model.errors import refusing
from saiten.model.text.ragged import DoubleArray, FloatArray

_LAYOUT = "layout"
_CHUNK_BYTES = 1 << 20
_ARRAYS: Mapping[Any, type] = {FloatArray: np.float32, DoubleArray: np.float64}
_DTYPES = (np.dtype("<f4"), np.dtype("<f8"), np.dtype("u1"))

Arrays = Mapping[str, npt.NDArray[Any]]


def save_packed(path: pathlib.Path, engine: PackedEngine) -> None:
    """Writes an engine's arrays, and its operations as JSON in an array of bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {f"table{i}": table.rows for i, table in enumerate(engine.tables)}
    operations = []
    for i, node in enumerate(engine.nodes):
        fields = {name: getattr(node.operation, name) for name, _ in _fields(type(node.operation))}
        arrays |= {f"operation{i}_{name}": value for name, value in fields.items() if isinstance(value, np.ndarray)}
        settings = {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}
        operations.append({"kind": node.operation.kind, "inputs": node.inputs, "settings": settings})
    limits = [table.limit for table in engine.tables]
    layout = {"limits": limits, "operations": operations, "outputs": engine.outputs}
    arrays[_LAYOUT] = np.frombuffer(json.dumps(layout).encode("ascii"), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_packed(path: pathlib.Path) -> PackedEngine:
    """Reads what `save_packed` wrote, and checks every type and shape: the compiled code checks none.

    Raises:
        BundleError: The file is damaged, or its arrays do not fit each other.
    """
    with refusing(f"{path} is damaged, or not written by this saiten: make the bundle anew."):
        arrays = _read_arrays(path)
        layout = json.loads(arrays[_LAYOUT].tobytes())
        limits = _numbers(layout["limits"])
        fits(0 < len(limits) <= MAX_TABLES and len(layout["operations"]) <= MAX_NODES, "the number of operations")
        tables = [Table(_array(arrays, f"table{i}", np.float32), limit) for i, limit in enumerate(limits)]
        nodes = [
            Node(_operation(arrays, f"operation{i}_", operation), _numbers(operation["inputs"]))
            for i, operation in enumerate(layout["operations"])
        ]
        # No number may lead to a later value, nor to one that no node gives.
        fits(all(max([*node.inputs, -1]) < len(tables) + i for i, node in enumerate(nodes)), "an input")
        return PackedEngine(tables, nodes, _numbers(layout["outputs"]))


def _operation(arrays: Arrays, prefix: str, layout: Mapping[str, Any]) -> Operation:
    operation = OPERATIONS[layout["kind"]]
    settings = dict(layout["settings"])
    values = {
        name: _array(arrays, prefix + name, _ARRAYS[kind]) if kind in _ARRAYS else _setting(settings.pop(name), kind)
        for name, kind in _fields(operation)
    }
    fits(not settings, "a setting")
    return operation(**values)


def _fields(operation: type[Operation]) -> Iterator[tuple[str, Any]]:
    """Yields names and types of an operation's arrays and settings."""
    for field in dataclasses.fields(operation):  # type: ignore[arg-type]
        yield field.name, field.type


def _setting(value: Any, kind: type) -> Any:
    fits(type(value) is kind and not (isinstance(value, float) and not math.isfinite(value)), "a setting")
    return value


def _numbers(values: Any) -> tuple[int, ...]:
    fits(isinstance(values, list) and all(type(value) is int for value in values), "an input")
    return tuple(values)


def _array(arrays: Arrays, name: str, dtype: type) -> npt.NDArray[Any]:
    array = arrays[name]
    fits(array.dtype == dtype, name)
    return array


def _read_arrays(path: pathlib.Path) -> dict[str, npt.NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        # Stored members take what they announce, so together they fit in the file, whose size was checked.
        fits(sum(member.file_size for member in archive.infolist()) <= path.stat().st_size, "the size")
        for member in archive.infolist():
            fits(member.compress_type == zipfile.ZIP_STORED and member.filename.endswith(".npy"), member.filename)
            with archive.open(member) as file:
                arrays[member.filename.removesuffix(".npy")] = _read_array(file, member.file_size)
    return arrays


def _read_array(file: IO[bytes], size: int) -> npt.NDArray[Any]:
    fits(np.lib.format.read_magic(file) == (1, 0), "the version of the array format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    fits(dtype in _DTYPES and not fortran_order, "an array's type")
    fits(math.prod(shape) * dtype.itemsize == size - file.tell(), "an array's shape")
    array = aligned_empty(shape, dtype)
    content = array.reshape(-1).view(np.uint8)
    for start in range(0, len(content), _CHUNK_BYTES):  # a table is read once, not held twice
        content[start : start + _CHUNK_BYTES] = np.frombuffer(file.read(_CHUNK_BYTES), np.uint8)
    return array
