"""`report.html`: a committed run as a person reads it, in one file without scripts."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from saiten.pipelines import storage
from saiten.pipelines.run.layout import DEAD_LETTERS_FOLDER, REPORT, SCORES_FOLDER
from saiten.pipelines.run.run_manifest import RunManifest
from saiten.pipelines.terminal import escape_controls

# Distributions are drawn from at most about so many rows, every k-th: enough to see a shape by.
_SAMPLED_ROWS = 200_000
_BINS = 40
_SHOWN_FILES = 100
_SHOWN_EXAMPLES = 3
_EXAMPLE_CHARS = 200

Values = npt.NDArray[np.float64]


def write_report(output: str, manifest: RunManifest) -> None:
    """Writes the report of the run that the manifest describes.

    Texts are in it only where the run was started with `--report_examples`: the first bytes of
    some dead letters. All that comes from records is escaped.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, ""), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["shown"] = escape_controls
    page = environment.get_template("report.html.jinja").render(
        manifest=manifest,
        files=manifest.inputs[:_SHOWN_FILES],
        distributions=[
            {"name": name, **_describe(values)} for name, values in _sample(output, manifest).items() if len(values)
        ],
        examples=_examples(output, manifest) if manifest.report_examples else {},
    )
    storage.write_atomic(storage.join(output, REPORT), page.encode())


def _sample(output: str, manifest: RunManifest) -> dict[str, Values]:
    """Returns scores, lengths and OOV rates of every k-th scored record."""
    step = max(1, manifest.counts.scored // _SAMPLED_ROWS)
    columns = [*(f"score_{name}" for name in manifest.outputs_scored), "n_tokens", "n_oov"]
    sampled: dict[str, list[Values]] = {column: [np.zeros(0)] for column in columns}
    n_seen = 0
    for batch in _batches(output, manifest, SCORES_FOLDER, [*columns, "status"]):
        scored = batch.filter(pc.equal(batch["status"], "scored"))
        every_kth = np.arange(-n_seen % step, scored.num_rows, step)
        for column in columns:
            sampled[column].append(scored[column].to_numpy(zero_copy_only=False)[every_kth].astype(np.float64))
        n_seen += scored.num_rows
    whole = {column: np.concatenate(values) for column, values in sampled.items()}
    oov_rate = whole.pop("n_oov") / np.maximum(1, whole["n_tokens"])
    return whole | {"share of OOV tokens": oov_rate}


def _describe(values: Values) -> dict[str, Any]:
    counts, _ = np.histogram(values, bins=_BINS)
    least, median, most = np.quantile(values, [0.01, 0.5, 0.99])
    return {
        "mean": values.mean(),
        "least": least,
        "median": median,
        "most": most,
        "bars": (counts / max(1, counts.max())).round(3).tolist(),
        "minimum": values.min(),
        "maximum": values.max(),
    }


def _examples(output: str, manifest: RunManifest) -> dict[str, list[str]]:
    """Returns the beginnings of some dead letters of each code."""
    examples: dict[str, list[str]] = {}
    for batch in _batches(output, manifest, DEAD_LETTERS_FOLDER, ["code", "raw"]):
        for row in batch.to_pylist():
            found = examples.setdefault(row["code"], [])
            if len(found) < _SHOWN_EXAMPLES and row["raw"] is not None:
                found.append(row["raw"].decode("utf-8", "replace")[:_EXAMPLE_CHARS])
    return examples


def _batches(output: str, manifest: RunManifest, folder: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a folder's parts, never a whole part: one may hold all records of a compressed file."""
    for path in manifest.part_paths(output, folder):
        with storage.open_read(path) as file:
            yield from pq.ParquetFile(file).iter_batches(columns=columns)
