"""Ids and kept fields reach the output from every format, and a bad one costs only its record."""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.pipelines.reading.options import ReadOptions, parse_kept_fields
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import RecordBlock
from tests.helpers.reading import checked


def _read(path: pathlib.Path, kept: str, id_field: str | None = None) -> RecordBlock:
    options = ReadOptions(id_field=id_field, kept_fields=parse_kept_fields(kept))
    (block,) = checked(iter_blocks(plan_work(str(path), options)))
    return block


def _columns(block: RecordBlock) -> list[tuple[str, list[object]]]:
    return [(str(column.type), column.to_pylist()) for column in block.kept_fields]


def test_json_values_as_strings_are_as_they_were_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text":"1","x":"s"}\n{"text":"2","x":1.50}\n{"text":"3","x":123456789012345678901234567890}\n'
        '{"text":"4","x":false}\n{"text":"5","x":{"あ": [1, 2.0, 123456789012345678901]}}\n{"text":"6","x":null}\n'
        '{"text":"7"}\n{"text":"8","x":1E5,"x":-0}\n',
        "utf-8",
    )
    block = _read(path, "x")
    values = [
        "s",
        "1.50",
        "123456789012345678901234567890",
        "false",
        '{"あ":[1,2.0,123456789012345678901]}',
        None,
        None,
    ]
    assert _columns(block) == [("string", [*values, "0"])]
    assert block.dead_letters == ()


def test_json_values_with_types(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text":"1","i":1,"f":0.5,"b":true}\n{"text":"2","i":1.5,"f":1,"b":false}\n'
        '{"text":"3","i":18446744073709551615}\n{"text":"4","f":1e999}\n{"text":"5"}\n{"text":"6","b":"no"}\n',
        "utf-8",
    )
    block = _read(path, "i:int64,f:float64,b:bool")
    assert list(block.texts) == ["1", "5"]
    assert _columns(block) == [("int64", [1, None]), ("double", [0.5, None]), ("bool", [True, None])]
    assert [(letter.code, letter.message) for letter in block.dead_letters] == [
        ("BAD_FIELD", "The field 'i' is no int64."),
        ("BAD_FIELD", "The field 'i' is no int64."),
        ("BAD_FIELD", "The field 'f' is no double."),
        ("BAD_FIELD", "The field 'b' is no bool."),
    ]


def test_a_dead_letter_has_the_records_id(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"a","id":"ok"}\n{"text":1,"id":"bad"}\n{\n')
    block = _read(path, "", "id")
    assert list(block.ids) == ["ok"]
    assert [letter.id for letter in block.dead_letters] == ["bad", "a.jsonl:45"]


def test_csv_fields(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,s,n,t\na,,,\nb, x ,7,2026-11-22\nc,x,seven,\n")
    block = _read(path, "n:int64,s,t:timestamp")
    assert [(kind, [None if cell is None else str(cell) for cell in cells]) for kind, cells in _columns(block)] == [
        ("int64", [None, "7"]),
        ("string", ["", " x "]),
        ("timestamp[us, tz=UTC]", [None, "2026-11-22 00:00:00+00:00"]),
    ]
    assert [(letter.position, letter.code) for letter in block.dead_letters] == [(2, "BAD_FIELD")]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, 3], pa.int16()),
        pa.array([1.5, None, float("inf")], pa.float32()),
        pa.array(["a", None, "c"], pa.large_string()),
        pa.array([b"\xff", None, b""], pa.binary()),
        pa.array([1, None, 2], pa.timestamp("ns")),
        pa.array([[1], None, []], pa.list_(pa.int64())),
        pa.array([{"a": "x"}, None, {"a": None}]),
        pa.array([1, None, 2], pa.decimal128(10, 2)),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_columns_keep_type_and_values(tmp_path: pathlib.Path, column: pa.Array) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["1", None, "3"], "x": column}), path)
    block = _read(path, "x")
    whole = pq.read_table(path)["x"].combine_chunks()
    assert block.kept_fields[0].equals(whole.take(pa.array([0, 2])))
    assert [letter.code for letter in block.dead_letters] == ["TEXT_MISSING"]


def test_parquet_columns_with_a_type_asked_for(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"text": ["1", "2", "3"], "x": ["7", None, "seven"], "n": [1, 2, 3], "d": [0.5, 1.0, None]})
    pq.write_table(table, path)
    block = _read(path, "x:int64,n:string,d:timestamp")
    assert _columns(block)[:2] == [("int64", [7, None]), ("string", ["1", "2"])]
    assert [str(cell) for cell in block.kept_fields[2].to_pylist()] == [
        "1970-01-01 00:00:00.500000+00:00",
        "1970-01-01 00:00:01+00:00",
    ]
    assert [(letter.position, letter.code, letter.message) for letter in block.dead_letters] == [
        (2, "BAD_FIELD", "The field 'x' is no int64.")
    ]


def test_parquet_column_that_one_file_lacks_is_null_there(tmp_path: pathlib.Path) -> None:
    pq.write_table(pa.table({"text": ["a"], "n": pa.array([1], pa.int8())}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["b"]}), tmp_path / "b.parquet")
    assert _columns(_read(tmp_path, "n")) == [("int8", [1, None])]


def test_parquet_kept_string_that_is_no_utf8_costs_its_record(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    bad = pa.array([b"ok", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": ["a", "b"], "x": bad, "y": pa.ListArray.from_arrays([0, 1, 2], bad)}), path)
    for kept in ("x", "y"):
        block = _read(path, kept)
        assert list(block.texts) == ["a"]
        assert [letter.code for letter in block.dead_letters] == ["BAD_UTF8"]


def _nanoseconds(strings: list[bytes], kind: pa.DataType, times: list[int]) -> pa.Array:
    moments = pa.array(times, pa.int64()).view(kind)
    return pa.StructArray.from_arrays([pa.array(strings, pa.binary()).view(pa.string()), moments], ["s", "t"])


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.time64("ns"), pa.duration("ns"), pa.timestamp("us")])
def test_a_bad_string_leaves_the_neighbours_what_only_arrow_can_hold(tmp_path: pathlib.Path, kind: pa.DataType) -> None:
    """Python has no time in nanoseconds, nor one 300,000 years from now."""
    path, times = tmp_path / "a.parquet", [10**18 + 1, 10**18 + 1, 10**18 + 3]
    if pa.types.is_time(kind):
        times = [1, 2, 3]
    column = _nanoseconds([b"a", b"\xff", b"c"], kind, times)
    pq.write_table(pa.table({"text": ["x", "y", "z"], "k": column}), path)
    block = _read(path, "k")
    assert [(letter.position, letter.code) for letter in block.dead_letters] == [(1, "BAD_UTF8")]
    (kept,) = block.kept_fields
    assert kept.equals(pa.concat_arrays([column.slice(0, 1), column.slice(2)]))


@pytest.mark.parametrize("kept", ["k:int64", "k:string", "k:float64", "k:bool", "k:timestamp"])
def test_a_value_that_python_does_not_have_costs_its_record_only(tmp_path: pathlib.Path, kept: str) -> None:
    path = tmp_path / "a.parquet"
    column = pa.array([None, [1], None], pa.list_(pa.timestamp("ns")))
    pq.write_table(pa.table({"text": ["x", "y", "z"], "k": column}), path)
    block = _read(path, kept)
    assert [(letter.position, letter.code) for letter in block.dead_letters] == [(1, "BAD_FIELD")]
    assert block.texts == ["x", "z"]


def test_an_id_that_python_does_not_have_costs_its_record_only(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x", "y"], "k": pa.array([[1], [1000]], pa.list_(pa.timestamp("ns")))}), path)
    block = _read(path, "", id_field="k")
    assert [(letter.position, letter.code) for letter in block.dead_letters] == [(0, "BAD_FIELD")]
    assert block.ids == ['["1970-01-01 00:00:00.000001"]']
