"""The proof that the packed engine gives the model's scores.

A network can amplify rounding: then two single precisions differ, and neither is wrong. So both engines are
compared with the model in double precision, on the same texts, and the packed one may be as far from it as Keras
itself is on texts of like length, and 1e-6 more. An error in the weights shows where nothing adds up, on short
texts, and those hold every id of the vocabulary. Where Keras is far from double precision even there, what stands
behind the words amplifies each rounding, and 1e-6 becomes as many times more. What no text that is tried brings to
light, such as the weights of a relu unit that is 0 on all of them, is compared with the model's own weights, packed
anew.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saiten.model.bundle.golden import GoldenRecord, ids_of, rounding_tolerance
from saiten.model.engines.engine import TOLERANCE, Engine, scaled_difference
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packed.program import PackedEngine
from saiten.model.engines.packing.pack_model import pack_model
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray, offsets_of

# Texts of up to so many ids are compared with each other, longer ones in a group of their own.
_LENGTHS = (4, 16, 64, 256)
_N_RANDOM = 96
_LONGEST_RANDOM = 400
# What Keras rounds on texts of the shortest lengths where nothing is amplified; and the most that amplifying may allow.
_ORDINARY, _MOST_ALLOWED = 4e-7, 1e-3
# Of the largest number of an array: machines round the sums in a table differently.
_ROUNDING = 1e-6

Texts = tuple[IntArray, Int64Array]


def prove_packed(
    packed: Engine,
    keras_engine: KerasEngine,
    golden: Sequence[GoldenRecord],
    max_sequence_length: int,
    seed: int = 0,
    exact_engine: Engine | None = None,
    golden_scores: tuple[FloatArray, FloatArray] | None = None,
) -> dict[str, Any]:
    """Compares the packed engine with Keras on golden records, on every id, and on random ids.

    Args:
        packed: What is tried.
        keras_engine: The model in single precision.
        golden: The bundle's; on these it must agree with Keras' single precision as workers try it, within 1e-5, or
            within what a model that amplifies rounding allows: see `rounding_tolerance`.
        max_sequence_length: No longer text is tried: the model reads none.
        seed: Of the random ids.
        exact_engine: The model in double precision; None makes it.
        golden_scores: What the model gives the golden records that have ids, in single and in double precision, where
            that is known already: their texts are the dearest. None computes it.

    Returns:
        The proof as the manifest keeps it.

    Raises:
        NotCoveredError: A score is further from double precision than Keras' own single precision on texts of like
            length by more than 1e-6, scaled, and more where Keras is far from it on the shortest, or its weights are
            not the model's.
    """
    exact_engine = exact_engine or keras_engine.exact()
    known = ids_of([record for record in golden if record.token_ids])
    own, exact = golden_scores or (keras_engine.score(*known), exact_engine.score(*known))
    made = _joined(*_made_texts(keras_engine.vocabulary_size, max_sequence_length, seed))
    golden_scored = _Scored(np.diff(known[1]), packed.score(*known), own, exact)
    scored = golden_scored.with_others(
        _Scored(np.diff(made[1]), packed.score(*made), keras_engine.score(*made), exact_engine.score(*made))
    )
    proof = _compare_with_exact(scored)
    single = _compare_golden(golden_scored)
    if isinstance(packed, PackedEngine) and not _are_alike(packed, pack_model(keras_engine.model)):
        raise NotCoveredError("Its weights are not those of the model, although no text that was tried shows it.")
    return {"covered": True, **proof, "largest_difference_in_single_precision": single}


@dataclass(frozen=True)
class _Scored:
    """Texts with three scores.

    Attributes:
        lengths: int64 [n], how many ids each has.
        found: float32 [n, outputs], of what is tried, like the next two.
        own: Of the model in single precision.
        exact: In double precision.
    """

    lengths: Int64Array
    found: FloatArray
    own: FloatArray
    exact: FloatArray

    def with_others(self, others: "_Scored") -> "_Scored":
        pairs = ((getattr(each, field.name) for each in (self, others)) for field in dataclasses.fields(self))
        return _Scored(*(np.concatenate(list(pair)) for pair in pairs))


def _compare_with_exact(scored: _Scored) -> dict[str, Any]:
    """Compares texts of like length with double precision, the shortest first; returns what the proof says of it."""
    largest, largest_of_keras, more = 0.0, 0.0, 0.0
    group = np.searchsorted(_LENGTHS, scored.lengths)
    for number in np.unique(group):
        rows = group == number
        found, own = (scaled_difference(scores[rows], scored.exact[rows]) for scores in (scored.found, scored.own))
        more = more or min(TOLERANCE * max(1.0, own / _ORDINARY), _MOST_ALLOWED)
        if not found <= own + more:
            raise NotCoveredError(
                f"On texts of up to {scored.lengths[rows].max()} ids its scores differ from the model's in double "
                f"precision by {found:.2g}; Keras' own differ by {own:.2g}, and {more:.2g} more is allowed."
            )
        largest, largest_of_keras = max(largest, found), max(largest_of_keras, own)
    return {
        "texts": len(scored.lengths),
        "largest_difference": largest,
        "largest_difference_of_keras": largest_of_keras,
        "tolerance": more,
    }


def _compare_golden(golden: _Scored) -> float:
    """Returns how far golden scores are from Keras' own single precision."""
    single = scaled_difference(golden.found, golden.own)
    allowed = rounding_tolerance(golden.own, golden.exact)
    if single > allowed:
        raise NotCoveredError(
            f"On the golden texts its scores differ from Keras' by {single:.2g}; {allowed:.2g} is allowed."
        )
    return single


def _made_texts(vocabulary_size: int, max_sequence_length: int, seed: int) -> Iterator[Texts]:
    """Yields every id once, in short texts, and random ids in texts of 1 to 400, more short ones than long ones."""
    generator = np.random.default_rng(seed)
    every_id = generator.permutation(np.arange(1, vocabulary_size, dtype=np.int32))
    short = min(max(_LENGTHS[0], 1), max_sequence_length)
    yield every_id, np.append(np.arange(0, len(every_id), short), len(every_id)).astype(np.int64)
    longest = min(max_sequence_length, _LONGEST_RANDOM)
    lengths = np.exp(generator.uniform(0, np.log(longest + 1), _N_RANDOM)).astype(np.int64).clip(1, longest)
    offsets = offsets_of(lengths)
    yield generator.integers(1, vocabulary_size, int(offsets[-1]), np.int32), offsets


def _joined(*texts: Texts) -> Texts:
    lengths = np.concatenate([np.diff(offsets) for _, offsets in texts])
    return np.concatenate([token_ids for token_ids, _ in texts]), offsets_of(lengths)


def _are_alike(one: PackedEngine, other: PackedEngine) -> bool:
    """Whether two engines do the same with the same weights, but for rounding."""
    if one.outputs != other.outputs or [node.inputs for node in one.nodes] != [node.inputs for node in other.nodes]:
        return False
    ones, others = _parts(one), _parts(other)
    return len(ones) == len(others) and all(
        type(part) is type(its)
        and all(_is_alike(getattr(part, field.name), getattr(its, field.name)) for field in dataclasses.fields(part))
        for part, its in zip(ones, others, strict=True)
    )


def _parts(engine: PackedEngine) -> list[Any]:
    return [*engine.tables, *(node.operation for node in engine.nodes)]


def _is_alike(one: Any, other: Any) -> bool:
    if not isinstance(one, np.ndarray):
        return bool(one == other)
    if one.shape != np.shape(other):
        return False
    return bool(np.all(np.abs(one - other) <= _ROUNDING * np.abs(other).max(initial=0)))
