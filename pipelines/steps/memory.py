"""Keeps a worker's resident set small. Linux only; elsewhere nothing is done."""

import ctypes
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

# For worker processes: freed memory goes back at once, and threads share one heap. 20 MB a worker.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}

_MADV_DONTNEED = 4
_MAPPING = re.compile(r"(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<mode>\S+) \S+ \S+ \S+ +(?P<path>/.*)")


@dataclass
class _Mapping:
    """A mapped file: its addresses, and how much of it this process has changed."""

    start: int
    end: int
    path: str
    is_writable: bool
    anonymous_kb: int = 0


def release_compiler_pages() -> None:
    """Gives back the pages of Numba's compiler, 65 MB of a library that is idle once the kernels are loaded.

    Only unchanged pages of the file: the system reads them again where they are needed after all.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    try:
        mappings = list(_mappings())
    except OSError:  # a container may hide the file; what is not given back is only memory
        return
    for mapping in mappings:
        # Relocated pages lie in the file's mapping too, but exist only in memory.
        if "libllvmlite" in mapping.path and not mapping.is_writable and not mapping.anonymous_kb:
            libc.madvise(mapping.start, mapping.end - mapping.start, _MADV_DONTNEED)


def _mappings() -> Iterator[_Mapping]:
    mapping = None
    with open("/proc/self/smaps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            head = _MAPPING.match(line)
            if head:
                if mapping:
                    yield mapping
                mapping = _Mapping(int(head["start"], 16), int(head["end"], 16), head["path"], "w" in head["mode"])
            elif re.match(r"[0-9a-f]+-", line):  # no file's
                if mapping:
                    yield mapping
                mapping = None
            elif mapping and line.startswith("Anonymous:"):
                mapping.anonymous_kb = int(line.split()[1])
    if mapping:
        yield mapping
