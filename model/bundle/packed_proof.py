"""The proof that the packed engine gives the model's scores."""

from collections.abc import Sequence
from typing import Any

from saiten.model.bundle.golden import GOLDEN_TOLERANCE, GoldenRecord, ids_of
from saiten.model.bundle.invariance import random_texts, scaled_difference
from saiten.model.engines.engine import TOLERANCE
from saiten.model.engines.keras_engine import KerasEngine
from saiten.model.engines.packed.program import PackedEngine
from saiten.model.engines.packing.packer import NotCoveredError
from saiten.model.engines.precision import in_double_precision
from saiten.model.text.ragged import Int64Array, IntArray


def prove_packed(
    packed: PackedEngine, keras_engine: KerasEngine, golden: Sequence[GoldenRecord], seed: int = 0
) -> dict[str, Any]:
    """Compares the packed engine with Keras on the golden records and on random ids.

    Keras computes in double precision for it, so that its own rounding is not taken for an error
    of the engine. On the golden records it must agree with single precision too, as workers try it.

    Returns:
        The proof as the manifest keeps it.

    Raises:
        NotCoveredError: A score differs by more than 1e-6 from double precision, or 1e-5 from single, scaled.
    """
    exact_engine = KerasEngine(in_double_precision(keras_engine.model))
    texts = ids_of([record for record in golden if record.token_ids])
    single = _difference(packed, keras_engine, *texts)
    random = random_texts(packed.vocabulary_size, seed)
    exact = max(_difference(packed, exact_engine, *texts), _difference(packed, exact_engine, *random))
    if exact > TOLERANCE or single > GOLDEN_TOLERANCE:
        raise NotCoveredError(
            f"The packed engine's scores differ from Keras' by {exact:.2g} in double and {single:.2g} in single "
            f"precision; {TOLERANCE:g} and {GOLDEN_TOLERANCE:g} are allowed."
        )
    return {
        "covered": True,
        "texts": len(texts[1]) + len(random[1]) - 2,
        "largest_difference": exact,
        "tolerance": TOLERANCE,
        "largest_difference_in_single_precision": single,
    }


def _difference(packed: PackedEngine, keras_engine: KerasEngine, token_ids: IntArray, offsets: Int64Array) -> float:
    return scaled_difference(packed.score(token_ids, offsets), keras_engine.score(token_ids, offsets))
