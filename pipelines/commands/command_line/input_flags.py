"""The flags that say what to read and how, the same in every command that reads texts."""

import argparse

from saiten.pipelines.defaults import MAX_RECORD_BYTES
from saiten.pipelines.local.settings import ScoreSettings

# What `train`, `score` and the like call the flags about files.
OTHER_FILES = "to read files of another kind"


def add_input_arguments(group: "argparse._ActionsContainer", *, is_required: bool = True) -> None:
    """Adds the flags that say what to read, the same for training and scoring."""
    group.add_argument(
        "--input",
        metavar="FILES",
        required=is_required,
        help="a file, a directory, a pattern such as 'a/*.csv', or several with commas between",
    )
    group.add_argument("--text_field", metavar="FIELD", help="the field with the text (default: text)")


def add_format_arguments(group: "argparse._ActionsContainer") -> None:
    """Adds the flags that say how to read it, where that is not plain."""
    group.add_argument(
        "--input_format",
        metavar="FORMAT",
        default=ScoreSettings.input_format,
        help="text (a record a line), jsonl, csv, tsv or parquet (default: by the file's ending)",
    )
    group.add_argument(
        "--encoding", metavar="NAME", default=ScoreSettings.encoding, help="utf-8, cp932, euc_jp or utf-16"
    )
    group.add_argument(
        "--quoting",
        metavar="csv|none",
        default=ScoreSettings.quoting,
        help="whether quotation marks enclose cells (default: csv in CSV, none in TSV)",
    )
    group.add_argument(
        "--max_record_bytes",
        metavar="BYTES",
        type=int,
        default=ScoreSettings.max_record_bytes,
        help="longer records become dead letters: they are set aside, not scored "
        f"(default: {MAX_RECORD_BYTES}, {MAX_RECORD_BYTES >> 20} MiB)",
    )
    group.add_argument(
        "--table_files",
        action="store_true",
        help="read the files of a Delta or Iceberg table as they are, removed rows too",
    )


def add_id_argument(group: "argparse._ActionsContainer") -> None:
    """Adds the flag that names the records' ids."""
    group.add_argument("--id_field", metavar="FIELD", help="the field with the record's id (default: source:position)")
