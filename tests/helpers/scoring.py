"""Scores files in tests as a person does, and reads what came of it."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.bundle.bundle import StoredBundle
from saiten.model.errors import SaitenError
from saiten.pipelines.commands.main import main
from saiten.pipelines.local import launch
from saiten.pipelines.steps.pipeline import Scoring

# Three texts, and two that have no tokens.
TEXTS = ("とても美味しいラーメンでした。", "", "もう行きません！", "　", "駅から遠くて、値段も高い。")


def write_half_broken(folder: pathlib.Path) -> pathlib.Path:
    """Writes a JSONL file of one good record and one that is cut off."""
    path = folder / "broken.jsonl"
    path.write_bytes('{"text": "良い。", "id": "a"}\n{"text": \n'.encode())
    return path


def score(bundle: StoredBundle, input_path: pathlib.Path, output: pathlib.Path, *flags: str) -> int:
    """Runs `saiten score` in this process; returns its exit code."""
    return main(["score", f"--input={input_path}", f"--bundle={bundle.path}", f"--output={output}", "--quiet", *flags])


def stop_when_planned(monkeypatch: pytest.MonkeyPatch) -> list[Scoring]:
    """Lets `score` end with exit 1 where it would execute its pipeline; returns a list that takes what it planned."""
    planned: list[Scoring] = []

    def stop(scoring: Scoring, *_others: object, **_settings: object) -> None:
        planned.append(scoring)
        raise SaitenError("planned")

    for name in ("execute", "execute_elsewhere"):
        monkeypatch.setattr(launch, name, stop)
    return planned


def rows(output: pathlib.Path, folder: str = "scores") -> list[dict[str, Any]]:
    """Returns the rows of the parts that the manifest names, by source and position."""
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    parts = [output / file["path"] for file in manifest["outputs"] if file["path"].startswith(folder)]
    table = pa.concat_tables(pq.read_table(pa.BufferReader(part.read_bytes())) for part in parts)
    return list(table.sort_by([("source", "ascending"), ("position", "ascending")]).to_pylist())


def content(output: pathlib.Path) -> Mapping[str, bytes]:
    """Returns every file of a directory by its path below it."""
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}
