"""Files as pandas, Polars, DuckDB and fastparquet write them: the rows they hold are read, or Saiten says no.

Each file holds the seven records of `TEXTS`; `write_files.py` wrote them.
"""

import pathlib

import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked, dead_letters

FILES = pathlib.Path(__file__).parent / "files"
TEXTS = ["良い", "彼は「はい」と、\n「いいえ」と言った。", 'a "quoted" word, and a comma', "\ttab", "", None, "😀 ｶﾅ"]

_HOLDS_NULL = [
    "pandas.parquet",
    "pandas-category.parquet",
    "pandas-object.parquet",
    "pandas-partitioned",
    "pandas.jsonl",
    "pandas-unicode.jsonl.gz",
    "polars.parquet",
    "polars-snappy.parquet",
    "polars-lz4.parquet",
    "polars-categorical.parquet",
    "polars-enum.parquet",
    "polars-binary.parquet",
    "polars-partitioned",
    "polars.ndjson",
    "duckdb.parquet",
    "duckdb-v2.parquet",
    "duckdb-brotli.parquet",
    "duckdb-enum.parquet",
    "duckdb-blob.parquet",
    "duckdb.json",
    "duckdb-partitioned",
    "fastparquet.parquet",
    "fastparquet-bytes.parquet",
    "fastparquet-gzip.parquet",
    "fastparquet-category.parquet",
    "fastparquet-hive",
]
_NULL_IS_EMPTY = [
    "pandas.csv",
    "pandas-index.csv",
    "pandas-crlf.csv",
    "pandas-bom.csv",
    "pandas-utf16.csv",
    "pandas.csv.gz",
    "pandas.csv.bz2",
    "pandas.csv.xz",
    "pandas.csv.zst",
    "pandas.tsv",
    "polars.csv",
    "polars-bom.csv",
    "polars.tsv",
    "duckdb.csv",
    "duckdb-quoted.csv",
    "duckdb.csv.gz",
    "duckdb.csv.zst",
    "duckdb.tsv",
]
_REFUSED = {
    "pandas-semicolons.csv": "there is 'id;text;stars;day' alone: its columns are separated by ';'; write it with",
    "pandas-no-header.csv": "names another; there are: '1', '良い', 2 longer, which may be text",
    "pandas-index.parquet": "has no field 'id' of --id_field",
    "pandas.csv.zip": "is a zip archive, which is not read",
    "pandas.csv.tar": "is a tar archive, which is not read",
    "pandas-records.json": "is one JSON array, not an object a line",
    "pandas-table.json": "The only record does not have the field 'text', and no --text_field names another; there",
    "pandas.feather": "is an Arrow file (Feather), which is not read",
    "pandas.pkl": "is a Python pickle, which is not read",
    "pandas.orc": "is an ORC file, which is not read",
    "pandas.html": "is HTML by its name",
    "polars.json": "is one JSON array, not an object a line",
    "polars.arrow": "is an Arrow file (Feather), which is not read",
    "polars-stream.ipc": "is an Arrow stream, which is not read",
    "polars.avro": "is an Avro file, which is not read",
    "duckdb-no-header.csv": "names another; there are: '1', '良い', 2 longer, which may be text",
    "duckdb-array.json": "is one JSON array, not an object a line",
    "duckdb-encrypted.parquet": "is an encrypted Parquet file, which is not read",
}
# What the file's dialect says otherwise than its format: the ids that are read, with the texts that are, and the codes
# of the dead letters.
_QUOTED = {2: '"彼は「はい」と、\\n「いいえ」と言った。"'}
_PARTLY: dict[str, tuple[dict[int, str | None], list[str]]] = {
    "pandas-escapes.csv": ({1: TEXTS[0], 2: TEXTS[1], 4: "\ttab", 5: "", 6: "", 7: TEXTS[6]}, ["BAD_CSV_ROW"]),
    "duckdb-escape.csv": ({1: TEXTS[0], 2: TEXTS[1], 4: "\ttab", 5: "", 6: "", 7: TEXTS[6]}, ["BAD_CSV_ROW"]),
    "duckdb-other-quote.csv": ({1: TEXTS[0], 4: "\ttab", 5: "''", 6: "", 7: TEXTS[6]}, ["BAD_CSV_ROW"] * 3),
    "polars-never.csv": ({1: TEXTS[0], 4: "\ttab", 5: "", 6: "", 7: TEXTS[6]}, ["BAD_CSV_ROW"] * 3),
    "pandas-nan.csv": ({i: text or "NaN" if i == 6 else text for i, text in enumerate(TEXTS, 1)}, []),
    "pandas-columns.json": ({}, ["TEXT_NOT_STRING"]),
    "duckdb-uuid.parquet": ({}, ["TEXT_NOT_STRING"] * 7),
    "duckdb-json.parquet": (
        {1: '"良い"', **_QUOTED, 3: '"a \\"quoted\\" word, and a comma"', 4: '"\\ttab"', 5: '""', 7: '"😀 ｶﾅ"'},
        ["TEXT_MISSING"],
    ),
}


def _read(name: str) -> tuple[dict[int, str | None], list[str]]:
    """The texts by id, and the dead letters' codes."""
    quoting = "csv" if name.endswith(".tsv") else "auto"
    options = ReadOptions(id_field="id", encoding="utf-16" if "utf16" in name else "utf-8", quoting=quoting)
    blocks = checked(iter_blocks(plan_work(str(FILES / name), options, n_workers=2)))
    texts = {int(id_): text for block in blocks for id_, text in zip(block.ids, block.texts, strict=True)}
    assert len(texts) == sum(len(block.texts) for block in blocks)
    return texts, [letter.code for letter in dead_letters(blocks)]


@pytest.mark.parametrize("name", _HOLDS_NULL)
def test_every_record_is_read(name: str) -> None:
    assert _read(name) == ({i: text for i, text in enumerate(TEXTS, 1) if text is not None}, ["TEXT_MISSING"])


@pytest.mark.parametrize("name", _NULL_IS_EMPTY)
def test_every_record_is_read_from_what_has_no_null(name: str) -> None:
    assert _read(name) == ({i: text or "" for i, text in enumerate(TEXTS, 1)}, [])


@pytest.mark.parametrize("name", list(_REFUSED))
def test_what_is_not_read_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        _read(name)
    assert _REFUSED[name] in str(raised.value)


@pytest.mark.parametrize("name", list(_PARTLY))
def test_a_dialect_that_is_not_read_costs_its_records_only(name: str) -> None:
    assert _read(name) == _PARTLY[name]


def test_json_that_fastparquet_packs_as_json_is_read_as_it_stands() -> None:
    texts, codes = _read("fastparquet-json.parquet")
    assert (texts[4], len(texts), codes) == ('"\\ttab"', 6, ["TEXT_MISSING"])


def test_every_file_has_its_outcome() -> None:
    names = [*_HOLDS_NULL, *_NULL_IS_EMPTY, *_REFUSED, *_PARTLY, "fastparquet-json.parquet"]
    assert sorted(names) == sorted(path.name for path in FILES.iterdir() if not path.name.startswith("_"))


def test_tsv_that_is_quoted_says_so_by_its_rows() -> None:
    """TSV has no quotes unless asked for: a row over two lines is two dead letters, not a record less."""
    blocks = checked(iter_blocks(plan_work(str(FILES / "polars.tsv"), ReadOptions(id_field="id"))))
    assert [letter.code for letter in dead_letters(blocks)] == ["BAD_CSV_ROW"] * 3
    assert [text for block in blocks for text in block.texts][1] == '"a ""quoted"" word, and a comma"'
