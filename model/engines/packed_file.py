"""`packed.npz`: the packed engine's arrays, read as data from strangers.

`numpy.load` makes room for whatever a header announces, so headers are read first and
compared with what is there. Nothing in the file is compressed or pickled.
"""

import json
import math
import pathlib
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from saiten.model.engines.packed import (
    ACTIVATIONS,
    MAX_LAYERS,
    MERGES,
    DenseLayer,
    PackedEngine,
    RecurrentCell,
    RecurrentLayer,
)
from saiten.model.engines.packed_kernel import UNIT_BLOCK
from saiten.model.errors import refusing

_LAYOUT = "layout"
_CHUNK_BYTES = 1 << 20
_GATES = {"lstm": 4, "gru": 3}
_DTYPES = (np.dtype("<f4"), np.dtype("<f8"), np.dtype("u1"))

Arrays = Mapping[str, npt.NDArray[Any]]


def save_packed(path: pathlib.Path, engine: PackedEngine) -> None:
    """Writes an engine's weights, and their layout as JSON in an array of bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    recurrent = []
    for depth, layer in enumerate(engine.recurrent):
        for side, cell in enumerate(layer.cells):
            prefix = f"recurrent{depth}_{side}"
            arrays[f"{prefix}_inputs"], arrays[f"{prefix}_bias"] = cell.inputs, cell.bias
            arrays[f"{prefix}_recurrent"], arrays[f"{prefix}_candidate"] = cell.recurrent, cell.candidate_bias
        kinds = [{"kind": cell.kind, "reset_after": cell.reset_after} for cell in layer.cells]
        recurrent.append({"cells": kinds, "merge": layer.merge, "keep_all": layer.keep_all})
    for depth, dense in enumerate(engine.dense):
        arrays[f"dense{depth}_weights"], arrays[f"dense{depth}_bias"] = dense.weights, dense.bias
    layout = {"recurrent": recurrent, "dense": [dense.activation for dense in engine.dense]}
    arrays[_LAYOUT] = np.frombuffer(json.dumps(layout).encode("ascii"), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_packed(path: pathlib.Path) -> PackedEngine:
    """Reads what `save_packed` wrote, and checks every shape: the compiled code checks none.

    Raises:
        BundleError: The file is damaged, or its arrays do not fit each other.
    """
    with refusing(f"{path} is damaged, or not written by this saiten: make the bundle anew."):
        arrays = _read_arrays(path)
        layout = json.loads(arrays[_LAYOUT].tobytes())
        _require(max(len(layout["recurrent"]), len(layout["dense"])) <= MAX_LAYERS, "the number of layers")
        recurrent: list[RecurrentLayer] = []
        for depth, layer in enumerate(layout["recurrent"]):
            recurrent.append(_recurrent_layer(arrays, depth, layer, recurrent[-1] if recurrent else None))
        width = _width(recurrent[-1])
        dense = []
        for depth, activation in enumerate(layout["dense"]):
            dense.append(_dense_layer(arrays, depth, activation, width))
            width = len(dense[-1].bias) or width
        _require(not recurrent[-1].keep_all and any(len(layer.bias) for layer in dense), "layers")
        return PackedEngine(recurrent, dense)


def _recurrent_layer(
    arrays: Arrays, depth: int, layout: Mapping[str, Any], previous: RecurrentLayer | None
) -> RecurrentLayer:
    cells = []
    for side, cell in enumerate(layout["cells"]):
        names = (f"recurrent{depth}_{side}_{part}" for part in ("inputs", "bias", "recurrent", "candidate"))
        inputs, bias, recurrent, candidate = (_floats(arrays, name, np.float32) for name in names)
        units, columns = len(recurrent), _GATES[cell["kind"]] * len(recurrent)
        _require(units > 0 and units % UNIT_BLOCK == 0 and candidate.shape == (units,), "units")
        _require(recurrent.shape == (units, columns) and inputs.ndim == 2 and inputs.shape[1] == columns, "columns")
        _require(bias.shape == ((columns,) if previous else (0,)), "bias")
        _require(previous is None or len(inputs) == _width(previous), "inputs")
        cells.append(RecurrentCell(cell["kind"], inputs, bias, recurrent, candidate, cell["reset_after"] is True))
    layer = RecurrentLayer(tuple(cells), layout["merge"], layout["keep_all"] is True)
    _require(previous is None or previous.keep_all, "keep_all")
    _require(len(cells) in (1, 2) and layer.merge in MERGES, "cells")
    _require(layer.merge == "concat" or (len(cells) == 2 and cells[0].units == cells[1].units), "merge")
    _require(previous is not None or len({len(cell.inputs) for cell in cells}) == 1, "tables")
    return layer


def _width(layer: RecurrentLayer) -> int:
    units = [cell.units for cell in layer.cells]
    return sum(units) if layer.merge == "concat" else units[0]


def _dense_layer(arrays: Arrays, depth: int, activation: str, width: int) -> DenseLayer:
    weights, bias = (_floats(arrays, f"dense{depth}_{part}", np.float64) for part in ("weights", "bias"))
    _require(activation in ACTIVATIONS and bias.ndim == 1, "activation")
    _require(weights.shape == ((width, len(bias)) if len(bias) else (0, 0)), "dense")
    return DenseLayer(weights, bias, activation)


def _floats(arrays: Arrays, name: str, dtype: type) -> npt.NDArray[Any]:
    array = arrays[name]
    _require(array.dtype == dtype, name)
    return array


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"{what} does not fit")


def _read_arrays(path: pathlib.Path) -> dict[str, npt.NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        # Stored members take what they announce, so together they fit in the file, whose size was checked.
        _require(sum(member.file_size for member in archive.infolist()) <= path.stat().st_size, "the size")
        for member in archive.infolist():
            _require(member.compress_type == zipfile.ZIP_STORED and member.filename.endswith(".npy"), member.filename)
            with archive.open(member) as file:
                arrays[member.filename.removesuffix(".npy")] = _read_array(file, member.file_size)
    return arrays


def _read_array(file: IO[bytes], size: int) -> npt.NDArray[Any]:
    _require(np.lib.format.read_magic(file) == (1, 0), "the version of the array format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    _require(dtype in _DTYPES and not fortran_order, "an array's type")
    _require(math.prod(shape) * dtype.itemsize == size - file.tell(), "an array's shape")
    array = np.empty(shape, dtype)
    content = array.reshape(-1).view(np.uint8)
    for start in range(0, len(content), _CHUNK_BYTES):  # a table is read once, not held twice
        content[start : start + _CHUNK_BYTES] = np.frombuffer(file.read(_CHUNK_BYTES), np.uint8)
    return array
