#!/usr/bin/env python3
"""Shows the first scores of a run; where labels were kept beside them, how well they agree.

A kept field that is named like an output is taken for its label, and a kept `text` is shown.
"""

import argparse
import sys
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from scipy.stats import pearsonr, spearmanr

from saiten.model.errors import SaitenError
from saiten.pipelines import storage
from saiten.pipelines.commands.pages.tables import table
from saiten.pipelines.run.layout import SCORES_FOLDER
from saiten.pipelines.run.results import read_scores
from saiten.pipelines.run.run_manifest import RunManifest, committed_manifest
from saiten.pipelines.terminal import escape

LOOKED_AT, SHOWN_RECORDS, SHOWN_OUTPUTS = 200, 3, 12
# A text of so many characters can be read beside its number in a terminal of 80 columns.
LINE_CHARS = 36


def first_rows(run: str, manifest: RunManifest) -> pa.Table:
    """Returns the first rows of the first part: a run may not fit in memory."""
    with storage.open_read(manifest.part_paths(run, SCORES_FOLDER)[0]) as file:
        # Nothing is read ahead: a thread that still did when the file is closed would end the process with it.
        parquet = pq.ParquetFile(file, pre_buffer=False)
        return pa.Table.from_batches(
            islice(parquet.iter_batches(LOOKED_AT, use_threads=False), 1), parquet.schema_arrow
        )


def scored(rows: pa.Table) -> pa.Table:
    """Returns the rows that were scored."""
    return rows.filter(pc.equal(rows["status"], "scored"))


def choose_records(rows: pa.Table) -> list[dict[str, Any]]:
    """Returns the first records, those first whose text fits on a line."""
    return sorted(rows.to_pylist(), key=lambda row: len(row.get("text") or "") > LINE_CHARS)[:SHOWN_RECORDS]


def labels_of(schema: pa.Schema, outputs: list[str]) -> list[str]:
    """Returns the outputs whose label was kept, as a number."""
    numbers = {field.name for field in schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)}
    return [name for name in outputs if name in numbers]


def records_table(records: list[dict[str, Any]]) -> Table:
    """Returns a line a record: its number below, and its text or else its id."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold")
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for number, record in enumerate(records, 1):
        grid.add_row(str(number), escape(str(record.get("text") or record["id"])))
    return grid


def scores_table(records: list[dict[str, Any]], rows: pa.Table, outputs: list[str]) -> Table:
    """Returns a line an output: its scores for the records with their labels, and how well all rows agree."""
    labels = [name for name in labels_of(rows.schema, outputs) if not rows[name].null_count and len(rows) > 1]
    headers = [*map(str, range(1, len(records) + 1)), *(["Pearson", "Spearman"] if labels else [])]
    shown = table(["score (label)" if labels else "score"], headers)
    for name in outputs[:SHOWN_OUTPUTS]:
        cells = [f"{record[f'score_{name}']:.2f}" for record in records]
        if name in labels:
            cells = [f"{cell} ({record[name]:.1f})" for cell, record in zip(cells, records, strict=True)]
            scores, truth = rows[f"score_{name}"].to_numpy(), rows[name].to_numpy()
            cells += [f"{measure(scores, truth).statistic:.2f}" for measure in (pearsonr, spearmanr)]
        shown.add_row(escape(name), *cells)
    shown.add_row("n_tokens", *(f"{record['n_tokens']:,}" for record in records), style="dim")
    return shown


def main() -> int:
    """Shows the run that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="the --output of a saiten score")
    run = parser.parse_args().run
    try:
        manifest = committed_manifest(run)
    except SaitenError as error:
        sys.exit(f"show_scores.py: {error}")
    outputs = list(manifest.outputs_scored)
    first = first_rows(run, manifest)
    labels = labels_of(first.schema, outputs)
    columns = ["status", *labels, *(f"score_{name}" for name in labels)]
    console = Console(emoji=False)
    console.print()
    records = choose_records(scored(first))
    console.print(records_table(records))
    console.print()
    console.print(scores_table(records, scored(read_scores(run, columns)), outputs))
    console.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
