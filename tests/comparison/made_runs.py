"""Committed runs as `saiten compare` reads them: their scores' files, and a manifest that names those."""

import pathlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from saiten.pipelines.run.json_file import to_json
from saiten.pipelines.run.range_summary import Part
from saiten.pipelines.run.run_manifest import RunCounts
from tests.helpers.reports import make_manifest

Row = tuple[str, float | None, float | None]
FIRST: list[list[Row]] = [
    [("a", 1.0, 10.0), ("b", 2.0, 20.0), ("twice", 5.0, 5.0)],
    [("c", 3.0, 30.0), ("twice", 6.0, 6.0), ("gone", 4.0, 40.0), ("empty", None, None), ("emptied", 1.0, 1.0)],
]
SECOND: list[list[Row]] = [
    [("twice", 5.5, 5.0), ("new", 0.0, 0.0), ("c", 3.0, 30.0), ("empty", None, None), ("emptied", None, None)],
    [("b", 2.0, 17.0), ("a", 1.25, 10.0), ("twice", 6.0, 6.0), ("newer", 0.0, 0.0)],
]


def make_run(
    folder: pathlib.Path,
    parts: Sequence[Sequence[Row]],
    outputs: Sequence[str] = ("x", "y"),
    *,
    labels: dict[str, str | None] | None = None,
    label_columns: Sequence[str] = ("label", "label_score"),
) -> str:
    """Writes a committed run with these rows in its parts; returns its directory.

    Args:
        labels: Of the ids, where the run has some.
    """
    (folder / "scores").mkdir(parents=True)
    listed = []
    for i, rows in enumerate(parts):
        columns: dict[str, Any] = {"id": pa.array([row[0] for row in rows], pa.string())}
        for j, name in enumerate(outputs, 1):
            columns[f"score_{name}"] = pa.array([row[j] for row in rows], pa.float32())
        if labels is not None:
            columns |= {name: pa.array([labels.get(row[0]) for row in rows], pa.string()) for name in label_columns}
        pq.write_table(pa.table(columns), folder / f"scores/{i}.parquet")
        listed.append(Part(f"scores/{i}.parquet", len(rows)))
    counts = RunCounts(sum(map(len, parts)))
    manifest = make_manifest(outputs_scored=tuple(outputs), outputs=tuple(listed), counts=counts)
    (folder / "manifest.json").write_bytes(to_json(manifest))
    return str(folder)
