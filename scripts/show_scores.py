#!/usr/bin/env python3
"""Shows the first scores of a run; where the labels were kept beside them, how well they agree.

    show_scores.py RUN

A kept field that is named like an output is taken for its label, and a kept `text` is shown.
"""

import pathlib
import sys
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from scipy.stats import pearsonr, spearmanr

from pipelines.commit import read_manifest

SHOWN_RECORDS, SHOWN_OUTPUTS, TEXT_CHARS = 4, 12, 24


def read_scores(run: pathlib.Path, manifest: dict[str, Any]) -> pa.Table:
    """Returns the rows that were scored, of the parts that the manifest names."""
    parts = [run / part["path"] for part in manifest["outputs"] if part["path"].startswith("scores/")]
    rows = pa.concat_tables([pq.read_table(part) for part in parts])
    return rows.filter(pa.compute.equal(rows["status"], "scored"))


def scores_table(rows: pa.Table, outputs: list[str]) -> Table:
    """Returns a line an output: its scores for the first records, its labels, their agreement."""
    labels = {name: rows[name] for name in outputs if name in rows.column_names and len(rows) > 1}
    table = Table(caption="score (label); correlation over all records that were scored" if labels else None)
    table.add_column("score")
    first = rows.slice(0, SHOWN_RECORDS).to_pylist()
    for row in first:
        table.add_column(_shorten(row.get("text") or row["id"]), justify="right", max_width=15)
    for name in ["Pearson", "Spearman"] if labels else []:
        table.add_column(name, justify="right", style="bold")
    for name in outputs[:SHOWN_OUTPUTS]:
        cells = [f"{row[f'score_{name}']:.2f}" + (f" ({row[name]:g})" if name in labels else "") for row in first]
        if name in labels:
            scores, truth = rows[f"score_{name}"].to_numpy(), labels[name].to_numpy()
            cells += [f"{measure(scores, truth).statistic:.2f}" for measure in (pearsonr, spearmanr)]
        table.add_row(name, *cells)
    table.add_section()
    table.add_row("n_tokens", *(str(row["n_tokens"]) for row in first))
    return table


def _shorten(text: str) -> str:
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - 1] + "…"


def main() -> int:
    """Shows the run that is named on the command line."""
    run = pathlib.Path(sys.argv[1])
    manifest = read_manifest(str(run))
    if manifest is None:
        print(f"{run} holds no committed run.", file=sys.stderr)
        return 2
    Console().print(scores_table(read_scores(run, manifest), manifest["outputs_scored"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
