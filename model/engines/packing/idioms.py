"""Several functions of `keras.ops` that together are one operation, such as what sorts ids to find the distinct ones.

Each of them alone does what the packed engine has no need of, because its texts have no padding and their ids an
order. To add one: a pattern, a function from what the pattern found to a value, and its entry in `IDIOMS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from saiten.model.engines.packed.distinct import DistinctSum
from saiten.model.engines.packing.packer import FEATURES, NotCoveredError, Packer, Value
from saiten.model.keras_models.graph import Graph, Tensor
from saiten.model.text.ragged import FloatArray

_MOST_INT32 = 2**31 - 1


@dataclass(frozen=True)
class Named:
    """Stands for a tensor or a number, everywhere the same one; what it is is kept under its name."""

    name: str


@dataclass(frozen=True)
class Pattern:
    """A call of a class with inputs and settings.

    Attributes:
        class_name: Its class.
        inputs: Patterns, `Named` ones, numbers, and lists and mappings of them.
        settings: Those that matter.
        name: What its output is kept under.
    """

    class_name: str
    inputs: tuple[Any, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


Found = dict[str, Any]
Weights = Callable[[Tensor], Sequence[FloatArray]]


@dataclass(frozen=True)
class Idiom:
    """A pattern over the model's ids, and what makes a value of these, of what it found and of layers' weights."""

    pattern: Pattern
    convert: Callable[[Packer, Value, Found, Weights], Value]


def find_idiom(graph: Graph, tensor: Tensor) -> tuple[Idiom, Found] | None:
    """Returns the idiom that gives a tensor, with what it found, of which `ids` is the model's input."""
    for idiom in IDIOMS:
        found: Found = {}
        if _matches(graph, idiom.pattern, tensor, found) and found["ids"] in graph.inputs:
            return idiom, found
    return None


def _matches(graph: Graph, pattern: Any, node: Any, found: Found) -> bool:
    if isinstance(pattern, Named):
        return bool(found.setdefault(pattern.name, node) == node)
    if isinstance(pattern, Pattern):
        if not isinstance(node, Tensor) or node.output:
            return False
        call = graph.calls[node.call]
        is_call = call.class_name == pattern.class_name and not call.keywords
        if not is_call or any(call.config.get(name) != value for name, value in pattern.settings.items()):
            return False
        if pattern.name:
            found[pattern.name] = node
        return _matches(graph, pattern.inputs, call.arguments, found)
    if isinstance(pattern, list | tuple):
        fits = isinstance(node, list | tuple) and len(node) == len(pattern)
        return fits and all(_matches(graph, *pair, found) for pair in zip(pattern, node, strict=True))
    if isinstance(pattern, Mapping):
        fits = isinstance(node, Mapping) and node.keys() == pattern.keys()
        return fits and all(_matches(graph, value, node[key], found) for key, value in pattern.items())
    return type(node) is not bool and bool(node == pattern)


def _steps(tensor: Any, start: Any = None, stop: Any = None) -> Pattern:
    """``tensor[:, start:stop]``."""
    slices = [{"start": None, "stop": None, "step": None}, {"start": start, "stop": stop, "step": None}]
    return Pattern("GetItem", (tensor, [{"class_name": "__slice__", "config": config} for config in slices]))


def _joined(*tensors: Any) -> Pattern:
    return Pattern("Concatenate", (list(tensors),), {"axis": 1})


_IDS = Named("ids")
_IS_TOKEN = Pattern("NotEqual", (_IDS, 0))
# Beyond any place in a text.
_COUNT = Pattern("Cumsum", (Pattern("Cast", (_IS_TOKEN,), {"dtype": "int32"}),), {"axis": 1})
_PLACES = Pattern("Where", (_IS_TOKEN, _COUNT, 2**30))
_ORDER = _steps(Pattern("Argsort", (_PLACES,), {"axis": 1}), stop=Named("first"))
_FIRST_TOKENS = Pattern("TakeAlongAxis", (_IDS, _ORDER), {"axis": 1})

_NOTHING = Pattern("ZerosLike", (_steps(_IDS, stop=1),))
_RIGHT = _joined(_steps(_IDS, start=1), _NOTHING)
_HASH = Pattern("Mod", (Pattern("Add", (Pattern("Multiply", (_IDS, Named("factor"))), _RIGHT)), Named("n_pairs")))
_ARE_WORDS = Pattern("Greater", (Pattern("Minimum", (_IDS, _RIGHT)), Named("below")))
_PAIRS = Pattern("Where", (_ARE_WORDS, Pattern("Add", (_HASH, 1)), 0), name="pairs")


def _distinct(numbers: Any, name: str, table: str) -> tuple[Pattern, Pattern]:
    """The sum of the rows of distinct numbers, and how many these are.

    Args:
        numbers: What gives the numbers.
        name: What the numbers are kept under.
        table: What the rows' Embedding is kept under.
    """
    in_order = Pattern("Sort", (numbers,), {"axis": 1})
    again = Named(name)
    before = _joined(Pattern("ZerosLike", (_steps(again, stop=1),)), _steps(in_order, stop=-1))
    is_first = Pattern("Cast", (Pattern("NotEqual", (in_order, before)),), {"dtype": "float32"})
    weights = Pattern("ExpandDims", (is_first,), {"axis": -1})
    rows = Pattern("Embedding", (in_order,), name=table)
    along_steps = {"axis": 1, "keepdims": False}
    total = Pattern("Sum", (Pattern("Multiply", (rows, weights)),), along_steps)
    return total, Pattern("Sum", (weights,), along_steps)


_WORD_SUM, _N_WORDS = _distinct(_IDS, "ids", "word_rows")
_PAIR_SUM, _N_PAIRS = _distinct(_PAIRS, "pairs", "pair_rows")
_NUMBER = Pattern("Maximum", (Pattern("Add", (_N_WORDS, _N_PAIRS)), 1.0))
_WIDE = Pattern("TrueDivide", (Pattern("Add", (_WORD_SUM, _PAIR_SUM)), Pattern("Sqrt", (_NUMBER,))))


def _first_tokens(packer: Packer, ids: Value, found: Found, weights: Weights) -> Value:
    first = found["first"]
    if type(first) is not int or first < 1:
        raise NotCoveredError("The model takes other tokens of a text than its first ones.")
    return Value(replace(ids.shape, limit=first), ids.axes, ids.rows)


def _distinct_sum(packer: Packer, ids: Value, found: Found, weights: Weights) -> Value:
    (words,), (pairs,) = weights(found["word_rows"]), weights(found["pair_rows"])
    factor, n_pairs, below = found["factor"], found["n_pairs"], found["below"]
    if not all(type(number) is int for number in (factor, n_pairs, below)) or below < 0 or factor < 0:
        raise NotCoveredError("The model hashes pairs by other numbers than whole ones.")
    largest = packer.vocabulary_size - 1
    if largest * (factor + 1) > _MOST_INT32 or len(pairs) != n_pairs + 1:
        raise NotCoveredError("The model's hash of pairs overflows, or does not fit its table.")
    return packer.apply(DistinctSum(pairs, factor, below + 1), packer.looked_up(ids, words), axes=(FEATURES,))


IDIOMS: Sequence[Idiom] = (Idiom(_FIRST_TOKENS, _first_tokens), Idiom(_WIDE, _distinct_sum))
