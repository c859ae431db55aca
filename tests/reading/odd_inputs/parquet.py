"""Parquet files."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import SMALL, WITH_ID, OddInput


def _parquet(**columns: pa.Array) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def _no_utf8(*cells: bytes) -> pa.Array:
    return pa.array(cells, pa.binary()).view(pa.string())


_WHOLE = _parquet(text=pa.array(["aa", "bb"]))
PARQUET = [
    OddInput("Parquet", "a.parquet", _WHOLE, ((0, "aa"), (1, "bb"))),
    OddInput("Parquet without rows", "a.parquet", _parquet(text=pa.array([], pa.string()))),
    OddInput("large strings", "a.parquet", _parquet(text=pa.array(["a"], pa.large_string())), ((0, "a"),)),
    OddInput(
        "a dictionary of strings",
        "a.parquet",
        _parquet(text=pa.array(["a", "a"]).dictionary_encode()),
        ((0, "a"), (1, "a")),
    ),
    OddInput("bytes that are UTF-8", "a.parquet", _parquet(text=pa.array(["良い".encode()])), ((0, "良い"),)),
    OddInput(
        "null text in Parquet", "a.parquet", _parquet(text=pa.array(["a", None])), ((0, "a"),), ((1, "TEXT_MISSING"),)
    ),
    OddInput("a column of nulls", "a.parquet", _parquet(text=pa.nulls(1)), (), ((0, "TEXT_MISSING"),)),
    OddInput(
        "a column of numbers",
        "a.parquet",
        _parquet(text=pa.array([1, None])),
        (),
        ((0, "TEXT_NOT_STRING"), (1, "TEXT_MISSING")),
    ),
    OddInput("a column of lists", "a.parquet", _parquet(text=pa.array([["a"]])), (), ((0, "TEXT_NOT_STRING"),)),
    OddInput(
        "a column of nanoseconds",
        "a.parquet",
        _parquet(text=pa.array([1, 1000, None], pa.timestamp("ns"))),
        (),
        ((0, "TEXT_NOT_STRING"), (1, "TEXT_NOT_STRING"), (2, "TEXT_MISSING")),
    ),
    OddInput(
        "a column of days in the year 275,000",
        "a.parquet",
        _parquet(text=pa.array([10**8], pa.int32()).view(pa.date32())),
        (),
        ((0, "TEXT_NOT_STRING"),),
    ),
    OddInput(
        "invalid UTF-8 in a cell",
        "a.parquet",
        _parquet(text=_no_utf8(b"a", b"\xff", b"c")),
        ((0, "a"), (2, "c")),
        ((1, "BAD_UTF8"),),
    ),
    OddInput("a surrogate in a cell", "a.parquet", _parquet(text=_no_utf8(b"\xed\xa0\x80")), (), ((0, "BAD_UTF8"),)),
    OddInput(
        "invalid UTF-8 in an id",
        "a.parquet",
        _parquet(text=pa.array(["a", "b"]), id=_no_utf8(b"\xff", b"i")),
        ((1, "b"),),
        ((0, "BAD_UTF8"),),
        ids=("i",),
        options=WITH_ID,
    ),
    OddInput(
        "ids that are numbers",
        "a.parquet",
        _parquet(text=pa.array(["a", "b"]), id=pa.array([7, None])),
        ((0, "a"), (1, "b")),
        ids=("7", "a.parquet:1"),
        options=WITH_ID,
    ),
    OddInput(
        "a text that is too long",
        "a.parquet",
        _parquet(text=pa.array(["a", "0123456789x"])),
        ((0, "a"),),
        ((1, "TOO_LARGE"),),
        options=SMALL,
    ),
    OddInput("line ends in a cell", "a.parquet", _parquet(text=pa.array(["a\r\nb\0"])), ((0, "a\r\nb\0"),)),
    OddInput(
        "Parquet by another name",
        "a.data",
        _WHOLE,
        ((0, "aa"), (1, "bb")),
        options=ReadOptions(input_format="parquet"),
    ),
    OddInput("empty Parquet file", "a.parquet", b"", error=DamagedFileError, message="a.parquet"),
    OddInput("truncated Parquet file", "a.parquet", _WHOLE[:-1], error=DamagedFileError, message="a.parquet"),
    OddInput("Parquet without its beginning", "a.parquet", _WHOLE[50:], error=DamagedFileError, message="a.parquet"),
    OddInput("text as Parquet", "a.parquet", b"aa\nbb\n", error=DamagedFileError, message="a.parquet"),
    OddInput("compressed Parquet", "a.parquet.gz", gzip.compress(_WHOLE), error=UsageError, message="unpack it first"),
    OddInput(
        "Parquet without the field",
        "a.parquet",
        _parquet(body=pa.array(["a"]), n=pa.array([1])),
        error=UsageError,
        message="'body', 'n'",
    ),
]
