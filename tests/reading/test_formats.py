"""Flags that say what the input is, and what a person is told who misspells them."""

import pyarrow as pa
import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.formats import asked_format, format_by_ending
from saiten.pipelines.reading.lines.decompress import compression_of
from saiten.pipelines.reading.options import KeptField, ReadOptions, parse_kept_fields


@pytest.mark.parametrize(
    ("path", "name", "compression"),
    [
        ("a.txt", "text", None),
        ("gs://b/a.jsonl", "jsonl", None),
        ("a.ndjson.gz", "jsonl", "gzip"),
        ("a.jsonlines", "jsonl", None),
        ("a.jl", "jsonl", None),
        ("a.json", "jsonl", None),
        ("A.CSV.BZ2", "csv", "bz2"),
        ("a.tsv.xz", "tsv", "xz"),
        ("a.tab", "tsv", None),
        ("a.parquet", "parquet", None),
    ],
)
def test_endings(path: str, name: str, compression: str | None) -> None:
    stem = path.rpartition(".")[0] if compression else path
    found = format_by_ending(stem)
    assert found is not None
    assert (found.name, compression_of(path)) == (name, compression)


@pytest.mark.parametrize("path", ["a", "a.csv.old", "a.zst"])
def test_an_ending_that_says_nothing(path: str) -> None:
    assert format_by_ending(path) is None


@pytest.mark.parametrize(
    ("name", "codec"),
    [("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("sjis", "shift_jis"), ("ms932", "cp932"), ("EUC-JP", "euc_jp")],
)
def test_encodings_have_many_names(name: str, codec: str) -> None:
    assert ReadOptions(encoding=name).codec == codec


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "cp923"}, "--encoding 'cp923' is not known; did you mean 'cp932'? There are: utf-8, cp932,"),
        # Python has these, but their line ends are no bytes 0x0A, or they are no encodings of text.
        ({"encoding": "cp500"}, "--encoding 'cp500' is not known"),
        ({"encoding": "rot13"}, "--encoding 'rot13' is not known"),
        ({"encoding": "a\0b"}, "--encoding 'a\\x00b' is not known"),
        ({"quoting": "yes"}, "--quoting 'yes' is not known; did you mean"),
        ({"max_record_bytes": 0}, "--max_record_bytes must be 1 or more, not 0."),
    ],
)
def test_unknown_settings_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        ReadOptions(**options)  # type: ignore[arg-type]
    assert str(raised.value).startswith(message)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError) as raised:
        asked_format(ReadOptions(input_format="jsonn"))
    assert str(raised.value) == (
        "--input_format 'jsonn' is not known; did you mean 'jsonl'? There are: auto, text, jsonl, csv, tsv, parquet."
    )


def test_kept_fields() -> None:
    assert parse_kept_fields(" date , n:int64,a:b:float64, ") == (
        KeptField("date"),
        KeptField("n", pa.int64()),
        KeptField("a:b", pa.float64()),
    )
    assert parse_kept_fields("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n:int46", "--keep_fields: type of 'n' 'int46' is not known; did you mean 'int64'?"),
        (":int64", "--keep_fields has a type without a name: ':int64'; write name:type."),
        ("a,b,a:bool", "--keep_fields names 'a' twice; once is enough."),
    ],
)
def test_bad_kept_fields_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_kept_fields(text)
    assert str(raised.value).startswith(message)
