"""What is written lasts through a power cut."""

import os
import pathlib


def sync(path: pathlib.Path) -> None:
    """Makes a file durable, or the names in a folder.

    Raises:
        OSError: It cannot be opened, or the disk fails.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
