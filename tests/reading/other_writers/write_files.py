"""Writes the files of this folder, as other tools write them; run by hand in an environment that has those tools.

    pip install pandas pyarrow polars duckdb fastparquet
    python write_files.py

Every file holds the same seven records, but for what its format cannot hold.
"""

import datetime as dt
import importlib.metadata
import json
import pathlib
import shutil
from collections.abc import Callable

import duckdb
import fastparquet
import pandas as pd
import polars as pl

HERE = pathlib.Path(__file__).parent / "files"
TEXTS = ["良い", "彼は「はい」と、\n「いいえ」と言った。", 'a "quoted" word, and a comma', "\ttab", "", None, "😀 ｶﾅ"]
COLUMNS = {
    "id": list(range(1, 8)),
    "text": TEXTS,
    "stars": [1.5, None, 3.0, 4.0, 5.0, 0.0, -1.0],
    "day": [dt.date(2026, 1, day) for day in range(1, 8)],
}
PARTS = ["a", "a", "a", "a", "b", "b", "b"]


def _path(name: str) -> str:
    return str(HERE / name)


def write_pandas() -> None:
    frame = pd.DataFrame(COLUMNS)
    frame.to_parquet(_path("pandas.parquet"))
    frame.set_index("id").to_parquet(_path("pandas-index.parquet"))
    frame.astype({"text": "category"}).to_parquet(_path("pandas-category.parquet"))
    frame.astype({"text": object}).to_parquet(_path("pandas-object.parquet"), compression="gzip")
    frame.assign(part=PARTS).to_parquet(_path("pandas-partitioned"), partition_cols=["part"])
    frame.to_csv(_path("pandas.csv"), index=False)
    frame.to_csv(_path("pandas-index.csv"))
    frame.to_csv(_path("pandas-crlf.csv"), index=False, lineterminator="\r\n", quoting=1)
    frame.to_csv(_path("pandas-bom.csv"), index=False, encoding="utf-8-sig")
    frame.to_csv(_path("pandas-utf16.csv"), index=False, encoding="utf-16")
    frame.to_csv(_path("pandas-escapes.csv"), index=False, doublequote=False, escapechar="\\")
    frame.to_csv(_path("pandas-semicolons.csv"), index=False, sep=";")
    frame.to_csv(_path("pandas-no-header.csv"), index=False, header=False)
    frame.to_csv(_path("pandas-nan.csv"), index=False, na_rep="NaN")
    frame.to_csv(_path("pandas.tsv"), index=False, sep="\t")
    for ending in ("gz", "bz2", "xz", "zst", "zip", "tar"):
        frame.to_csv(_path(f"pandas.csv.{ending}"), index=False)
    frame.to_json(_path("pandas.jsonl"), orient="records", lines=True)
    frame.to_json(_path("pandas-unicode.jsonl.gz"), orient="records", lines=True, force_ascii=False)
    frame.to_json(_path("pandas-records.json"), orient="records")
    frame.to_json(_path("pandas-columns.json"))
    frame.to_json(_path("pandas-table.json"), orient="table", index=False)
    frame.to_feather(_path("pandas.feather"))
    frame.to_pickle(_path("pandas.pkl"))
    frame.to_orc(_path("pandas.orc"))
    frame.to_html(_path("pandas.html"))


def write_polars() -> None:
    frame = pl.DataFrame(COLUMNS)
    frame.write_parquet(_path("polars.parquet"))
    frame.write_parquet(_path("polars-snappy.parquet"), compression="snappy", row_group_size=2)
    frame.write_parquet(_path("polars-lz4.parquet"), compression="lz4", data_page_size=1)
    frame.cast({"text": pl.Categorical}).write_parquet(_path("polars-categorical.parquet"))
    words = pl.Enum([text for text in TEXTS if text is not None])
    frame.cast({"text": words}).write_parquet(_path("polars-enum.parquet"))
    frame.cast({"text": pl.Binary}).write_parquet(_path("polars-binary.parquet"))
    frame.with_columns(part=pl.Series(PARTS)).write_parquet(_path("polars-partitioned"), partition_by="part")
    frame.write_csv(_path("polars.csv"))
    frame.write_csv(_path("polars-bom.csv"), include_bom=True, line_terminator="\r\n", quote_style="always")
    frame.write_csv(_path("polars-never.csv"), quote_style="never")
    frame.write_csv(_path("polars.tsv"), separator="\t")
    frame.write_ndjson(_path("polars.ndjson"))
    frame.write_json(_path("polars.json"))
    frame.write_ipc(_path("polars.arrow"))
    frame.write_ipc_stream(_path("polars-stream.ipc"))
    frame.write_avro(_path("polars.avro"))


def write_duckdb() -> None:
    with duckdb.connect() as connection:
        connection.register("given", pl.DataFrame(COLUMNS).to_arrow())
        connection.execute("create table t as select * from given order by id")
        words = ", ".join("'" + text.replace("'", "''") + "'" for text in TEXTS if text is not None)
        connection.execute(f"create type words as enum ({words})")
        connection.execute("set force_mbedtls_unsafe = 'true'")
        connection.execute("pragma add_parquet_key('k', '0123456789112345')")
        quoted = "to_json(text)::json as text"
        for name, columns, options in (
            ("duckdb.parquet", "*", "format parquet"),
            ("duckdb-v2.parquet", "*", "format parquet, parquet_version v2, compression zstd"),
            ("duckdb-brotli.parquet", "*", "format parquet, compression brotli"),
            ("duckdb-json.parquet", f"id, {quoted}, stars, day", "format parquet"),
            ("duckdb-enum.parquet", "id, text::words as text, stars, day", "format parquet"),
            ("duckdb-blob.parquet", "id, encode(text) as text, stars, day", "format parquet"),
            ("duckdb-uuid.parquet", "uuid() as text, id, stars, day", "format parquet"),
            ("duckdb-encrypted.parquet", "*", "format parquet, encryption_config {footer_key: 'k'}"),
            ("duckdb.csv", "*", "format csv"),
            ("duckdb-quoted.csv", "*", "format csv, force_quote *"),
            ("duckdb-no-header.csv", "*", "format csv, header false"),
            ("duckdb-other-quote.csv", "*", "format csv, quote ''''"),
            ("duckdb-escape.csv", "*", "format csv, escape '\\'"),
            ("duckdb.csv.gz", "*", "format csv, compression gzip"),
            ("duckdb.csv.zst", "*", "format csv, compression zstd"),
            ("duckdb.tsv", "*", "format csv, delimiter '\t'"),
            ("duckdb.json", "*", "format json"),
            ("duckdb-array.json", "*", "format json, array true"),
            ("duckdb-partitioned", "*, id > 4 as part", "format parquet, partition_by (part)"),
        ):
            connection.execute(f"copy (select {columns} from t order by id) to '{HERE / name}' ({options})")


def write_fastparquet() -> None:
    frame = pd.DataFrame(COLUMNS).astype({"text": object, "day": str})
    fastparquet.write(_path("fastparquet.parquet"), frame)
    fastparquet.write(_path("fastparquet-bytes.parquet"), _encoded(frame), object_encoding={"text": "bytes"})
    fastparquet.write(_path("fastparquet-json.parquet"), frame, object_encoding={"text": "json", "day": "utf8"})
    fastparquet.write(_path("fastparquet-gzip.parquet"), frame, compression="GZIP", row_group_offsets=3)
    fastparquet.write(_path("fastparquet-category.parquet"), frame.astype({"text": "category"}))
    fastparquet.write(_path("fastparquet-hive"), frame, file_scheme="hive", row_group_offsets=[0, 3])


def _encoded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(text=[None if text is None else text.encode() for text in TEXTS])


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    writers: list[Callable[[], None]] = [write_pandas, write_polars, write_duckdb, write_fastparquet]
    for write in writers:
        write()
    packages = ("pandas", "polars", "duckdb", "fastparquet", "pyarrow")
    versions = {name: importlib.metadata.version(name) for name in packages}
    (HERE / "_versions.json").write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
