"""How many processors this process may use."""

import os
import sys


def available_cores() -> int:
    """Returns the number of cores, as far as a container or `taskset` leaves them to this process."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
