"""Which files the input is, on a local disk or an object store."""

import contextlib
import fnmatch
import glob
import os
import pathlib
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import IO, Any

from saiten.model.errors import DamagedFileError, SaitenError, UsageError
from saiten.pipelines import storage
from saiten.pipelines.reading.tables import refuse_local_tables, refuse_tables, table_marks
from saiten.pipelines.records import FileSlice
from saiten.pipelines.startup import refuse_unequipped, said_of_store

_WILDCARDS = "*?["


@dataclass(frozen=True, order=True)
class InputFile:
    """A file of the input.

    Attributes:
        path: An absolute local path, or a URL.
        size: In bytes.
        modified: When it was changed last: nanoseconds, or what the object store says.
    """

    path: str
    size: int
    modified: str


def list_inputs(
    patterns: str, *, table_files: bool = False, may_be_none: bool = False, flag: str = "--input"
) -> list[InputFile]:
    """Returns the files that `patterns` stands for, each once, sorted by path.

    Args:
        patterns: Files, directories (with all that is below them) and globs, between commas. Names that
            start with ``_`` or ``.`` (such as ``_SUCCESS``) count only when they are written out.
        table_files: Take the files of a Delta, Iceberg or Hudi table as they are.
        may_be_none: A pattern that matches no file may do so later.
        flag: That gave the patterns.

    Raises:
        UsageError: A pattern that matches no file, a file that cannot be read, or a table.
    """
    if not (items := input_items(patterns)):
        raise UsageError(f"{flag} is empty: {patterns!r}; name a file, a directory or a glob.")
    found: dict[str, InputFile] = {}
    for item in items:
        files = _match(item, table_files=table_files)
        if not files and not may_be_none:
            raise UsageError(f"No file matches {item!r}; check {flag} for a misspelt name or an empty directory.")
        for file in files:
            # A file that a link leads to as well is read once, by its own name, unless that says nothing of it: caches
            # of downloads call a file by its hash, and a link by its name.
            place = file.path if storage.is_remote(file.path) else os.path.realpath(file.path)
            found[place] = min(
                file,
                found.get(place, file),
                key=lambda file: (not os.path.splitext(file.path)[1], file.path != place, file.path),
            )
    return sorted(found.values())


def input_items(patterns: str) -> list[str]:
    """Returns the files, directories and globs that stand between commas; a file whose name has some is one.

    >>> input_items("a/*.csv, gs://bucket/b,file:///c")
    ['a/*.csv', 'gs://bucket/b', '/c']
    """
    items = [patterns] if os.path.lexists(patterns) else [part.strip() for part in patterns.split(",")]
    return [item.removeprefix("file://") for item in items if item]


def source_names(paths: Iterable[str]) -> dict[str, str]:
    """Returns each path's name in the output: what lies below the deepest folder that all share.

    >>> source_names(["/data/2026/a.txt", "/data/2025/a.txt"])
    {'/data/2026/a.txt': '2026/a.txt', '/data/2025/a.txt': '2025/a.txt'}
    """
    parts = {path: path.split("/") for path in paths}
    folders = [names[:-1] for names in parts.values()]
    shared = len(shared_start(folders))
    return {path: printable("/".join(names[shared:])) for path, names in parts.items()}


def printable(path: str) -> str:
    """Returns a path in which bytes that are no UTF-8, as file names of old have them, are written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@contextmanager
def open_unchanged(file_slice: FileSlice) -> Iterator[IO[bytes]]:
    """Opens the file of a slice, and makes sure that it is still the one the work was planned for.

    Raises:
        DamagedFileError: It was changed since, also while it was read.
        SaitenError: It cannot be read.
    """
    try:
        _check_unchanged(file_slice)
        with storage.open_read(file_slice.path) as file:
            yield file
        _check_unchanged(file_slice)
    except OSError as error:
        raise SaitenError(f"{file_slice.source} cannot be read: {error.strerror or error}.") from error


def shared_start(folders: list[list[str]]) -> list[str]:
    """Returns the names that all folders begin with."""
    levels = zip(*folders, strict=False)
    return [names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels)]


def _check_unchanged(file_slice: FileSlice) -> None:
    now = (
        _remote_file(file_slice.path)
        if storage.is_remote(file_slice.path)
        else _local_file(file_slice.path, os.stat(file_slice.path))
    )
    if (now.size, now.modified) != (file_slice.size, file_slice.modified):
        raise DamagedFileError(f"{file_slice.source} was changed after the run began; start the run again.")


def _match(item: str, *, table_files: bool) -> list[InputFile]:
    try:
        return _match_remote(item, table_files) if storage.is_remote(item) else _match_local(item, table_files)
    except (OSError, ValueError) as error:
        # Beam says by ValueError that it knows no such file system, and by an OSError of its own all else.
        reason = getattr(error, "strerror", None) or said_of_store(error).partition("\n")[0]
        raise UsageError(f"{getattr(error, 'filename', None) or item!r} cannot be read: {reason}.") from error


def _match_local(item: str, table_files: bool) -> list[InputFile]:
    is_written_out = os.path.lexists(item)
    if is_written_out:
        paths = [item]
    else:
        paths = [path for path in glob.iglob(item, recursive=True) if _writes_out_hidden_names(path, item)]
    files = []
    for path in paths:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            files += [_readable_file(below) for below in _files_below(path)]
        elif stat.S_ISREG(status.st_mode):
            files.append(_readable_file(path))
        else:
            raise UsageError(f"{path!r} is no regular file; copy what comes from it into a file first.")
    if not table_files and not (is_written_out and os.path.isfile(item)):
        folders = {os.path.dirname(file.path) for file in files}
        refuse_local_tables(folders | {os.path.realpath(folder) for folder in folders})
    return files


def _writes_out_hidden_names(path: str, pattern: str) -> bool:
    """Tells whether the pattern writes out each hidden name on the path, be it with wildcards behind."""
    written = [name for name in pattern.split("/") if _is_hidden(name)]
    hidden = (name for name in path.split("/") if _is_hidden(name))
    return all(any(fnmatch.fnmatchcase(name, item) for item in written) for name in hidden)


def _is_hidden(path: str) -> bool:
    return os.path.basename(path.rstrip("/")).startswith(("_", "."))


def _files_below(folder: str) -> Iterator[str]:
    """Yields the files below a folder; folders that links lead to come last, and each once."""
    left, seen = [folder], set[str]()
    while left:
        for parent, folders, names in os.walk(left.pop(0), onerror=_raise):
            place = os.path.realpath(parent)
            if place in seen:
                folders.clear()
                continue
            seen.add(place)
            folders[:] = [name for name in folders if not _is_hidden(name)]
            left += [path for name in folders if os.path.islink(path := os.path.join(parent, name))]
            paths = (os.path.join(parent, name) for name in names if not _is_hidden(name))
            yield from (path for path in paths if stat.S_ISREG(os.stat(path).st_mode))


def _raise(error: OSError) -> None:
    raise error


def _readable_file(path: str) -> InputFile:
    with pathlib.Path(path).open("rb") as file:
        return _local_file(path, os.fstat(file.fileno()))


def _local_file(path: str, status: os.stat_result) -> InputFile:
    return InputFile(os.path.abspath(path), status.st_size, str(status.st_mtime_ns))


def _match_remote(item: str, table_files: bool) -> list[InputFile]:
    refuse_unequipped(item)
    from apache_beam.io.filesystems import FileSystems

    is_pattern = any(wildcard in item for wildcard in _WILDCARDS)
    if not is_pattern and not item.endswith("/") and FileSystems.exists(item):
        return [_remote_file(item)]
    if not table_files:
        fixed = item[: min(item.find(mark) for mark in _WILDCARDS if mark in item)] if is_pattern else f"{item}/"
        for pattern in table_marks(fixed.rpartition("/")[0].rstrip("/")):
            # Who may read the files need not be allowed to look beside them.
            with contextlib.suppress(OSError):
                refuse_tables(file.path for file in _remote_matches(FileSystems, pattern))
    if is_pattern:
        return [file for file in _remote_matches(FileSystems, item) if _writes_out_hidden_names(file.path, item)]
    folder = item.rstrip("/") + "/"
    below = _remote_matches(FileSystems, folder + "**")
    if not table_files:
        refuse_tables(file.path for file in below)
    return [file for file in below if not any(map(_is_hidden, file.path.removeprefix(folder).split("/")))]


def _remote_matches(filesystems: Any, pattern: str) -> list[InputFile]:
    entries = filesystems.match([pattern])[0].metadata_list
    # Object stores have empty objects that stand for folders.
    return [_from_metadata(entry) for entry in entries if not entry.path.endswith("/")]


def _remote_file(path: str) -> InputFile:
    from apache_beam.io.filesystems import FileSystems

    return _from_metadata(FileSystems.get_filesystem(path).metadata(path))


def _from_metadata(entry: Any) -> InputFile:
    return InputFile(entry.path, entry.size_in_bytes, str(entry.last_updated_in_seconds))
