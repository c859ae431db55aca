"""Bundles and dictionaries that were changed by someone who knows how the manifest is made."""

import dataclasses
import json
import pathlib
import shutil
from typing import Any

from saiten.model.bundle.bundle_files import describe_files
from saiten.model.bundle.bundle_manifest import bundle_id_of
from saiten.model.text.dictionary import find_dictionary


def reseal(path: pathlib.Path, **changes: Any) -> None:
    """Makes a bundle's manifest true again after its files or settings were changed: what a forger does."""
    manifest = bundle_fields(path)
    manifest |= {"files": {name: dataclasses.asdict(file) for name, file in describe_files(path).items()}} | changes
    for field in [name for name, value in manifest.items() if value is ...]:
        del manifest[field]
    manifest["bundle_id"] = bundle_id_of(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def bundle_fields(path: pathlib.Path) -> dict[str, Any]:
    """What a bundle's manifest.json says, as it stands there."""
    return dict(json.loads((path / "manifest.json").read_text(encoding="utf-8")))


def copy_dictionary(folder: pathlib.Path) -> pathlib.Path:
    """Makes a dictionary in a folder of its own, of links but for `dicrc`, which may be changed; returns the folder."""
    folder.mkdir()
    package = find_dictionary("unidic-lite").directory
    for name in ("sys.dic", "matrix.bin", "char.bin", "unk.dic"):
        (folder / name).symlink_to(package / name)
    shutil.copy(package / "dicrc", folder)
    return folder
