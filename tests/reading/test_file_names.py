"""File names of any bytes go through a whole run: Japanese ones of old are no UTF-8."""

import json
import os
import pathlib

import pyarrow.parquet as pq

from saiten.model.bundle.bundle import StoredBundle
from saiten.pipelines.commands.main import main


def test_a_name_in_cp932_is_read_and_written_out(tiny_bundle: StoredBundle, tmp_path: pathlib.Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    pathlib.Path(os.fsdecode(os.fsencode(folder) + b"/" + "表.txt".encode("cp932"))).write_bytes("良い。\n".encode())
    flags = [f"--input={folder}", f"--bundle={tiny_bundle.path}", f"--output={output}", "--quiet", "--workers=1"]
    assert main(["score", *flags]) == 0
    manifest = json.loads((output / "manifest.json").read_text("utf-8"))
    (about,) = manifest["inputs"]
    assert (about["source"], about["path"]) == ("\\x95\\.txt", f"{folder}/\\x95\\.txt")
    (part,) = [file["path"] for file in manifest["outputs"] if file["path"].startswith("scores/")]
    assert pq.read_table(output / part).column("id").to_pylist() == ["\\x95\\.txt:0"]
    assert main(["score", *flags, "--resume"]) == 0, "it is the same run"
