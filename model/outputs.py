"""A model's outputs: their names, which become columns, and which of them is highest."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from saiten.model.errors import BundleError


def refuse_output_names(names: Sequence[Any]) -> None:
    """Refuses names of outputs that cannot be columns: no text, empty, twice, or with what no terminal can show.

    Raises:
        BundleError: The names.
    """
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise BundleError(f"The outputs must be different names, not {names!r:.200}.")
    for name in names:
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
            raise BundleError(
                f"The output {name!r:.200} holds a control character or half a surrogate pair; rename it."
            )


def highest_outputs(scores: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Returns the positions of each text's highest scores, the highest first, of equal ones the first.

    >>> highest_outputs(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], np.float32), 2)
    array([[1, 2],
           [0, 1]])

    Args:
        scores: float32 [n, outputs].
        count: At most as many as there are outputs.

    Returns:
        int64 [n, count].
    """
    if count == 1:
        return np.asarray(scores.argmax(axis=1)[:, None], np.int64)
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :count], np.int64)
