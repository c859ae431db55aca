"""Gives back memory that a dictionary's files take in this process."""

import pathlib
import re

from saiten.model.mapped_memory import release_mappings


def release_pages(directory: pathlib.Path) -> None:
    """Gives back the pages of the files in a folder that are mapped, by whomever, to be read and shared.

    Each process that looks at a page has it in its account, and the system maps sixteen around each. Pages that are
    needed again are still in the system's memory.
    """
    files = re.escape(f"{directory.resolve()}/")
    release_mappings("maps", re.compile(rf"^([0-9a-f]+)-([0-9a-f]+) r--s .* {files}.*$", re.MULTILINE))
