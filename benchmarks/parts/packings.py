"""A corpus in the formats that are cut for the workers while they are read: CSV, compressed lines, one row group."""

import csv
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

# As many rows as a row group may have in a file of pyarrow's.
_GROUP_ROWS = 1024 * 1024


def write_packed(texts: Sequence[str], times: int, path: pathlib.Path) -> None:
    """Writes texts, so many times over, as the records of a file.

    Args:
        path: Its ending says in what: ``.csv``, ``.csv.gz``, ``.jsonl.gz``, ``.jsonl.zst``, or ``.parquet`` with one
            row group, in which all of them must have room.
    """
    partial = path.with_name(f".{path.name}")
    if path.suffix == ".parquet":
        column = pa.chunked_array([pa.array(texts, pa.string())] * times)
        pq.write_table(pa.table({"text": column}), partial, compression="zstd", row_group_size=_GROUP_ROWS)
    else:
        with pa.output_stream(partial, compression="detect") as file:
            for line in _lines(chain.from_iterable(repeat(texts, times)), is_csv=".csv" in path.suffixes):
                file.write(line)
    partial.replace(path)


def _lines(texts: Iterable[str], *, is_csv: bool) -> Iterator[bytes]:
    if not is_csv:
        yield from (orjson.dumps({"text": text}) + b"\n" for text in texts)
        return
    writer = csv.writer(_Echo(), lineterminator="\n")
    yield from (writer.writerow([cell]).encode() for cell in chain(["text"], texts))


class _Echo:
    """Gives back what is written to it; `csv` wants no more of a file."""

    def write(self, text: str) -> Any:
        return text
