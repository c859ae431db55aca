"""Libraries that others load wherever they are installed, and that nothing here uses."""

import importlib.abc
import sys

# By whom, and what they cost each process: pandas by Beam and TensorFlow (0.25 s of CPU), Matplotlib by Keras (0.4 s),
# cffi's compiler by Numba (0.15 s; what libraries need of cffi at run time is `_cffi_backend`), MongoDB's driver by
# Beam (5 MB).
_EVERYWHERE = frozenset({"pandas", "matplotlib", "cffi", "pymongo"})
# SciPy by Numba (0.1 s, 16 MB). Word vectors are trained with it, and it ranks scores.
_TO_SCORE = frozenset({"scipy"})


def leave_out_unused(*, only_scores: bool) -> None:
    """Keeps this process, which must be Saiten's own, from loading them: to those who ask they are not installed.

    Args:
        only_scores: It does nothing but score.
    """
    sys.meta_path.insert(0, _NotThere(_EVERYWHERE | _TO_SCORE if only_scores else _EVERYWHERE))


class _NotThere(importlib.abc.MetaPathFinder):
    """Finds none of the named, and leaves all others to the finders behind it.

    A None in `sys.modules` does as much for Python, but pyarrow's compiled code takes it for the module.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
