"""The files of a bundle: which there may be, how large, and that they are those that the manifest names."""

import pathlib
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from saiten.model.errors import BundleError
from saiten.model.text.dictionary import sha256_of

BUNDLE_MANIFEST = "manifest.json"

TRAINING_PAGE = "training.html"

# Every file that a manifest may name, and its largest size; all but the optional ones must be there.
_MAX_FILE_BYTES = {
    "model.keras": 8 << 30,
    "vocabulary.json": 1 << 30,
    "packed.npz": 8 << 30,
    "golden.jsonl": 64 << 20,
    "reference.json": 64 << 20,
    TRAINING_PAGE: 16 << 20,
}
# Every file that a bundle may have, and its largest size.
MAX_BYTES = {BUNDLE_MANIFEST: 16 << 20, **_MAX_FILE_BYTES}
_OPTIONAL = frozenset(("packed.npz", TRAINING_PAGE))


@dataclass(frozen=True)
class BundleFile:
    """A file as the manifest describes it."""

    bytes: int
    sha256: str


def describe_files(folder: pathlib.Path) -> dict[str, BundleFile]:
    """Returns size and sha256 of every bundle file that is in the folder, by name."""
    paths = [folder / name for name in _MAX_FILE_BYTES if (folder / name).exists()]
    return {path.name: BundleFile(path.stat().st_size, sha256_of(path)) for path in paths}


def is_plain(path: pathlib.Path) -> bool:
    """Whether a regular file is there: a link may lead anywhere, and whoever opens a pipe waits for ever."""
    return path.is_file() and not path.is_symlink()


def check_names(folder: pathlib.Path, names: Collection[str]) -> None:
    """Compares the names of the manifest's files with those that a bundle has.

    Raises:
        BundleError: One is missing or too many.
    """
    missing = _MAX_FILE_BYTES.keys() - set(names) - _OPTIONAL
    if missing:
        raise BundleError(f"The manifest of {folder} does not name {min(missing)}.")
    for name in sorted(set(names) - _MAX_FILE_BYTES.keys()):
        raise BundleError(f"The manifest of {folder} names {name!r}, which is no file of a bundle.")


def check_files(folder: pathlib.Path, files: Mapping[str, BundleFile]) -> None:
    """Compares what lies in the folder with the manifest's files.

    Raises:
        BundleError: The first file that is missing, too many, or not as it is described.
    """
    for path in sorted(folder.iterdir()):
        if path.name != BUNDLE_MANIFEST and path.name not in files:
            raise BundleError(f"{folder} holds {path.name!r}, which its manifest does not name; remove it.")
    for name in _MAX_FILE_BYTES:
        if name in files:
            _check_file(folder / name, files[name])


def _check_file(path: pathlib.Path, expected: BundleFile) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise BundleError(f"{path} is missing; the bundle was not copied whole.") from None
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{path} is no regular file; a bundle holds no links and no folders.")
    if status.st_size != expected.bytes:
        raise BundleError(f"{path} has {status.st_size} bytes, not {expected.bytes} as its manifest says.")
    if status.st_size > MAX_BYTES[path.name]:
        raise BundleError(f"{path} is larger than {MAX_BYTES[path.name]} bytes.")
    if sha256_of(path) != expected.sha256:
        raise BundleError(f"{path}: its sha256 is not that of the manifest; the file was changed or damaged.")
