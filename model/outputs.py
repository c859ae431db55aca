"""The names of a model's outputs, which become columns."""

import unicodedata
from collections.abc import Sequence
from typing import Any

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
