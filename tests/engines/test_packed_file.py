"""A packed file that fits no engine, or was made to harm one, is refused before compiled code reads it."""

import json
from typing import Any

import numpy as np
import pytest

from saiten.model.engines.packed.packed_file import load_packed, save_packed
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.errors import BundleError
from tests.helpers.networks import build_from

NETWORK = [{"layer": "LSTM", "units": 8}, {"layer": "Dense", "units": 3}]


def rewritten(path: Any, **changes: Any) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    arrays |= {name.replace("__", "_"): array for name, array in changes.items()}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def layout(**changes: Any) -> dict[str, Any]:
    operations = [
        {"kind": "lstm", "inputs": [0], "settings": {
            "units": 8, "gate": "sigmoid", "activation": "tanh", "backward": False, "keep_all": False}},
        {"kind": "dense", "inputs": [1], "settings": {}},
    ]  # fmt: skip
    content = {"limits": [0], "operations": operations, "outputs": [2], **changes}
    return {"layout": np.frombuffer(json.dumps(content).encode(), np.uint8)}


def operation(number: int, **changes: Any) -> dict[str, Any]:
    operations = json.loads(layout()["layout"].tobytes())["operations"]
    operations[number] |= changes
    return layout(operations=operations)


def setting(**changes: Any) -> dict[str, Any]:
    settings = json.loads(layout()["layout"].tobytes())["operations"][0]["settings"]
    return operation(0, settings=settings | changes)


def grown(times: int) -> dict[str, Any]:
    """Each operation twice as wide as the one before: little in a file, and more than any memory."""
    doubled = [{"kind": "concatenate", "inputs": [i, i], "settings": {}} for i in range(times)]
    return layout(operations=doubled, outputs=[times])


HOSTILE_ARRAYS = {
    "a table of pickled objects": {"table0": np.array([{}], object)},
    "a table of other width": {"table0": np.zeros((60, 8), np.float32)},
    "a table in double precision": {"table0": np.zeros((60, 32))},
    "a table in Fortran's order": {"table0": np.asfortranarray(np.zeros((60, 32), np.float32))},
    "a table of one dimension": {"table0": np.zeros(60, np.float32)},
    "recurrent weights too few": {"operation0_recurrent": np.zeros((8, 24), np.float32)},
    "units no multiple of 8": {"operation0_recurrent": np.zeros((4, 16), np.float32)},
    "no dense weights": {"operation1_weights": None},
    "dense weights too few": {"operation1_weights": np.zeros((4, 3), np.float32)},
    "a bias too short": {"operation1_bias": np.zeros(2, np.float32)},
    "no layout": {"layout": None},
    "a layout that is no JSON": {"layout": np.frombuffer(b"{", np.uint8)},
    "a layout without operations": layout(operations=[]),
    "a layout nested deep": {"layout": np.frombuffer(b"[" * 100_000, np.uint8)},
    "no tables": layout(limits=[]),
    "a table that is not there": layout(limits=[0, 0]),
    "a limit in words": layout(limits=["all"]),
    "no outputs": layout(outputs=[]),
    "an output that is not there": layout(outputs=[3]),
    "an output before the first": layout(outputs=[-1]),
    "an output of each step": layout(outputs=[0]),
    "an operation that there is none of": operation(1, kind="run"),
    "an input that comes later": operation(0, inputs=[1]),
    "an input before the first": operation(1, inputs=[-1]),
    "an input that is a truth": operation(1, inputs=[True]),
    "no inputs": operation(1, inputs=[]),
    "two inputs": operation(1, inputs=[1, 1]),
    "a row for an operation on steps": operation(1, kind="pool", settings={"how": "sum"}),
    "steps for texts": operation(0, kind="dense"),
    "a setting too many": setting(more=1),
    "units that are a truth": setting(units=True),
    "more units than there are": setting(units=9),
    "no units": setting(units=0),
    "a truth that is a number": setting(backward=1),
    "an activation that there is none of": setting(activation="run"),
    "widths without end": grown(60),
    "operations without end": grown(300),
}


@pytest.mark.parametrize("changes", HOSTILE_ARRAYS.values(), ids=HOSTILE_ARRAYS)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], tmp_path: Any) -> None:
    path = tmp_path / "packed.npz"
    save_packed(path, pack_model(build_from(NETWORK)))
    rewritten(path, **changes)
    with pytest.raises(BundleError, match=r"packed\.npz is damaged"):
        load_packed(path)


def test_a_compressed_file_and_a_short_one_are_refused(tmp_path: Any) -> None:
    path = tmp_path / "packed.npz"
    save_packed(path, pack_model(build_from(NETWORK)))
    content = path.read_bytes()
    with np.load(path) as file:
        np.savez_compressed(path, **file)
    with pytest.raises(BundleError, match=r"packed\.npz is damaged"):
        load_packed(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match=r"packed\.npz is damaged"):
        load_packed(path)
