"""The proof tells rounding that a network amplifies from an error of the packed engine."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras import layers

from saiten.model.bundle.packed_proof import prove_packed
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packed.program import Node, PackedEngine, Table
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.engines.precision import in_double_precision
from tests.helpers.networks import build_model

VOCABULARY_SIZE = 3_000
LENGTH = 200


@dataclasses.dataclass
class Tried:
    """A model whose scores hang on rounding as those of trained classifiers do, in all engines."""

    keras: KerasEngine
    exact: KerasEngine
    packed: PackedEngine

    def prove(self, packed: PackedEngine) -> dict[str, Any]:
        return prove_packed(packed, self.keras, [], LENGTH, exact_engine=self.exact)


@pytest.fixture(scope="module")
def tried() -> Tried:
    stack = [layers.Bidirectional(layers.LSTM(9)), layers.Dense(6, activation="relu"), layers.Dense(3)]
    model = build_model(*stack, vocabulary_size=VOCABULARY_SIZE)
    for weight in model.weights:
        weight.assign(weight * (4.0 if "recurrent" in weight.path or "embedding" in weight.path else 6.0))
    return Tried(KerasEngine(model), KerasEngine(in_double_precision(model)), pack_model(model))


def test_rounding_that_the_network_amplifies_is_no_error(tried: Tried) -> None:
    proof = tried.prove(tried.packed)
    assert proof["covered"]
    assert proof["largest_difference_of_keras"] > 2e-6, "the model must amplify rounding"
    assert proof["largest_difference"] <= proof["largest_difference_of_keras"] + proof["tolerance"]
    assert proof["texts"] > VOCABULARY_SIZE / 4, "every id must be tried"


def table(change: Callable[[Any], None]) -> Callable[[PackedEngine], PackedEngine]:
    def spoiled(engine: PackedEngine) -> PackedEngine:
        rows = engine.tables[0].rows.copy()
        change(rows)
        return PackedEngine([Table(rows), *engine.tables[1:]], engine.nodes, engine.outputs)

    return spoiled


def node(number: int, **changes: Any) -> Callable[[PackedEngine], PackedEngine]:
    """Replaces fields of an operation; a function is given a copy of the array to spoil."""

    def spoiled(engine: PackedEngine) -> PackedEngine:
        nodes = list(engine.nodes)
        found: Any = nodes[number].operation
        values = {
            name: change(getattr(found, name).copy()) if callable(change) else change
            for name, change in changes.items()
        }
        nodes[number] = Node(dataclasses.replace(found, **values), nodes[number].inputs)
        return PackedEngine(engine.tables, nodes, engine.outputs)

    return spoiled


def put(*place: Any, plus: float = 0.0, times: float = 1.0) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[place] = array[place] * times + plus
        return array

    return change


def exchanged(one: Any, other: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[one], array[other] = array[other].copy(), array[one].copy()
        return array

    return change


FORWARD, BACKWARD, JOINED, HIDDEN, RELU, SCORES = range(6)
SPOILED: dict[str, Callable[[PackedEngine], PackedEngine]] = {
    "one word": table(put(1234, plus=1e-3)),
    "one number of a word": table(put(77, 5, plus=1e-2)),
    "two words exchanged": table(exchanged(500, 501)),
    "a word left out": table(put(2999, times=0.0)),
    "all words a little larger": table(put(slice(None), times=1.0005)),
    "words in half precision": table(lambda rows: rows.__setitem__(slice(None), rows.astype(np.float16))),
    "a gate's bias left out": table(put(slice(None), slice(0, 9), plus=-0.01)),
    "a recurrent weight": node(FORWARD, recurrent=put(3, 4, plus=1e-2)),
    "a recurrent weight left out": node(FORWARD, recurrent=put(2, 20, times=0.0)),
    "recurrent weights in half precision": node(FORWARD, recurrent=lambda a: a.astype(np.float16).astype(np.float32)),
    "a gate halved twice": node(FORWARD, recurrent=put(slice(None), slice(0, 16), times=0.5)),
    "two gates exchanged": node(
        FORWARD, recurrent=exchanged((slice(None), slice(0, 16)), (slice(None), slice(16, 32)))
    ),
    "two units exchanged": node(BACKWARD, recurrent=exchanged(0, 1)),
    "another direction": node(BACKWARD, backward=False),
    "another activation": node(FORWARD, activation="softsign"),
    "another gate": node(FORWARD, gate="hard_sigmoid"),
    "a dense weight": node(HIDDEN, weights=put(0, 0, plus=1e-4)),
    "a dense bias": node(HIDDEN, bias=put(1, plus=2e-5)),
    "another activation behind it": node(RELU, name="elu"),
    "an output's bias": node(SCORES, bias=put(2, plus=1e-5)),
    "two outputs exchanged": node(SCORES, weights=lambda a: np.ascontiguousarray(a[:, [1, 0, 2]])),
    "dense weights in half precision": node(SCORES, weights=lambda a: a.astype(np.float16).astype(np.float32)),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_an_error_is_caught(spoil: Callable[[PackedEngine], PackedEngine], tried: Tried) -> None:
    spoiled = spoil(tried.packed)
    with pytest.raises(NotCoveredError, match=r"On texts of up to \d+ ids its scores differ from the model's"):
        tried.prove(spoiled)


def test_what_the_model_never_reads_is_not_tried(tried: Tried) -> None:
    """A model of short texts may be wrong on long ones, which it never sees."""
    lengths: list[int] = []

    class Watched:
        name, n_outputs = "packed", 3

        def score(self, token_ids: Any, offsets: Any) -> Any:
            lengths.extend(np.diff(offsets))
            return tried.packed.score(token_ids, offsets)

    prove_packed(Watched(), tried.keras, [], 20, exact_engine=tried.exact)
    assert max(lengths) == 20
    lengths.clear()
    prove_packed(Watched(), tried.keras, [], 1, exact_engine=tried.exact)
    assert set(lengths) == {1}
