"""Every table that an installed package ships is read as its own reader reads it, or refused by name."""

import csv
import gzip
import importlib.util
import pathlib
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest

from saiten.model.errors import SaitenError, UsageError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked, dead_letters, rows

_PACKAGES = ("pyarrow", "numpy", "gensim", "sklearn", "matplotlib")
_CONTAINERS = (".orc", ".feather", ".npy", ".npz", ".pkl", ".png", ".jpg", ".pdf", ".zip")


def _shipped(*endings: str) -> Iterator[pathlib.Path]:
    for name in _PACKAGES:
        found = importlib.util.find_spec(name)
        if found and found.origin:
            folder = pathlib.Path(found.origin).parent
            yield from (
                path for path in sorted(folder.rglob("*")) if path.name.endswith(endings) and path.stat().st_size
            )


def _read(path: pathlib.Path, options: ReadOptions) -> dict[int, str]:
    """The text or the dead letter's code by position."""
    blocks = checked(iter_blocks(plan_work(str(path), options, 20_000, n_workers=2)))
    texts = {position: text for _, position, _, text in rows(blocks)}
    return texts | {letter.position: letter.code for letter in dead_letters(blocks)}


def test_parquet() -> None:
    n_columns = 0
    for path in _shipped(".parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            expected = [
                "TEXT_MISSING" if cell is None else cell if isinstance(cell, str) else "TEXT_NOT_STRING"
                for cell in table[name].to_pylist()
            ]
            assert _read(path, ReadOptions(text_field=name)) == dict(enumerate(expected)), (path, name)
            n_columns += 1
    assert n_columns >= 20


def test_csv_and_tsv() -> None:
    n_files = 0
    for path in _shipped(".csv", ".csv.gz", ".tsv"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = content.decode("utf-8", "replace").splitlines()
        header, *cells = csv.reader(lines) if ".csv" in path.suffixes else (line.split("\t") for line in lines)
        options = ReadOptions(text_field=header[0])
        if header.count(header[0]) > 1 or "\ufffd" in lines[0]:
            with pytest.raises(UsageError, match=r"twice; rename one of them|in another --encoding"):
                plan_work(str(path), options)
            continue
        expected = [row[0] if len(row) == len(header) else "BAD_CSV_ROW" for row in cells if row]
        found = _read(path, options)
        assert [found[i] for i in range(len(found)) if found[i] != "BAD_UTF8"] == [
            text for text, line in zip(expected, lines[1:], strict=True) if "\ufffd" not in line
        ], path
        n_files += 1
    assert n_files >= 30


def test_what_is_no_text_is_refused() -> None:
    n_files = 0
    for path in _shipped(*_CONTAINERS):
        with pytest.raises(SaitenError) as raised:
            _read(path, ReadOptions())
        assert f"{path.name} is a" in str(raised.value)
        n_files += 1
    assert n_files >= 20
