"""Files that several may want to write at the same instant: one of them does, and the others are told.

On a disk the caller holds a lock, or the first writer stands (a hard link). Google Cloud Storage takes an upload on the
condition that the object is as it was. Beam's file systems know no such condition of other stores: there the file is
looked at, then written, and of two that do so at the same instant the later one stands.
"""

import os
import pathlib
from contextlib import suppress
from typing import Any

from saiten.model.durable import sync
from saiten.pipelines import storage

_GOOGLE = "gs://"
# The version of a file that is not there; the store's own word for it.
NO_VERSION = "0"


def is_exact(path: str) -> bool:
    """Tells whether one of several writers is told from the others, whenever they come."""
    return not storage.is_remote(path) or path.startswith(_GOOGLE)


def version_of(path: str) -> str:
    """Returns what changes whenever a file is replaced; `NO_VERSION` where there is none."""
    if path.startswith(_GOOGLE):
        bucket, name = _bucket_of(path)
        blob = bucket.get_blob(name)
        return str(blob.generation) if blob else NO_VERSION
    with suppress(FileNotFoundError):
        if storage.is_remote(path):
            return str(storage.changed_secs(path))
        found = os.stat(path)
        return f"{found.st_ino}-{found.st_mtime_ns}"
    return NO_VERSION


def replace(path: str, content: bytes, version: str) -> bool:
    """Writes a whole file, if it is still of that version; on a disk others are kept out by the caller.

    Returns:
        Whether it is written.

    Raises:
        OSError: It cannot be written.
    """
    if path.startswith(_GOOGLE):
        return _upload(path, content, version)
    if version_of(path) != version:
        return False
    storage.write_atomic(path, content)
    return True


def create(path: str, content: bytes) -> bool:
    """Writes a whole file where there is none.

    Returns:
        Whether it is written; else somebody was faster.

    Raises:
        OSError: It cannot be written.
    """
    if storage.is_remote(path):
        return replace(path, content, NO_VERSION)
    beside = storage.partial_path(path)
    storage.write_atomic(beside, content)
    try:
        os.link(beside, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        return replace(path, content, NO_VERSION)
    finally:
        storage.remove_files([beside])
    sync(pathlib.Path(path).parent)
    return True


def _upload(path: str, content: bytes, version: str) -> bool:
    from google.api_core.exceptions import PreconditionFailed

    bucket, name = _bucket_of(path)
    try:
        bucket.blob(name).upload_from_string(content, "application/octet-stream", if_generation_match=int(version))
    except PreconditionFailed:
        # An upload whose answer was lost is tried again, and then finds itself there.
        return storage.read_bytes(path) == content
    return True


def _bucket_of(path: str) -> tuple[Any, str]:
    """Returns the bucket, as Beam's own client knows it, and the object's name."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.io.gcp.gcsio import parse_gcs_path

    bucket, name = parse_gcs_path(path)
    # Beam's file system has the person's settings, and offers no conditions itself.
    client = FileSystems.get_filesystem(path)._gcsIO().client  # noqa: SLF001
    return client.bucket(bucket), name
