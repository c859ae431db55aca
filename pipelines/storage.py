"""Files of a run, on a local disk or an object store.

On a local disk a file is written beside its place, synced and renamed, and the folder synced:
a reader sees it whole or not at all, also after a power cut. On an object store an upload
becomes visible whole when it ends.
"""

import os
import pathlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

# What a file is called until it is whole; leftovers of killed runs are known by it.
PARTIAL_SUFFIX = ".partial"


def is_remote(path: str) -> bool:
    """Tells whether the path is a URL of an object store rather than a local path."""
    return "://" in path


def join(folder: str, *names: str) -> str:
    """Returns the path of a file below a folder, local or remote."""
    return "/".join([folder.rstrip("/") or "/", *names])


@contextmanager
def open_atomic(path: str) -> Iterator[IO[bytes]]:
    """Opens a new file that appears, whole and durable, when the block ends without an error.

    Raises:
        OSError: It cannot be written; nothing is visible then.
    """
    if is_remote(path):
        # Closing an upload makes it visible, also after an error: so it starts when all is there.
        with tempfile.TemporaryFile() as spool:
            yield spool
            spool.seek(0)
            with _filesystems().create(path, compression_type=_uncompressed()) as upload:
                shutil.copyfileobj(spool, upload)
        return
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}{PARTIAL_SUFFIX}")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def write_atomic(path: str, content: bytes) -> None:
    """Writes a whole file, or nothing."""
    with open_atomic(path) as file:
        file.write(content)


def write_replaced(path: str, content: bytes) -> None:
    """Writes a local file whole, but not durably: for notes that a killed run does not need."""
    partial = pathlib.Path(f"{path}{PARTIAL_SUFFIX}")
    partial.write_bytes(content)
    partial.replace(path)


def open_read(path: str) -> IO[bytes]:
    """Opens a file for reading.

    Raises:
        OSError: It is not there or cannot be read.
    """
    if is_remote(path):
        file: IO[bytes] = _filesystems().open(path, compression_type=_uncompressed())
        return file
    return pathlib.Path(path).open("rb")


def read_bytes(path: str) -> bytes | None:
    """Returns a file's content, or None where there is no such file."""
    if is_remote(path) and not _filesystems().exists(path):
        return None
    try:
        with open_read(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def list_files(folder: str) -> list[str]:
    """Returns the paths of all files below a folder, sorted; none where there is no such folder."""
    if is_remote(folder):
        matches = _filesystems().match([join(folder, "**")])
        return sorted(entry.path for match in matches for entry in match.metadata_list)
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*") if path.is_file())


def remove_files(paths: list[str]) -> None:
    """Removes files; those that are gone already are no error."""
    if paths and is_remote(paths[0]):
        _filesystems().delete(paths)
        return
    for path in paths:
        pathlib.Path(path).unlink(missing_ok=True)


def remove_folder(folder: str) -> None:
    """Removes a folder with all that is in it."""
    remove_files(list_files(folder))
    if is_remote(folder):
        return
    for below in sorted(pathlib.Path(folder).rglob("*"), reverse=True):
        below.rmdir()
    with suppress(FileNotFoundError):
        pathlib.Path(folder).rmdir()


def sync_folder(folder: pathlib.Path) -> None:
    """Makes a rename in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _filesystems() -> Any:
    # Imported here: it costs 1 s, and local runs do without.
    from apache_beam.io.filesystems import FileSystems

    return FileSystems


def _uncompressed() -> str:
    from apache_beam.io.filesystem import CompressionTypes

    return str(CompressionTypes.UNCOMPRESSED)
