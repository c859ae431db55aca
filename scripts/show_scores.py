#!/usr/bin/env python3
"""Shows the first scores of a run; where labels were kept beside them, how well they agree.

    show_scores.py RUN

A kept field that is named like an output is taken for its label, and a kept `text` is shown.
"""

import json
import pathlib
import sys
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.console import Console
from rich.table import Table
from scipy.stats import pearsonr, spearmanr

from pipelines.results import read_scores
from pipelines.terminal import escape

SHOWN_RECORDS, SHOWN_OUTPUTS = 3, 12
# A text of so many characters can be read beside its number in a terminal of 80 columns.
LINE_CHARS = 36


def scored_rows(run: pathlib.Path) -> pa.Table:
    """Returns the rows that were scored."""
    rows = read_scores(str(run))
    return rows.filter(pc.equal(rows["status"], "scored"))


def choose_records(rows: pa.Table) -> list[dict[str, Any]]:
    """Returns the first records, those first whose text fits on a line."""
    return sorted(rows.slice(0, 200).to_pylist(), key=lambda row: len(row.get("text") or "") > LINE_CHARS)[
        :SHOWN_RECORDS
    ]


def records_table(records: list[dict[str, Any]]) -> Table:
    """Returns a line a record: its number below, and its text or else its id."""
    table = Table(box=None, show_header=False)
    table.add_column(style="bold", min_width=1)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for number, record in enumerate(records, 1):
        table.add_row(str(number), escape(str(record.get("text") or record["id"])))
    return table


def scores_table(records: list[dict[str, Any]], rows: pa.Table, outputs: list[str]) -> Table:
    """Returns a line an output: its scores for the records with their labels, and how well all rows agree."""
    numbers = {
        field.name for field in rows.schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    }
    labels = [name for name in outputs if name in numbers and not rows[name].null_count and len(rows) > 1]
    table = Table("score (label)" if labels else "score", box=box.SIMPLE_HEAD)
    for header in [*map(str, range(1, len(records) + 1)), *(["Pearson", "Spearman"] if labels else [])]:
        table.add_column(header, justify="right")
    for name in outputs[:SHOWN_OUTPUTS]:
        cells = [f"{record[f'score_{name}']:.2f}" for record in records]
        if name in labels:
            cells = [f"{cell} ({record[name]:.1f})" for cell, record in zip(cells, records, strict=True)]
            scores, truth = rows[f"score_{name}"].to_numpy(), rows[name].to_numpy()
            cells += [f"{measure(scores, truth).statistic:.2f}" for measure in (pearsonr, spearmanr)]
        table.add_row(escape(name), *cells)
    table.add_row("n_tokens", *(f"{record['n_tokens']:,}" for record in records), style="dim")
    return table


def main() -> int:
    """Shows the run that is named on the command line."""
    run = pathlib.Path(sys.argv[1])
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    rows = scored_rows(run)
    console = Console(emoji=False)
    console.print()
    records = choose_records(rows)
    console.print(records_table(records))
    console.print(scores_table(records, rows, manifest["outputs_scored"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
