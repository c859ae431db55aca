"""The proof that a model does not read its padding.

Without a mask a network reads its padding as input, and one trained so gives every text
nearly the same score. Layers can lose the mask without an error, so it is tried out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from saiten.model.engines.engine import TOLERANCE, scaled_difference
from saiten.model.errors import BundleError, SaitenError
from saiten.model.text.encoder import pad
from saiten.model.text.ragged import FloatArray, Int64Array, IntArray, gather, offsets_of

# How far beyond the longest text each try is padded, and in batches of how many texts.
_CASES = ((0, 32), (1, 3), (7, 1), (64, 32), (301, 32))
_N_TEXTS = 32
_MAX_LENGTH = 400
# What rounding may come to: so much, or, in a network that amplifies it further, so many times what single precision
# is from double where nothing is padded. Above the third nobody needs to ask.
_MOST_ROUNDING, _TIMES_ROUNDING, _SURELY_READING = 1e-4, 8, 0.1
# Scores come in single precision, whatever they are computed in; in double one that changes by more reads its padding.
_LAST_PLACE, _READING = 2e-7, 1e-5

Item = TypeVar("Item", int, str)
# From padded ids, int32 [n, sequence_length], to scores, float [n, outputs].
Scorer = Callable[[IntArray], FloatArray]


@dataclass(frozen=True)
class InvarianceProof:
    """What was tried, and the largest scaled difference from the text scored alone at its own length.

    Attributes:
        texts: How many.
        sequence_lengths: The widths that they were padded to.
        batch_sizes: How many at once.
        padding: ``post``, ``pre``.
        largest_difference: At most `tolerance`.
        tolerance: What was allowed.
        precision: ``single``; ``double`` where single precision alone rounds more than is allowed.
        passed: True; a manifest that says otherwise is refused.
    """

    texts: int
    sequence_lengths: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    padding: tuple[str, ...]
    largest_difference: float
    tolerance: float = TOLERANCE
    precision: str = "single"
    passed: bool = True

    @classmethod
    def of(cls, proof: object) -> "InvarianceProof":
        """Reads a manifest's proof.

        Raises:
            BundleError: It is not there, or does not hold.
        """
        if not isinstance(proof, Mapping):
            raise BundleError("The manifest's invariance proof is missing; make the bundle anew.")
        difference = proof.get("largest_difference")
        if not isinstance(difference, int | float) or isinstance(difference, bool):
            difference = math.inf
        if proof.get("passed") is not True or not proof.get("texts") or not 0 <= difference <= TOLERANCE:
            raise BundleError(
                f"The manifest's invariance proof failed (largest_difference {difference:g}): the model reads its "
                "padding; train it with a mask, and make the bundle anew."
            )
        (texts,) = _listed([proof.get("texts")], "texts", int)
        return cls(
            texts,
            _listed(proof.get("sequence_lengths"), "sequence_lengths", int),
            _listed(proof.get("batch_sizes"), "batch_sizes", int),
            _listed(proof.get("padding"), "padding", str),
            float(difference),
            precision="double" if proof.get("precision") == "double" else "single",
        )


def _listed(values: object, name: str, kind: type[Item]) -> tuple[Item, ...]:
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise BundleError(f"The manifest's invariance.{name} is missing or of the wrong type; make the bundle anew.")
    return tuple(values)


def random_texts(vocabulary_size: int, seed: int = 0, longest: int = _MAX_LENGTH) -> tuple[IntArray, Int64Array]:
    """Returns 32 texts of 1 to 400 random ids, the ends of the range among them; none is longer than `longest`."""
    generator = np.random.default_rng(seed)
    ends = [1, 1, 2, 3, _MAX_LENGTH]
    lengths = np.concatenate([ends, generator.integers(1, 120, _N_TEXTS - len(ends))])
    lengths = np.minimum(lengths, longest)
    offsets = offsets_of(lengths)
    token_ids = generator.integers(1, vocabulary_size, int(offsets[-1]), np.int32, endpoint=False)
    token_ids[0], token_ids[1] = 1, vocabulary_size - 1
    return token_ids, offsets


def prove_invariance(
    score_matrix: Scorer,
    token_ids: IntArray,
    offsets: Int64Array,
    blame: Callable[[], str] = lambda: "",
    exact: Callable[[], Scorer] | None = None,
) -> InvarianceProof:
    """Scores the same texts at several widths, in several batch sizes, padded before and behind.

    A network that amplifies rounding may differ by more than 1e-6 in single precision, by some and not by other
    weights, although it never reads its padding: in double precision it then differs by the last place of the
    scores at most, and one that does read it by as much as before.

    Args:
        score_matrix: From padded ids, int32 [n, sequence_length], to float32 [n, outputs].
        token_ids: The texts' ids, end to end; every text has at least one.
        offsets: int64 [n + 1].
        blame: Returns what to say of a model that reads its padding or cannot be computed for it: which layer is to
            blame, why, and what to do; ``""`` where that is not known.
        exact: Returns what scores in double precision; asked where that has to tell rounding from reading.

    Raises:
        BundleError: The scores differ by more than 1e-6, scaled, and not by rounding alone.
    """
    token_ids, offsets = _shorten(token_ids, offsets)
    try:
        return _proof(score_matrix, token_ids, offsets, blame, exact)
    except SaitenError:
        raise
    except Exception as error:  # Keras and TensorFlow raise anything over a model that needs a width of its own
        raise BundleError(
            blame()
            or "The model cannot be computed for texts of different lengths, because a layer needs a known number of "
            "steps, or knows positions up to some number: use layers that take any, such as LSTM, GRU and "
            "GlobalAveragePooling1D."
        ) from error


def _proof(
    score_matrix: Scorer,
    token_ids: IntArray,
    offsets: Int64Array,
    blame: Callable[[], str],
    exact: Callable[[], Scorer] | None,
) -> InvarianceProof:
    alone, differences = _try(score_matrix, token_ids, offsets)
    largest, precision, widest = max(differences.values()), "single", int(np.diff(offsets).max())
    if largest > TOLERANCE:
        exact_largest = None
        if exact and largest <= _SURELY_READING:
            exact_largest = _in_double(exact, token_ids, offsets, alone, largest)
        if exact_largest is None or exact_largest > _LAST_PLACE:
            reads = largest > _MOST_ROUNDING or (exact_largest or 0) > _READING
            if reads and (said := blame()):
                raise BundleError(said)
            worst = max(differences, key=lambda case: differences[case])
            raise _difference_error(largest, widest, *worst, reads=reads)
        largest, precision = exact_largest, "double"
    return InvarianceProof(
        texts=len(alone),
        sequence_lengths=tuple(widest + extra for extra, _ in _CASES),
        batch_sizes=tuple(sorted({len(batch) for _, size in _CASES for batch in _batches(len(alone), size)})),
        padding=("post", "pre"),
        largest_difference=largest,
        precision=precision,
    )


def _try(
    score_matrix: Scorer, token_ids: IntArray, offsets: Int64Array
) -> tuple[FloatArray, dict[tuple[str, int, int], float]]:
    """Returns the scores of texts alone, and how far they are from those in each way of padding and batch size."""
    alone = _score(score_matrix, token_ids, offsets, 1, 0, "post")
    if not np.isfinite(alone).all():
        raise BundleError(
            "The model gives scores that are not finite for some text: check its weights for NaN, and whether it "
            "divides by 0 for a text of one token."
        )
    widest = int(np.diff(offsets).max())
    return alone, {
        (padding, extra, batch_size): scaled_difference(
            _score(score_matrix, token_ids, offsets, batch_size, widest + extra, padding), alone
        )
        for padding in ("post", "pre")
        for extra, batch_size in _CASES
    }


def _in_double(
    exact: Callable[[], Scorer], token_ids: IntArray, offsets: Int64Array, alone: FloatArray, found: float
) -> float | None:
    """Returns the largest difference in double precision; None where layers of others do not compute so.

    Also where `found`, that in single precision, is more than rounding comes to in the model, whose scores of texts
    without padding are `alone`.
    """
    try:
        exact_alone, differences = _try(exact(), token_ids, offsets)
    except Exception:  # noqa: BLE001 - whatever it is, what single precision gave is said
        return None
    is_rounding = found <= max(_MOST_ROUNDING, _TIMES_ROUNDING * scaled_difference(alone, exact_alone))
    largest = max(differences.values())
    return largest if is_rounding or largest > _READING else None


def _difference_error(
    largest: float, widest: int, padding: str, extra: int, batch_size: int, *, reads: bool
) -> BundleError:
    # A mask that is lost changes scores by 1e-3 and more; rounding alone by some 1e-6.
    why, remedy = (
        ("reads its padding", "train it with mask_zero=True and layers that keep the mask")
        if reads
        else ("rounds otherwise in other batches", "leave TensorFlow's oneDNN switched on (TF_ENABLE_ONEDNN_OPTS=1)")
    )
    return BundleError(
        f"The model {why}: a score changes by {largest:.2g} when the text is padded "
        f"{'before' if padding == 'pre' else 'behind'} to {widest + extra} in a batch of {batch_size}; {remedy}."
    )


def _shorten(token_ids: IntArray, offsets: Int64Array) -> tuple[IntArray, Int64Array]:
    # The cost is the padded width times the texts times ten shapes; long texts prove no more.
    lengths = np.diff(offsets)
    used = lengths > 0
    return gather(token_ids, offsets[:-1][used], np.minimum(lengths[used], _MAX_LENGTH))


def _score(
    score_matrix: Scorer,
    token_ids: IntArray,
    offsets: Int64Array,
    batch_size: int,
    width: int,
    padding: str,
) -> FloatArray:
    lengths = np.diff(offsets)
    scored = [
        score_matrix(pad(token_ids, offsets, batch, width or int(lengths[batch].max()), padding))
        for batch in _batches(len(lengths), batch_size)
    ]
    return np.concatenate(scored)


def _batches(n_texts: int, batch_size: int) -> list[Int64Array]:
    return np.split(np.arange(n_texts), range(batch_size, n_texts, batch_size))
