"""The files of a bundle: which there may be, how large, and that they are those that the manifest names."""

import json
import math
import pathlib
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

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
_AGAIN = "copy the bundle again, or make it anew"


@dataclass(frozen=True)
class BundleFile:
    """A file as the manifest describes it."""

    bytes: int
    sha256: str


def too_large(path: object, name: str) -> BundleError:
    """Returns the error for a file of this name that is larger than any that Saiten writes."""
    return BundleError(f"{path} is larger than {MAX_BYTES[name]:,} bytes, the most that is read; {_AGAIN}.")


def describe_files(folder: pathlib.Path) -> dict[str, BundleFile]:
    """Returns size and sha256 of every bundle file that is in the folder, by name."""
    paths = [folder / name for name in _MAX_FILE_BYTES if (folder / name).exists()]
    return {path.name: BundleFile(path.stat().st_size, sha256_of(path)) for path in paths}


def is_plain(path: pathlib.Path) -> bool:
    """Whether a regular file is there: a link may lead anywhere, and whoever opens a pipe waits for ever."""
    return path.is_file() and not path.is_symlink()


def read_manifest_json(folder: pathlib.Path) -> dict[str, Any]:
    """Reads a bundle's manifest as it stands in its file.

    Raises:
        BundleError: There is none, or it is not JSON with finite numbers, or a run's.
    """
    path = folder / BUNDLE_MANIFEST
    if folder.is_file():
        raise BundleError(f"{folder} is a file: give the bundle's directory.")
    if not folder.is_dir():
        raise BundleError(f"There is no bundle at {folder}; saiten train or saiten bundle makes one.")
    if not is_plain(path):
        raise BundleError(
            f"{folder} is no bundle: it has no {BUNDLE_MANIFEST}; give a directory that saiten train or bundle made."
        )
    if path.stat().st_size > MAX_BYTES[BUNDLE_MANIFEST]:
        raise too_large(path, BUNDLE_MANIFEST)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON; {_AGAIN}.") from error
    if not isinstance(fields, dict):
        raise BundleError(f"{path} is not a JSON object, so it is no bundle's; {_AGAIN}.")
    if "run_id" in fields:
        raise BundleError(f"{folder} is a run, the output of saiten score, and no bundle: give the bundle's directory.")
    return fields


def check_names(folder: pathlib.Path, names: Collection[str]) -> None:
    """Compares the names of the manifest's files with those that a bundle has.

    Raises:
        BundleError: One is missing or too many.
    """
    missing = _MAX_FILE_BYTES.keys() - set(names) - _OPTIONAL
    if missing:
        raise BundleError(f"The manifest of {folder} does not name {min(missing)}; make the bundle anew.")
    for name in sorted(set(names) - _MAX_FILE_BYTES.keys()):
        raise BundleError(
            f"The manifest of {folder} names {name!r}, which is no file of a bundle; make the bundle anew."
        )


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
        raise BundleError(f"{path} is missing; {_AGAIN}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(
            f"{path} is no regular file; a bundle holds no links and no folders: copy the file itself there."
        )
    if status.st_size != expected.bytes:
        raise BundleError(
            f"{path} has {status.st_size:,} bytes, not {expected.bytes:,} as its manifest says; {_AGAIN}."
        )
    if status.st_size > MAX_BYTES[path.name]:
        raise too_large(path, path.name)
    if sha256_of(path) != expected.sha256:
        raise BundleError(f"{path}: its sha256 is not that of the manifest, so it was changed or damaged; {_AGAIN}.")


def _refuse(number: str) -> float:
    raise ValueError(f"{number} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)
