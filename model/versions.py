"""Which libraries are at work, for what a bundle, a run and `saiten --version` say of themselves."""

import importlib.metadata
import platform
import unicodedata
from collections.abc import Iterable

# What decides how texts are cut, scored and written.
_SHOWN = ("apache-beam", "mecab-python3", "unidic-lite", "numba", "numpy", "pyarrow", "keras", "tensorflow")
# The same module by another name.
_OTHER_NAMES = {"tensorflow": "tensorflow-cpu"}


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Returns the versions of Python, of its Unicode tables, and of the packages of these names that are installed."""
    versions = {"python": platform.python_version(), "unicode": unicodedata.unidata_version}
    for name in names:
        version = installed_version(name)
        if version:
            versions[name] = version
    return versions


def installed_version(name: str) -> str | None:
    """Returns a package's version without importing it; None where it is not installed, as Saiten in its checkout."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return installed_version(_OTHER_NAMES[name]) if name in _OTHER_NAMES else None


def shown_versions() -> str:
    """Returns Saiten's version in a first line, and below it those of what it stands on."""
    found = {name: installed_version(name) or "not installed" for name in _SHOWN}
    lines = {"Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}", **found}
    return "\n".join(
        [f"saiten {installed_version('saiten') or 'from its checkout'}"]
        + [f"  {name:<15}{version}" for name, version in lines.items()]
    )
