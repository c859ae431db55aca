"""Kept columns that Arrow packs, widens or reads in a way of its own."""

import io
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import KeptField, ReadOptions
from saiten.pipelines.reading.parquet.rows import open_parquet
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from tests.helpers.reading import checked

_KEPT = ReadOptions(kept_fields=(KeptField("k"),))
_WORDS = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.uint32()), pa.array(["a", "b"]))
_COLUMNS = {
    "dictionaries in lists": pa.ListArray.from_arrays(pa.array([0, 1, 1, 3], pa.int32()), _WORDS),
    "dictionaries in large lists": pa.LargeListArray.from_arrays(pa.array([0, 1, 1, 3], pa.int64()), _WORDS),
    "dictionaries in structs": pa.StructArray.from_arrays([_WORDS], ["d"]),
    "dictionaries in maps": pa.MapArray.from_arrays(
        pa.array([0, 1, 2, 3], pa.int32()), pa.array(["x", "y", "z"]), _WORDS
    ),
    "dictionaries in structs in lists": pa.ListArray.from_arrays(
        pa.array([0, 1, 1, 3], pa.int32()), pa.StructArray.from_arrays([_WORDS], ["d"])
    ),
    "tensors": pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(6).reshape(3, 2)).storage.cast(
        pa.list_(pa.int64(), 2)
    ),
}


@pytest.mark.parametrize("kind", list(_COLUMNS))
def test_is_kept_by_its_values(tmp_path: pathlib.Path, kind: str) -> None:
    """Beside a dead letter, in two files, and cut."""
    column = _COLUMNS[kind]
    written = (
        pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int64(), [2]), column) if kind == "tensors" else column
    )
    for name in ("a", "b"):
        pq.write_table(pa.table({"text": ["x", None, "z"], "k": written}), tmp_path / f"{name}.parquet")
    blocks = checked(iter_blocks(plan_work(str(tmp_path), _KEPT, 1, n_workers=2)))
    values = column.to_pylist()
    assert [cell for block in blocks for cell in block.kept_fields[0].to_pylist()] == [values[0], values[2]] * 2
    (kind_kept,) = {block.kept_fields[0].type for block in blocks}
    assert "dictionary" not in str(kind_kept)
    assert "extension" not in str(kind_kept)


@pytest.mark.parametrize("signed", [pa.int8(), pa.int32(), pa.int64()])
def test_no_type_holds_integers_of_64_bits_with_and_without_a_sign(tmp_path: pathlib.Path, signed: pa.DataType) -> None:
    pq.write_table(pa.table({"text": ["x"], "k": pa.array([-1], signed)}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["y"], "k": pa.array([2**64 - 1], pa.uint64())}), tmp_path / "b.parquet")
    with pytest.raises(
        UsageError, match=r"^The field 'k' is int.* in a\.parquet and uint64 in b\.parquet; say its type"
    ):
        plan_work(str(tmp_path), _KEPT)


@pytest.mark.parametrize(
    "reason",
    [
        "UTF8 can only annotate BYTE_ARRAY fields",
        "Expected all lists to be of size=2 but index 3 had size=0",
        "Length spanned by list offsets (5) larger than values array (length 4)",
    ],
)
def test_what_arrow_cannot_read_is_not_called_damage(reason: str) -> None:
    """fastparquet writes the first, Polars and DuckDB the others; all of them read what they wrote."""
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), file)
    message = r"^a\.parquet is packed in a way that Arrow cannot read \(.*\); write it in another encoding, or as"
    with pytest.raises(UsageError, match=message), open_parquet(file, "a.parquet"):
        raise pa.ArrowInvalid(reason)
