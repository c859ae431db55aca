"""`manifest.json` of a bundle: what it must say, and that the files beside it are the ones it names."""

import hashlib
import json
import math
import pathlib
import stat
from collections.abc import Mapping
from typing import Any, TypeVar

from saiten.model.errors import BundleError
from saiten.model.text.dictionary import sha256_of

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

# Every file that a manifest may name, and its largest size; all but packed.npz must be there.
_MAX_FILE_BYTES = {
    "model.keras": 8 << 30,
    "vocabulary.json": 1 << 30,
    "packed.npz": 8 << 30,
    "golden.jsonl": 64 << 20,
    "reference.json": 64 << 20,
}
# Every file that a bundle may have, and its largest size.
MAX_BYTES = {MANIFEST: 16 << 20, **_MAX_FILE_BYTES}
_OPTIONAL = frozenset(("packed.npz",))

Field = TypeVar("Field")


def describe_files(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Returns size and sha256 of every bundle file that is in the folder, by name."""
    paths = [folder / name for name in _MAX_FILE_BYTES if (folder / name).exists()]
    return {path.name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in paths}


def bundle_id_of(manifest: Mapping[str, Any]) -> str:
    """Returns the sha256 over the files' hashes and all settings, so over the whole manifest but the id."""
    rest = {key: value for key, value in manifest.items() if key != "bundle_id"}
    canonical = json.dumps(rest, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def read_manifest(folder: pathlib.Path) -> dict[str, Any]:
    """Reads the manifest and checks every file of the bundle by it, before anything else is parsed.

    Raises:
        BundleError: What differs, by the name of the file or the field.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise BundleError(f"There is no bundle at {folder}.")
    if not is_plain(path):
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST}.")
    if path.stat().st_size > MAX_BYTES[MANIFEST]:
        raise BundleError(f"{path} is larger than {MAX_BYTES[MANIFEST]} bytes.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON.") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{path} is not a JSON object.")
    version = get(manifest, "format_version", int)
    if version != FORMAT_VERSION:
        raise BundleError(f"{path}: format_version {version} is not {FORMAT_VERSION}, the one this saiten reads.")
    _check_files(folder, get(manifest, "files", dict))
    if get(manifest, "bundle_id", str) != bundle_id_of(manifest):
        raise BundleError(f"{path}: bundle_id is not that of its settings; the manifest was changed.")
    return manifest


def is_plain(path: pathlib.Path) -> bool:
    """Whether a regular file is there: a link may lead anywhere, and whoever opens a pipe waits for ever."""
    return path.is_file() and not path.is_symlink()


def without_holes(content: Any) -> Any:
    """Returns JSON-able content with null for NaN and infinities, which JSON does not have.

    A metric may well be one: the Spearman correlation of a constant is NaN.
    """
    if isinstance(content, Mapping):
        return {str(key): without_holes(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_holes(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def get(manifest: Mapping[str, Any], field: str, kind: type[Field]) -> Field:
    """Returns a field of the manifest, such as ``tokenizer.version``.

    Raises:
        BundleError: It is missing or of another type.
    """
    value: Any = manifest
    for key in field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BundleError(f"The manifest's {field} is missing or of the wrong type; make the bundle anew.")
    return value


def _check_files(folder: pathlib.Path, files: Mapping[str, Any]) -> None:
    missing = _MAX_FILE_BYTES.keys() - files.keys() - _OPTIONAL
    if missing:
        raise BundleError(f"The manifest of {folder} does not name {min(missing)}.")
    for name in sorted(files.keys() - _MAX_FILE_BYTES.keys()):
        raise BundleError(f"The manifest of {folder} names {name!r}, which is no file of a bundle.")
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST and path.name not in files:
            raise BundleError(f"{folder} holds {path.name!r}, which its manifest does not name; remove it.")
    for name in _MAX_FILE_BYTES:
        if name in files:
            _check_file(folder / name, files[name])


def _check_file(path: pathlib.Path, expected: Any) -> None:
    if not isinstance(expected, Mapping):
        raise BundleError(f"The manifest's files.{path.name} is no object.")
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise BundleError(f"{path} is missing; the bundle was not copied whole.") from None
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{path} is no regular file; a bundle holds no links and no folders.")
    if status.st_size != expected.get("bytes"):
        raise BundleError(f"{path} has {status.st_size} bytes, not {expected.get('bytes')!r} as its manifest says.")
    if status.st_size > MAX_BYTES[path.name]:
        raise BundleError(f"{path} is larger than {MAX_BYTES[path.name]} bytes.")
    if sha256_of(path) != expected.get("sha256"):
        raise BundleError(f"{path}: its sha256 is not that of the manifest; the file was changed or damaged.")


def _refuse(number: str) -> float:
    raise ValueError(f"{number} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)
