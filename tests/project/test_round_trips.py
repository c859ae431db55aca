"""Whatever texts other programs write, in any format, come back as they were."""

import csv
import io
import json
import pathlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from saiten.pipelines.reading.options import KeptField, ReadOptions
from tests.helpers.reading import dead_letters, read_file, rows

_IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_TEXT = st.text(
    st.one_of(st.sampled_from('",\t\n\r\0\ufeff 良'), st.characters(exclude_categories=["Cs"])), max_size=12
)
_RECORDS = st.lists(st.tuples(_TEXT, _TEXT), max_size=8)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@given(records=_RECORDS, ascii_only=st.booleans(), line_end=st.sampled_from(["\n", "\r\n"]))
@_IN_ONE_FOLDER
def test_json(
    tmp_path: pathlib.Path, encoding: str, records: list[tuple[str, str]], ascii_only: bool, line_end: str
) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": text, "other": other}, ensure_ascii=ascii_only) for text, other in records]
    path.write_bytes("".join(line + line_end for line in lines).encode(encoding))
    blocks = read_file(path, ReadOptions(encoding=encoding, id_field="other", kept_fields=(KeptField("other"),)))
    assert [(text, record_id) for _, _, record_id, text in rows(blocks)] == records
    assert [cell for block in blocks for cell in block.kept_fields[0].to_pylist()] == [other for _, other in records]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@given(records=_RECORDS, line_end=st.sampled_from(["\n", "\r\n"]), limit=st.integers(10, 80))
@example(records=[("", "\x19\x08\x08"), ("\x08\x08", "\x19\x08\x08")], line_end="\n", limit=10)
@_IN_ONE_FOLDER
def test_delimited(
    tmp_path: pathlib.Path,
    ending: str,
    encoding: str,
    records: list[tuple[str, str]],
    line_end: str,
    limit: int,
) -> None:
    """Rows that are too long are dead letters, and their neighbours whole.

    The format is said: a file of little else than control characters would be taken for a binary one.
    """
    path = tmp_path / f"a.{ending}"
    written = [_as_delimited(record, ending, line_end) for record in [("text", "other"), *records]]
    path.write_bytes("".join(written).encode(encoding))
    kept = (KeptField("other"),)
    options = ReadOptions(
        input_format=ending, encoding=encoding, quoting="csv", kept_fields=kept, max_record_bytes=limit
    )
    blocks = read_file(path, options)
    width = "utf-16-le" if encoding == "utf-16" else "utf-8"
    sizes = [len(row.removesuffix(line_end).encode(width)) for row in written[1:]]
    good = [(i, text) for i, (text, _) in enumerate(records) if sizes[i] <= limit]
    assert [(position, text) for _, position, _, text in rows(blocks)] == good
    assert [cell for block in blocks for cell in block.kept_fields[0].to_pylist()] == [records[i][1] for i, _ in good]
    assert [(letter.position, letter.code, letter.raw_bytes) for letter in dead_letters(blocks)] == [
        (i, "TOO_LARGE", size) for i, size in enumerate(sizes) if size > limit
    ]


def _as_delimited(record: tuple[str, str], ending: str, line_end: str) -> str:
    file = io.StringIO()
    # Left to itself, Python 3.11 quotes a carriage return only where the line end has one.
    quoting = csv.QUOTE_ALL if "\r" in "".join(record) else csv.QUOTE_MINIMAL
    delimiter = "," if ending == "csv" else "\t"
    csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerow(record)
    return file.getvalue()
