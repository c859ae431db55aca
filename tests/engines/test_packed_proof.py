"""The proof tells rounding that a network amplifies from an error of the packed engine."""

import copy
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


# What Keras' single precision is off by for each id of a text, in a network that adds up or amplifies its rounding.
ROUNDING = 1e-7


@dataclasses.dataclass
class Rounded:
    """Scores as an engine that rounds: the longer a text is, the further off they are."""

    exact: KerasEngine
    rounding: float
    vocabulary_size: int = VOCABULARY_SIZE
    model: Any = None

    def score(self, token_ids: Any, offsets: Any) -> Any:
        return self.exact.score(token_ids, offsets) + self.rounding * np.diff(offsets)[:, None]


@dataclasses.dataclass
class Tried:
    """A model, and Keras' single precision of one that amplifies rounding on long texts, as trained ones may."""

    model: Any

    def __post_init__(self) -> None:
        self.exact, self.packed = KerasEngine(in_double_precision(self.model)), pack_model(self.model)

    def prove(self, packed: Any, longest: int = LENGTH) -> dict[str, Any]:
        keras: Any = Rounded(self.exact, ROUNDING, model=self.model)
        return prove_packed(packed, keras, [], longest, exact_engine=self.exact)


@pytest.fixture(scope="module")
def tried() -> Tried:
    stack = [layers.Bidirectional(layers.LSTM(9)), layers.Dense(6, activation="relu"), layers.Dense(3)]
    return Tried(build_model(*stack, vocabulary_size=VOCABULARY_SIZE))


def test_rounding_that_the_network_amplifies_is_no_error(tried: Tried) -> None:
    """On the longest texts both are 15 times as far from exact as is allowed where nothing is amplified."""
    proof = tried.prove(Rounded(tried.exact, -ROUNDING))
    assert proof["largest_difference_of_keras"] == pytest.approx(LENGTH * ROUNDING, rel=0.25)
    assert proof["largest_difference"] == pytest.approx(proof["largest_difference_of_keras"], rel=0.02)
    assert proof["texts"] > VOCABULARY_SIZE / 4, "every id must be tried"


def test_what_keras_rounds_on_long_texts_allows_nothing_on_short_ones(tried: Tried) -> None:
    """An error of 2e-06 is far below Keras' own on long texts, and found on the short ones."""

    class Off(Rounded):
        def score(self, token_ids: Any, offsets: Any) -> Any:
            return self.exact.score(token_ids, offsets) + np.float32(2e-6)

    with pytest.raises(NotCoveredError, match=r"On texts of up to 4 ids its scores differ .* by 2e-06"):
        tried.prove(Off(tried.exact, 0))


def test_more_than_keras_own_rounding_is_an_error(tried: Tried) -> None:
    with pytest.raises(NotCoveredError, match=r"On texts of up to \d+ ids its scores differ from the model's"):
        tried.prove(Rounded(tried.exact, 2 * ROUNDING))


def amplifying(times: float) -> Tried:
    """A network whose last layers make much of every rounding, as a steep sigmoid or a small variance does."""
    stack = [layers.LSTM(9), layers.Rescaling(times), layers.Dense(3, activation="sigmoid")]
    return Tried(build_model(*stack, vocabulary_size=VOCABULARY_SIZE))


@pytest.mark.parametrize("times", [300.0, 3000.0])
def test_what_stands_behind_the_words_may_amplify_rounding(times: float) -> None:
    """It then shows on the shortest texts, and is as much for both; a wrong weight is found all the same."""
    steep = amplifying(times)
    proof = prove_packed(steep.packed, KerasEngine(steep.model), [], LENGTH, exact_engine=steep.exact)
    assert proof["covered"]
    assert 1e-6 < proof["tolerance"] < 1e-3
    for number in range(len(arrays(steep.packed))):
        engine = copy.deepcopy(steep.packed)
        array = getattr(*arrays(engine)[number])
        array[tuple(0 for _ in array.shape)] += 1e-4 * (np.abs(array).max() or 1)
        with pytest.raises(NotCoveredError):
            prove_packed(engine, KerasEngine(steep.model), [], LENGTH, exact_engine=steep.exact)


def test_scores_in_the_thousands_are_packed() -> None:
    """Labels that are prices: of a score near 0 both engines round what they round of the others."""
    prices = Tried(
        build_model(layers.LSTM(9), layers.Dense(1), layers.Rescaling(3000.0), vocabulary_size=VOCABULARY_SIZE)
    )
    assert prove_packed(prices.packed, KerasEngine(prices.model), [], LENGTH, exact_engine=prices.exact)["covered"]


def test_an_ordinary_model_is_packed_with_room_to_spare(tried: Tried) -> None:
    assert tried.prove(tried.packed)["largest_difference"] <= 2e-7


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
    "a gate halved": node(FORWARD, recurrent=put(slice(None), slice(0, 16), times=0.5)),
    "two gates exchanged": node(
        FORWARD, recurrent=exchanged((slice(None), slice(0, 16)), (slice(None), slice(16, 32)))
    ),
    "two units exchanged": node(BACKWARD, recurrent=exchanged(0, 1)),
    "another direction": node(BACKWARD, backward=False),
    "another activation": node(FORWARD, activation="softsign"),
    "another gate": node(FORWARD, gate="hard_sigmoid"),
    "a dense weight": node(HIDDEN, weights=put(0, 0, plus=1e-4)),
    "a dense bias": node(HIDDEN, bias=put(4, plus=2e-5)),  # of a unit that is not always 0
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


def arrays(engine: PackedEngine) -> list[tuple[Any, str]]:
    """Every array of an engine, by what holds it and the field's name."""
    holders = [*engine.tables, *(node.operation for node in engine.nodes)]
    fields = [(holder, field.name) for holder in holders for field in dataclasses.fields(holder)]
    return [(holder, name) for holder, name in fields if isinstance(getattr(holder, name), np.ndarray)]


def test_a_unit_that_no_tried_text_wakes_hides_no_error() -> None:
    """A relu unit may be 0 on every text that is tried, and not on those that people score."""
    hidden = layers.Dense(6, activation="relu")
    model = build_model(layers.LSTM(5), hidden, layers.Dense(3), vocabulary_size=VOCABULARY_SIZE)
    kernel, bias = hidden.get_weights()
    bias[1] = -9.0
    hidden.set_weights([kernel, bias])
    asleep = Tried(model)
    assert asleep.prove(asleep.packed)["covered"]
    (number,) = (i for i, made in enumerate(asleep.packed.nodes) if len(getattr(made.operation, "bias", ())) == 6)
    for spoil in (node(number, bias=put(1, plus=2e-5)), node(number, weights=put(2, 1, times=1.01))):
        with pytest.raises(NotCoveredError, match=r"^Its weights are not those of the model, although no text"):
            asleep.prove(spoil(asleep.packed))


def test_no_single_number_of_any_array_can_be_another(tried: Tried) -> None:
    generator = np.random.default_rng(0)
    n_arrays = len(arrays(tried.packed))
    assert n_arrays >= 6
    for number in range(n_arrays):
        engine = copy.deepcopy(tried.packed)
        array = getattr(*arrays(engine)[number])
        place = tuple(generator.integers(0, size) for size in array.shape)
        array[place] += 1e-3 * np.abs(array).max()
        with pytest.raises(NotCoveredError):
            tried.prove(engine)


def test_what_the_model_never_reads_is_not_tried(tried: Tried) -> None:
    """A model of short texts may be wrong on long ones, which it never sees."""
    lengths: list[int] = []

    class Watched(Rounded):
        def score(self, token_ids: Any, offsets: Any) -> Any:
            lengths.extend(np.diff(offsets))
            return super().score(token_ids, offsets)

    tried.prove(Watched(tried.exact, 0), 20)
    assert max(lengths) == 20
    lengths.clear()
    tried.prove(Watched(tried.exact, 0), 1)
    assert set(lengths) == {1}
