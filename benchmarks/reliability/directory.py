"""What a reader finds in an output directory, checked to the last byte."""

import hashlib
import json
import pathlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reliability.outcome import promise

Rows = list[dict[str, Any]]


def content(output: pathlib.Path) -> dict[str, bytes]:
    """Returns every file by its path below the directory."""
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def run_id(output: pathlib.Path) -> str | None:
    """Returns which run is committed, None where there is none."""
    path = output / "manifest.json"
    return str(json.loads(path.read_bytes())["run_id"]) if path.exists() else None


def read_rows(output: pathlib.Path, folder: str = "scores") -> Rows:
    """Returns the rows that the manifest's parts hold, by source and position, after checking size and hash.

    Raises:
        BrokenPromiseError: The manifest cannot be trusted.
    """
    tables = []
    for file in json.loads((output / "manifest.json").read_bytes())["outputs"]:
        path = output / file["path"]
        promise(path.is_file(), f"{file['path']} is in the manifest and not there")
        found = path.read_bytes()
        promise(len(found) == file["bytes"], f"{file['path']} has another size than the manifest says")
        promise(hashlib.sha256(found).hexdigest() == file["sha256"], f"{file['path']} is not what was written")
        if file["path"].startswith(folder):
            tables.append(pq.read_table(pa.BufferReader(found)))
    rows: Rows = pa.concat_tables(tables).sort_by([("source", "ascending"), ("position", "ascending")]).to_pylist()
    return rows


def check_only_run(output: pathlib.Path, expected: Rows) -> None:
    """Makes sure that one run with these rows is there, and nothing else.

    Raises:
        BrokenPromiseError: It is not.
    """
    promise(read_rows(output) == expected, "the rows are not those of an unbroken run")
    manifest = json.loads((output / "manifest.json").read_bytes())
    wanted = {"manifest.json", "report.html", "_SUCCESS", *(file["path"] for file in manifest["outputs"])}
    found = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    promise(found == wanted, f"left over or missing: {sorted(found ^ wanted)}")


def check_untorn(output: pathlib.Path, earlier: dict[str, bytes], expected: Rows) -> None:
    """Makes sure that a reader finds the earlier run byte for byte, or the new one whole.

    Raises:
        BrokenPromiseError: It is something between.
    """
    if (output / "manifest.json").read_bytes() == earlier["manifest.json"]:
        now = content(output)
        changed = [name for name, data in earlier.items() if now.get(name) != data]
        promise(not changed, f"the earlier run's {changed[:1]} is not what it was")
    else:
        promise(read_rows(output) == expected, "the new run is visible and not whole")
