"""Whatever holds text in a Parquet file is read as the text that pyarrow gives, or the file is refused."""

import pathlib
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import RecordBlock
from tests.helpers.reading import checked, dead_letters

_TEXTS = ["良い", "", "a\nb", "良い", "三" * 50, "x"]
_ENCODINGS = ("dictionary", "PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")


def _dictionary(value_type: pa.DataType, index_type: pa.DataType | None = None) -> pa.Array:
    values = pa.array(list(dict.fromkeys(_TEXTS)), pa.string()).cast(value_type)
    indices = [list(dict.fromkeys(_TEXTS)).index(text) for text in _TEXTS]
    return pa.DictionaryArray.from_arrays(pa.array(indices, index_type or pa.int32()), values)


def _json(storage: pa.DataType) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.json_(storage), pa.array(_TEXTS, storage))


_COLUMNS = {
    "string": pa.array(_TEXTS),
    "large_string": pa.array(_TEXTS, pa.large_string()),
    "string_view": pa.array(_TEXTS, pa.string_view()),
    "binary": pa.array([text.encode() for text in _TEXTS]),
    "large_binary": pa.array([text.encode() for text in _TEXTS], pa.large_binary()),
    "binary_view": pa.array([text.encode() for text in _TEXTS], pa.binary_view()),
    "fixed_size_binary": pa.array([b"%03d" % i for i in range(len(_TEXTS))], pa.binary(3)),
    "json": _json(pa.string()),
    "json of large strings": _json(pa.large_string()),
    "json of string views": _json(pa.string_view()),
    "strings of another extension": pa.ExtensionArray.from_storage(
        pa.opaque(pa.string(), "text", "a database"), pa.array(_TEXTS)
    ),
    "dictionary of strings": _dictionary(pa.string()),
    "dictionary of bytes": _dictionary(pa.binary(), pa.int8()),
    "dictionary of large strings": _dictionary(pa.large_string(), pa.int16()),
}


def _text_of(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _write(path: pathlib.Path, table: pa.Table, encoding: str, **options: object) -> bool:
    """Writes a file whose column "c" is in an encoding; tells whether there is such a file."""
    own = {} if encoding == "dictionary" else {"use_dictionary": False, "column_encoding": {"c": encoding}}
    try:
        pq.write_table(table, path, **own, **options)
    except (OSError, pa.ArrowNotImplementedError):
        return False
    return True


def _read(path: pathlib.Path, options: ReadOptions) -> tuple[list[RecordBlock], list[int]]:
    blocks = checked(iter_blocks(plan_work(str(path), options)))
    return blocks, [letter.position for letter in dead_letters(blocks)]


@pytest.mark.parametrize("stores_schema", [True, False])
@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("kind", list(_COLUMNS))
@pytest.mark.parametrize("dead", [False, True])
def test_every_type_with_text_is_read_with_every_encoding(
    tmp_path: pathlib.Path, kind: str, encoding: str, dead: bool, stores_schema: bool
) -> None:
    """As text, as id and as a kept field; with and without null, which is a dead letter as a text."""
    path = tmp_path / "a.parquet"
    column = _COLUMNS[kind]
    if dead:
        column = pa.concat_arrays([column, pa.nulls(1, column.type), column])
    bad = [len(_TEXTS)] if dead else []
    if not _write(path, pa.table({"c": column, "n": range(len(column))}), encoding, store_schema=stores_schema):
        assert encoding.startswith("DELTA_LENGTH")
        return
    if kind.startswith("dictionary") and encoding.startswith("DELTA") and stores_schema:
        # Arrow is to pack it as a dictionary by the file's own schema, and cannot.
        with pytest.raises(OSError, match="Not yet implemented"):
            pq.read_table(path)
        with pytest.raises(UsageError, match=r"^a\.parquet is packed in a way that Arrow cannot read \(Not yet"):
            _read(path, ReadOptions(text_field="c"))
        return
    expected = [_text_of(value) for value in pq.read_table(path)["c"].to_pylist()]
    good = [i for i in range(len(column)) if i not in bad]
    blocks, died = _read(path, ReadOptions(text_field="c"))
    assert ([text for block in blocks for text in block.texts], died) == ([expected[i] for i in good], bad)
    _check_id_and_kept(path, expected, bad)


def _check_id_and_kept(path: pathlib.Path, expected: list[object], bad: list[int]) -> None:
    schema = pq.read_schema(path)
    texts = pa.array([None if i in bad else "a" for i in range(len(expected))])
    table = pq.read_table(path).append_column("text", texts)
    pq.write_table(table, path)
    good = [i for i in range(len(expected)) if i not in bad]
    for kept in (KeptField("c"), KeptField("c", pa.string())):
        blocks, died = _read(path, ReadOptions(id_field="c", kept_fields=(kept,)))
        ids = [record_id for block in blocks for record_id in block.ids]
        cells = [_text_of(value) for block in blocks for value in block.kept_fields[0].to_pylist()]
        assert (ids, cells, died) == ([expected[i] for i in good], [expected[i] for i in good], bad)
        types = {str(block.kept_fields[0].type).replace("_view", "") for block in blocks}
        own = schema.field("c").type
        own = own.value_type if pa.types.is_dictionary(own) else own
        assert types == ({"string"} if kept.type else {str(own).replace("_view", "")})


@pytest.mark.parametrize("encoding", _ENCODINGS[:3])
@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "binary"])
def test_bytes_that_are_no_text_cost_their_record(tmp_path: pathlib.Path, kind: str, encoding: str) -> None:
    path = tmp_path / "a.parquet"
    cells = pa.array([b"a", b"\xff", b"c"], pa.binary())
    column = cells if kind == "binary" else cells.view(pa.string()).cast(pa.type_for_alias(kind), safe=False)
    assert _write(path, pa.table({"c": column, "text": ["x", "y", "z"]}), encoding)
    blocks, died = _read(path, ReadOptions(text_field="c"))
    assert ([text for block in blocks for text in block.texts], died) == (["a", "c"], [1])
    if kind != "binary":
        blocks, died = _read(path, ReadOptions(kept_fields=(KeptField("c"),)))
        assert ([text for block in blocks for text in block.texts], died) == (["x", "z"], [1])


_UUIDS = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"%016d" % i for i in range(3)], pa.binary(16)))
_VIEWS = pa.array(["a", "b", None], pa.string_view())
_WITHIN = {
    "views in a list": pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), _VIEWS),
    "views in a struct": pa.StructArray.from_arrays([_VIEWS], ["a"]),
    "views in a map": pa.MapArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), pa.array(["x", "y", "z"]), _VIEWS),
    "JSON in a list": pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), _json(pa.string()).slice(0, 3)),
    "UUIDs in a struct in a list": pa.ListArray.from_arrays(
        pa.array([0, 1, 2, 3], pa.int32()), pa.StructArray.from_arrays([_UUIDS], ["a"])
    ),
    "UUIDs in a list of fixed size": pa.FixedSizeListArray.from_arrays(_UUIDS, 1),
}


@pytest.mark.parametrize("kind", list(_WITHIN))
def test_what_lies_within_a_kept_column_is_kept_as_it_is_stored(tmp_path: pathlib.Path, kind: str) -> None:
    """Beside a dead letter; of these Arrow can take some only without their extension types."""
    path = tmp_path / "a.parquet"
    column = _WITHIN[kind]
    pq.write_table(pa.table({"text": ["a", None, "c"], "c": column}), path)
    blocks, died = _read(path, ReadOptions(kept_fields=(KeptField("c"),)))
    (kept,) = blocks[0].kept_fields
    assert died == [1]
    assert "extension" not in str(kept.type)
    assert "view" not in str(kept.type)
    stored = column.cast(kept.type)
    assert kept.equals(pa.concat_arrays([stored.slice(0, 1), stored.slice(2, 1)]))
    blocks, _ = _read(path, ReadOptions(id_field="c"))
    if "UUID" in kind:
        assert str(uuid.UUID(bytes=b"%016d" % 2)) in blocks[0].ids[1]


def test_a_bad_string_within_a_kept_column_costs_its_record(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    cells = pa.array([b"a", b"\xff", b"c"], pa.binary()).view(pa.string()).cast(pa.string_view(), safe=False)
    column = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), cells)
    pq.write_table(pa.table({"text": ["a", "b", "c"], "c": column}), path)
    blocks, died = _read(path, ReadOptions(kept_fields=(KeptField("c"),)))
    assert ([cell for block in blocks for cell in block.kept_fields[0].to_pylist()], died) == ([["a"], ["c"]], [1])


def test_what_is_no_text_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.parquet"
    ids = [uuid.UUID(int=i) for i in range(2)]
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([each.bytes for each in ids], pa.binary(16)))
    pq.write_table(pa.table({"c": column, "text": ["a", "b"]}), path)
    _, died = _read(path, ReadOptions(text_field="c"))
    assert died == [0, 1]
    blocks, died = _read(path, ReadOptions(id_field="c", kept_fields=(KeptField("c"),)))
    assert ([*blocks[0].ids], died) == ([str(each) for each in ids], [])
    assert blocks[0].kept_fields[0].equals(column)


def test_a_column_of_nulls_can_be_kept(tmp_path: pathlib.Path) -> None:
    pq.write_table(pa.table({"text": ["a", "b"], "n": pa.nulls(2)}), tmp_path / "a.parquet")
    options = ReadOptions(kept_fields=(KeptField("n"),))
    (block,), _ = _read(tmp_path / "a.parquet", options)
    assert (block.kept_fields[0].type, block.kept_fields[0].to_pylist()) == (pa.string(), [None, None])
    pq.write_table(pa.table({"text": ["c"], "n": pa.array([7], pa.int16())}), tmp_path / "b.parquet")
    (block,), _ = _read(tmp_path, options)
    assert (block.kept_fields[0].type, block.kept_fields[0].to_pylist()) == (pa.int16(), [None, None, 7])


@pytest.mark.parametrize(
    ("one", "other", "wider"),
    [
        (pa.int32(), pa.int64(), pa.int64()),
        (pa.int8(), pa.uint8(), pa.int16()),
        (pa.string(), pa.large_string(), pa.large_string()),
        (pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.string()),
        (pa.string(), pa.string_view(), pa.string()),
        (pa.int16(), pa.float32(), pa.float32()),
        (pa.int32(), pa.float64(), pa.float64()),
        (pa.float32(), pa.float64(), pa.float64()),
        (pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us")),
        (pa.int64(), pa.float64(), None),
        (pa.int64(), pa.string(), None),
        (pa.bool_(), pa.int8(), None),
    ],
    ids=str,
)
def test_kept_types_of_two_files_are_widened(
    tmp_path: pathlib.Path, one: pa.DataType, other: pa.DataType, wider: pa.DataType | None
) -> None:
    def value(type_: pa.DataType) -> pa.Array:
        is_text = not pa.types.is_primitive(type_)
        return pa.array(["1"] if is_text else [1]).cast(type_)

    for order in ((one, other), (other, one)):
        for name, type_ in zip("ab", order, strict=True):
            pq.write_table(pa.table({"text": ["x"], "k": value(type_)}), tmp_path / f"{name}.parquet")
        options = ReadOptions(kept_fields=(KeptField("k"),))
        if wider is None:
            with pytest.raises(UsageError, match=r"^The field 'k' is .* in a\.parquet and .* in b\.parquet; say its"):
                plan_work(str(tmp_path), options)
            continue
        (block,), died = _read(tmp_path, options)
        assert (block.kept_fields[0].type, died) == (wider, [])
        assert block.kept_fields[0].equals(pa.concat_arrays([value(type_).cast(wider) for type_ in order]))


class _Keys(pe.KmsClient):
    """A key server that gives every key away."""

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        return key_bytes.hex().encode()

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        return bytes.fromhex(wrapped_key.decode())


@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.encrypted", "a"])
@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_an_encrypted_file_is_called_encrypted(tmp_path: pathlib.Path, plaintext_footer: bool, name: str) -> None:
    """Also by its first and last bytes alone: else its bytes would be scored as lines."""
    path = tmp_path / name
    factory = pe.CryptoFactory(lambda _: _Keys())
    settings = pe.EncryptionConfiguration(
        footer_key="f", column_keys={"c": ["text"]}, plaintext_footer=plaintext_footer, double_wrapping=False
    )
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    table = pa.table({"text": ["a"] * 100})
    with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(UsageError, match=rf"^{name} is an encrypted Parquet file, which is not read"):
        _read(path, ReadOptions())


def test_text_twice_is_refused(tmp_path: pathlib.Path) -> None:
    columns = [pa.array(["a"]), pa.array([1]), pa.array(["b"])]
    for names, options in ((["text", "n", "text"], ReadOptions()), (["text", "n", "n"], ReadOptions(id_field="n"))):
        pq.write_table(pa.Table.from_arrays(columns, names=names), tmp_path / "a.parquet")
        with pytest.raises(UsageError, match=rf"^a\.parquet has the field '{names[2]}' twice; rename one of them"):
            plan_work(str(tmp_path / "a.parquet"), options)
    pq.write_table(pa.Table.from_arrays(columns, names=["text", "n", "n"]), tmp_path / "a.parquet")
    blocks, _ = _read(tmp_path / "a.parquet", ReadOptions())
    assert blocks[0].texts == ["a"]
