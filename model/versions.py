"""Which libraries are at work, for what a bundle and a run say of themselves."""

import importlib.metadata
import platform
import unicodedata
from collections.abc import Iterable


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Returns the versions of Python, of its Unicode tables, and of the packages of these names that are installed.

    A package may not be: `tensorflow-cpu` is `tensorflow` by another name, and Saiten may run from its checkout.
    """
    versions = {"python": platform.python_version(), "unicode": unicodedata.unidata_version}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
