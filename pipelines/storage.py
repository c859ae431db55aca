"""Files of a run, on a local disk or an object store.

On a local disk a file is written beside its place, synced and renamed, and the folder synced: a reader sees it whole or
not at all, also after a power cut. On an object store an upload becomes visible whole when it ends.
"""

import errno
import glob
import os
import pathlib
import re
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from saiten.model.durable import sync
from saiten.pipelines.startup import refuse_unequipped, said_of_store

# What a file is called until it is whole; leftovers of killed runs are known by it.
_PARTIAL_SUFFIX = ".partial"
_PARTIAL_NAME = re.compile(rf"\.(?P<whole>.+)\.[0-9a-f]{{8}}{re.escape(_PARTIAL_SUFFIX)}")
_WILDCARD = re.compile(r"[*?[]")


def is_remote(path: str) -> bool:
    """Tells whether the path is a URL of an object store rather than a local path."""
    return "://" in path


def absolute(path: str) -> str:
    """Returns a local path from the root on, which is the same for every process of the machine; a URL as it is."""
    return path if is_remote(path) else os.path.abspath(path)


def join(folder: str, *names: str) -> str:
    """Returns the path of a file below a folder, local or remote."""
    return "/".join([folder.rstrip("/") or "/", *names])


def whole_name(name: str) -> str:
    """Returns what a partial file was to be called; any other name as it is."""
    match = _PARTIAL_NAME.fullmatch(name)
    return match["whole"] if match else name


def whole_path(path: str) -> str:
    """Returns the path that a partial file was to have; any other as it is."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{whole_name(name)}"


def partial_path(path: str) -> str:
    """Returns what a local file may be called until it is whole, another name each time."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.{uuid.uuid4().hex[:8]}{_PARTIAL_SUFFIX}"


@contextmanager
def open_atomic(path: str) -> Iterator[IO[bytes]]:
    """Opens a new file that appears, whole and durable, when the block ends without an error.

    Raises:
        OSError: It cannot be written, with its path; nothing is visible then.
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
    make_folder(target.parent)
    partial = pathlib.Path(partial_path(path))
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync(target.parent)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, path) from error
        raise


def write_atomic(path: str, content: bytes) -> None:
    """Writes a whole file, or nothing."""
    with open_atomic(path) as file:
        file.write(content)


def write_replaced(path: str, content: bytes) -> None:
    """Writes a local file whole, but not durably: for notes that a killed run does not need.

    Raises:
        OSError: It cannot be written, with its path.
    """
    partial = pathlib.Path(f"{path}{_PARTIAL_SUFFIX}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def what_failed(error: OSError) -> str:
    """Says which file cannot be read or written, and why."""
    return f"{error.filename or 'A file'} cannot be read or written: {error.strerror or error}"


def open_read(path: str) -> IO[bytes]:
    """Opens a file for reading.

    Raises:
        FileNotFoundError: It is not there.
        OSError: It cannot be read.
    """
    if is_remote(path):
        return _open_remote(path)
    return pathlib.Path(path).open("rb")


def read_bytes(path: str) -> bytes | None:
    """Returns a file's content, or None where there is no such file."""
    try:
        with open_read(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def changed_secs(path: str) -> float:
    """Returns when a file was changed last, in seconds since the epoch by the clock of the store or of the disk.

    Raises:
        FileNotFoundError: It is not there.
    """
    if not is_remote(path):
        return pathlib.Path(path).stat().st_mtime
    if not (entries := [entry for match in _filesystems().match([path]) for entry in match.metadata_list]):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return float(entries[0].last_updated_in_seconds)


def list_files(folder: str) -> list[str]:
    """Returns the paths of all files below a folder, sorted; none where there is no such folder.

    Raises:
        OSError: It cannot be read, or a wildcard in its name, which Beam cannot quote, would list other folders too.
    """
    if is_remote(folder):
        refuse_unequipped(folder)
        if _WILDCARD.search(folder):
            raise OSError("on an object store a folder's name may hold no *, ? or [")
        try:
            matches = _filesystems().match([join(folder, "**")])
        except (OSError, ValueError) as error:  # the second is how Beam says that it knows no such store
            raise OSError(said_of_store(error)) from error
        return sorted(entry.path for match in matches for entry in match.metadata_list)
    below = (path.relative_to(folder) for path in pathlib.Path(folder).rglob("*") if path.is_file())
    return sorted(join(folder, path.as_posix()) for path in below)


def match(pattern: str) -> list[tuple[str, int]]:
    """Returns the files that match a pattern, sorted, with their sizes."""
    if is_remote(pattern):
        listed = _filesystems().match([pattern])
        return sorted((entry.path, entry.size_in_bytes) for each in listed for entry in each.metadata_list)
    return sorted((path, os.path.getsize(path)) for path in glob.glob(pattern) if os.path.isfile(path))


def list_named(folder: str, prefix: str) -> list[str]:
    """Returns the paths of the files in a folder, not below it, whose names begin so; none where there is no folder."""
    if is_remote(folder):
        return [path for path in list_files(folder) if path.startswith(join(folder, prefix))]
    try:
        with os.scandir(folder) as entries:
            return sorted(join(folder, entry.name) for entry in entries if entry.name.startswith(prefix))
    except FileNotFoundError:
        return []


def remove_files(paths: list[str]) -> None:
    """Removes files; those that are gone already are no error."""
    if paths and is_remote(paths[0]):
        try:
            _filesystems().delete(paths)
        except Exception:  # Beam stops at one that somebody else has removed meanwhile
            if paths == (left := [path for path in paths if _filesystems().exists(path)]):
                raise
            remove_files(left)
        return
    for path in paths:
        pathlib.Path(path).unlink(missing_ok=True)


def remove_folder(folder: str, keep: Collection[str] = ()) -> None:
    """Removes a folder with all that is in it, but for the files of the names `keep`."""
    kept = {join(folder, name) for name in keep}
    remove_files([path for path in list_files(folder) if path not in kept])
    if is_remote(folder):
        return
    for below in sorted(pathlib.Path(folder).rglob("*/"), reverse=True):
        below.rmdir()
    with suppress(OSError):  # it is gone already, or holds what is kept
        pathlib.Path(folder).rmdir()


def make_folder(folder: pathlib.Path) -> None:
    """Makes a local folder, if it is not there, and those above it; they last through a power cut.

    Raises:
        OSError: It cannot be made.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        with suppress(PermissionError):  # a folder that may be written to may yet not be opened
            sync(each.parent)


def _open_remote(path: str) -> IO[bytes]:
    filesystems = _filesystems()
    try:
        return filesystems.open(path, compression_type=_uncompressed())  # type: ignore[no-any-return]
    except Exception as error:  # each store's library has one of its own
        if not filesystems.exists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
    return filesystems.open(path, compression_type=_uncompressed())  # type: ignore[no-any-return]


def _filesystems() -> Any:
    # Imported here: it costs 1 s, and local runs do without.
    from apache_beam.io.filesystems import FileSystems

    return FileSystems


def _uncompressed() -> str:
    from apache_beam.io.filesystem import CompressionTypes

    return str(CompressionTypes.UNCOMPRESSED)
