"""Folders that are tables: which of their files count stands in a log that only readers of tables follow."""

import os
import pathlib
import re
from collections.abc import Iterable
from typing import NoReturn

from saiten.model.errors import UsageError

# What lies in the folder of a table beside its data.
_MARKS = {
    "a Delta table": re.compile(r"(?P<table>.*)/_delta_log/.*"),
    "an Iceberg table": re.compile(r"(?P<table>.*)/metadata/[^/]*(\.metadata\.json(\.gz)?|version-hint\.text)"),
    "a Hudi table": re.compile(r"(?P<table>.*)/\.hoodie/.*"),
}


def refuse_local_tables(folders: Iterable[str]) -> None:
    """Refuses folders in a table.

    Args:
        folders: Absolute paths of those with files to read.

    Raises:
        UsageError: Names the table.
    """
    above = {parent for folder in folders for parent in (pathlib.Path(folder), *pathlib.Path(folder).parents)}
    for folder in sorted(above):
        for name in ("_delta_log", ".hoodie"):
            if os.path.isdir(folder / name):
                refuse_tables([f"{folder / name}/"])
        if os.path.isdir(folder / "metadata"):
            refuse_tables(os.path.join(folder, "metadata", name) for name in os.listdir(folder / "metadata"))


def table_marks(folder: str) -> list[str]:
    """Returns the patterns of what lies in a folder of an object store that is a table, or in a folder of one."""
    scheme, _, place = folder.partition("://")
    names = place.split("/") if place else []
    above = (f"{scheme}://{'/'.join(names[:depth])}" for depth in range(1, len(names) + 1))
    return [f"{each}/{mark}" for each in above for mark in ("_delta_log/*", ".hoodie/*", "metadata/*")]


def refuse_tables(paths: Iterable[str]) -> None:
    """Refuses files in a table.

    Args:
        paths: Of all that lies below a folder.

    Raises:
        UsageError: Names the table.
    """
    for path in paths:
        for kind, mark in _MARKS.items():
            if found := mark.fullmatch(path):
                _refuse(found["table"], kind)


def _refuse(folder: str, kind: str) -> NoReturn:
    raise UsageError(
        f"{folder!r} is {kind}: its removed rows would be scored, too; export what it holds, or say --table_files "
        "to read its files as they are."
    )
