"""Bundles and dictionaries that were changed by someone who knows how the manifest is made."""

import json
import pathlib
import shutil
from typing import Any

from saiten.model.bundle.bundle_manifest import bundle_id_of, describe_files
from saiten.model.text.dictionary import find_dictionary


def reseal(path: pathlib.Path, **changes: Any) -> None:
    """Makes a bundle's manifest true again after its files or settings were changed: what a forger does."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"files": describe_files(path)} | changes
    for field in [name for name, value in manifest.items() if value is ...]:
        del manifest[field]
    manifest["bundle_id"] = bundle_id_of(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def copy_dictionary(folder: pathlib.Path) -> pathlib.Path:
    """Makes a dictionary in a folder of its own, of links but for `dicrc`, which may be changed; returns the folder."""
    folder.mkdir()
    package = find_dictionary("unidic-lite").directory
    for name in ("sys.dic", "matrix.bin", "char.bin", "unk.dic"):
        (folder / name).symlink_to(package / name)
    shutil.copy(package / "dicrc", folder)
    return folder
