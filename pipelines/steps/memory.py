"""Gives back memory that a worker needs no more. Linux only; elsewhere nothing is done."""

import ctypes
import pathlib
import re

_MADV_DONTNEED = 4
# A mapping of the library that is only read, and of which this process has changed no page: relocated ones lie in the
# file's mapping too, but exist only in memory.
_UNCHANGED = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p .*libllvmlite.*\n(?:(?!Anonymous)[A-Z].*\n)*Anonymous: +0 kB$", re.MULTILINE
)


def release_compiler_pages() -> None:
    """Gives back the pages of Numba's compiler, 71 MB of a library that is idle once the kernels are loaded.

    The system reads them again where they are needed after all.
    """
    try:
        smaps = pathlib.Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux, or a container that hides the file
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in _UNCHANGED.findall(smaps):
        madvise(int(start, 16), int(end, 16) - int(start, 16), _MADV_DONTNEED)
