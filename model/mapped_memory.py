"""Gives back memory that mapped files take in this process. Linux only; elsewhere nothing is done."""

import ctypes
import pathlib
import re

_MADV_DONTNEED = 4


def release_mappings(file: str, mapping: re.Pattern[str]) -> None:
    """Gives back the pages of mappings; the system reads them again where they are needed after all.

    Args:
        file: ``maps`` or ``smaps``, of those in which Linux lists them.
        mapping: Finds one there; its two groups are the addresses, in hexadecimal. A page that this process has
            changed, and that stands in no file, would be lost: it must find none that holds such.
    """
    try:
        listed = pathlib.Path("/proc/self", file).read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux, or a container that hides the file
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in mapping.findall(listed):
        madvise(int(start, 16), int(end, 16) - int(start, 16), _MADV_DONTNEED)
