"""The fields that are asked for are in the files, or the message says which are there instead."""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import KeptField, ReadOptions, parse_kept_fields
from saiten.pipelines.reading.plan import plan_work


def test_kept_fields_get_their_types(tmp_path: pathlib.Path) -> None:
    pq.write_table(
        pa.table({"text": ["a"], "n": pa.array([1], pa.int16()), "d": pa.array(["x"]).dictionary_encode()}),
        tmp_path / "a.parquet",
    )
    options = ReadOptions(kept_fields=parse_kept_fields("n,d,text:string"))
    assert plan_work(str(tmp_path), options).options.kept_fields == (
        KeptField("n", pa.int16()),
        KeptField("d", pa.string()),
        KeptField("text", pa.string()),
    )
    (tmp_path / "b.jsonl").write_bytes(b'{"text":"a"}\n')
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path), options)
    assert str(raised.value) == (
        "The field 'n' is int16 in a.parquet and string in b.jsonl; say its type: --keep_fields=n:string."
    )
    typed = ReadOptions(kept_fields=parse_kept_fields("n:int64"))
    assert plan_work(str(tmp_path), typed).options.kept_fields == (KeptField("n", pa.int64()),)


@pytest.mark.parametrize(
    ("text_field", "asked"),
    [(None, "'text', and no --text_field names another"), ("text", "'text' of --text_field")],
)
def test_a_missing_field_is_named_with_the_nearest(tmp_path: pathlib.Path, text_field: str | None, asked: str) -> None:
    """A flag that nobody gave is not blamed."""
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": 1, "title": "t", "texts": "b"}) + "\n", "utf-8")
    (tmp_path / "b.csv").write_text("id,title,texts\n", "utf-8")
    for file, found in (("a.jsonl", "The only record does not have the"), ("b.csv", "b.csv has no")):
        with pytest.raises(UsageError) as raised:
            plan_work(str(tmp_path / file), ReadOptions(text_field=text_field))
        assert str(raised.value) == f"{found} field {asked}; there are: 'texts', 'title', 'id'."


def test_the_field_may_come_late_but_not_after_a_thousand(tmp_path: pathlib.Path) -> None:
    for n_before, is_found in ((999, True), (1000, False)):
        (tmp_path / "a.jsonl").write_bytes(b'{"a":1}\n' * (n_before // 2))
        (tmp_path / "b.jsonl").write_bytes(b'{"a":1}\n' * (n_before - n_before // 2) + b'{"text":"a"}\n')
        if is_found:
            plan_work(str(tmp_path), ReadOptions())
        else:
            with pytest.raises(UsageError, match="'text'"):
                plan_work(str(tmp_path), ReadOptions())


def test_the_first_thousand_are_not_only_those_of_the_first_range(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a":1}\n' * 500 + b'{"text":"a"}\n')
    assert len(plan_work(str(tmp_path), ReadOptions(), 100).ranges) > 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ReadOptions(id_field="nr"), "a.csv has no field 'nr' of --id_field; there are: "),
        (ReadOptions(kept_fields=(KeptField("dat"),)), "'dat' of --keep_fields; there are: 'date', 'text'."),
    ],
)
def test_a_header_must_have_every_field(tmp_path: pathlib.Path, options: ReadOptions, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,date\na,b\n")
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path), options)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ReadOptions(id_field="nr"), "The only record of a.jsonl does not have the field 'nr' of --id_field; there"),
        (ReadOptions(kept_fields=(KeptField("rare"),)), "'rare' of --keep_fields; there are: 'text'."),
    ],
)
def test_a_field_that_no_object_has_is_a_misspelt_one(
    tmp_path: pathlib.Path, options: ReadOptions, message: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text":"a"}\n')
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path), options)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("n_records", "said"),
    [(2, "None of the 2 records"), (999, "None of the 999 records"), (1_000, "None of the first 1,000 records"),
     (1_200, "None of the first 1,000 records")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("options", "rest"),
    [
        (ReadOptions(), " has the field 'text', and no --text_field names another; there are: 'a', 'b'."),
        (
            ReadOptions(text_field="a", id_field="nr"),
            " of a.jsonl has the field 'nr' of --id_field; there are: 'a', 'b'.",
        ),
        (
            ReadOptions(text_field="a", kept_fields=(KeptField("k"),)),
            " has the field 'k' of --keep_fields; there are: 'a', 'b'.",
        ),
    ],
)
def test_it_is_said_of_how_many_records_none_has_a_field(
    tmp_path: pathlib.Path, n_records: int, said: str, options: ReadOptions, rest: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a":"x","b":1}\n' * n_records)
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path / "a.jsonl"), options)
    assert str(raised.value) == said + rest


def test_a_kept_field_that_no_header_has_is_in_no_file(tmp_path: pathlib.Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"text,date\na,b\n")
    with pytest.raises(
        UsageError, match=r"^No file has the field 'dat' of --keep_fields; there are: 'date', 'text'\.$"
    ):
        plan_work(str(tmp_path), ReadOptions(kept_fields=(KeptField("dat"),)))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "これは秘密の一行目です,本文\nb,c\n"), ("a.jsonl", '{"これは秘密の一行目です": 1, "本文": "a"}\n')],
)
def test_a_name_that_may_be_a_records_text_is_not_shown(tmp_path: pathlib.Path, name: str, content: str) -> None:
    """The first row of a file without a header is a record."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path), ReadOptions())
    assert str(raised.value).endswith("there are: '本文', 1 longer, which may be text (is there a header?).")


def test_json_may_have_a_kept_field_later_if_its_type_is_given(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text":"a"}\n')
    kept = (KeptField("rare", pa.string()),)
    assert plan_work(str(tmp_path), ReadOptions(kept_fields=kept)).options.kept_fields == kept


def test_a_header_that_cannot_be_read_asks_for_the_encoding(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_bytes("本文,番号\nあ,1\n".encode("cp932"))
    with pytest.raises(
        UsageError,
        match=r"^a\.csv: no header can be read \(Byte 0 .*\); a Japanese Excel writes cp932: is it in .* --encoding\?$",
    ):
        plan_work(str(tmp_path), ReadOptions(text_field="本文"))


def test_plain_text_has_no_fields(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\n")
    with pytest.raises(UsageError) as raised:
        plan_work(str(tmp_path), ReadOptions(id_field="id"))
    assert str(raised.value) == (
        "a.txt is plain text, which has no field 'id' for --id_field; leave it out, or say the --input_format."
    )


def test_records_that_cannot_be_parsed_are_no_missing_field(tmp_path: pathlib.Path) -> None:
    """They become dead letters, which say what is wrong."""
    (tmp_path / "a.jsonl").write_bytes(b"{\n[]\n\xff\n")
    assert len(plan_work(str(tmp_path), ReadOptions()).ranges) == 1
