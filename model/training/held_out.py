"""Which texts are trained on, and which are held out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saiten.model.counted import counted
from saiten.model.errors import UsageError
from saiten.model.task import Task
from saiten.model.text.ragged import BoolArray, FloatArray, Int64Array
from saiten.model.training.targets import Targets

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Split:
    """What texts are for. No text is on both sides, nor is one that equals it.

    Attributes:
        training: bool [n].
        held_out: bool [n].
        how: How the held-out texts were found.
        left_out: How many are on neither side, by reason.
        is_share: The held-out texts are a share of the records, not texts of their own.
    """

    training: BoolArray
    held_out: BoolArray
    how: str
    left_out: dict[str, int]
    is_share: bool


def split_corpus(keys: Keys, n_records: int, values: FloatArray, task: Task, fraction: float) -> Split:
    """Holds out the validation input where there is one, else a share of the texts.

    Args:
        keys: uint64 [n], a seeded hash of each text.
        n_records: How many texts, from the first on, are not of the validation input.
        values: float32 [n, columns], the targets.
        task: Of the labels; the share is taken of each class.
        fraction: The share.

    Raises:
        UsageError: The fraction is none, or a side has no text.
    """
    n = len(keys)
    is_validation = np.arange(n) >= n_records
    if not is_validation.any():
        held_out = choose_held_out(keys, fraction, values[:, 0].astype(np.int64) if task == "classes" else None)
        how = "a share of each class" if task == "classes" else "a share"
        found = bool(held_out.any())
        return Split(~held_out, held_out, how if found else "none", {}, is_share=found)
    is_unknown = np.isnan(values).all(axis=1)
    held_out = is_validation & ~is_unknown
    is_twin = ~is_validation & np.isin(keys, keys[held_out])
    training = ~is_validation & ~is_twin
    if not held_out.any() or not training.any():
        side = "held out" if training.any() else "trained on"
        raise UsageError(f"No text is left that can be {side}: --input and --validation_input must differ.")
    left_out = {"IN_VALIDATION_INPUT": int(is_twin.sum()), "CLASS_UNKNOWN": int((is_validation & is_unknown).sum())}
    left_out = {name: n for name, n in left_out.items() if n}
    return Split(training, held_out, "--validation_input", left_out, is_share=False)


def choose_held_out(keys: Keys, fraction: float, classes: Int64Array | None = None) -> BoolArray:
    """Chooses a share of the texts of each class, those with the smallest keys.

    Equal texts have equal keys, and are on the same side. A text stays on its side whatever else is in the
    corpus, but near the limit. Of a class with one text alone, that one is trained on.

    >>> choose_held_out(np.uint64([9, 3, 7, 3]), 0.25)
    array([False,  True, False,  True])

    Args:
        keys: uint64 [n], a seeded hash of each text.
        fraction: The share.
        classes: int64 [n]; None where there are none.

    Returns:
        bool [n].

    Raises:
        UsageError: The fraction is none.
    """
    if not 0 <= fraction < 1:
        raise UsageError(f"The validation fraction must be at least 0 and less than 1, not {fraction}.")
    # Each distinct text, in the order of the keys: how often it occurs, and the class it has first.
    distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
    class_of = np.zeros(len(distinct), np.int64) if classes is None else classes[first]
    chosen = [distinct[:0]]
    for number in np.unique(class_of):
        of_class = np.flatnonzero(class_of == number)
        reached = np.cumsum(counts[of_class])
        wanted = round(int(reached[-1]) * fraction)
        n_taken = int(np.searchsorted(reached, wanted)) + 1 if wanted else 0
        chosen.append(distinct[of_class[: min(n_taken, len(of_class) - 1)]])
    return np.asarray(np.isin(keys, np.concatenate(chosen)), np.bool_)


def split_line(split: Split) -> str:
    """Says in one line which texts are held out."""
    n_texts = int(split.held_out.sum())
    if not n_texts:
        return "no text is held out"
    n_twins = split.left_out.get("IN_VALIDATION_INPUT", 0)
    equal = "equals" if n_twins == 1 else "equal"
    left_out = f"; left out: {counted(n_twins, 'text')} of --input that {equal} one of them" if n_twins else ""
    return (
        f"{counted(n_texts, 'text')} held out, {split.how}: none equals, normalised, one that is trained on{left_out}"
    )


def refuse_untaught(targets: Targets, values: FloatArray) -> None:
    """Refuses outputs that a network could not learn.

    Args:
        targets: What is to be trained.
        values: float32, the `Targets.values` of the texts that are trained on.

    Raises:
        UsageError: None of these texts has a label, or is of the class.
    """
    if targets.task == "classes":
        is_taught = np.asarray(np.isin(np.arange(len(targets.outputs)), values), np.bool_)
    else:
        is_taught = np.asarray(~np.isnan(values).all(axis=0), np.bool_)
    for name in (name for name, is_one in zip(targets.outputs, is_taught, strict=True) if not is_one):
        what = "of the class" if targets.task == "classes" else "with a label"
        raise UsageError(
            f"All texts {what} {name!r:.60} are held out, or have no word of the vocabulary: none is left to learn "
            "from. Label more, leave it out, or hold out others by --validation_input or --seed."
        )
