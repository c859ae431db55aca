"""Gives back memory that a worker needs no more."""

import re

from saiten.model.mapped_memory import release_mappings

# A mapping of the library that is only read, and of which this process has changed no page: relocated ones lie in the
# file's mapping too, but exist only in memory.
_UNCHANGED = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p .*libllvmlite.*\n(?:(?!Anonymous)[A-Z].*\n)*Anonymous: +0 kB$", re.MULTILINE
)


def release_compiler_pages() -> None:
    """Gives back the pages of Numba's compiler, 71 MB of a library that is idle once the kernels are loaded."""
    release_mappings("smaps", _UNCHANGED)
