"""Rows of CSV end where a reader that goes character by character says, and a stray quote costs its own line only."""

import csv
import io
import pathlib
from typing import Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from saiten.pipelines.reading.lines import row_scan
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.row_grammar import RowGrammar
from saiten.pipelines.reading.lines.row_scan import scan_rows
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.plan import plan_work
from saiten.pipelines.reading.read_range import iter_blocks
from saiten.pipelines.records import FileSlice
from tests.helpers.reading import checked, dead_letters, read_file, rows

_PIECES = ["a", '"', '""', ",", "\n", "\r\n", "\r", '\n"', '"\n', ',"', '",', "xxxxxxxx"]
_CONTENT = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


def _rows_by_hand(text: str, least: int, most: int, n_lines: int) -> list[tuple[str, bool]]:
    """Each row's characters, and whether it can be read; the last line need not have an end, but counts as if."""
    found, start = [], 0
    whole = text if text.endswith("\n") else text + "\n"
    while start < len(text):
        lines = whole[start:].split("\n", n_lines)[:n_lines]
        bound = min(most, max(least, sum(len(line) + 1 for line in lines))) if len(lines) == n_lines else most
        end, is_good = _row_by_hand(whole, start, bound)
        if text[start:end].strip("\r\n") or not is_good:
            found.append((text[start:end], is_good))
        start = end
    return found


def _row_by_hand(text: str, start: int, most: int) -> tuple[int, bool]:
    """Where the row ends, and whether it can be read; one that cannot ends behind the line with the fault."""
    cell = i = start
    state = "begin"
    while i < min(len(text), start + most):
        char = text[i]
        if state == "quoted":
            state = "quote" if char == '"' else state
        elif state == "quote" and char == '"':
            state = "quoted"
        elif char == "\n":
            return i + 1, True
        elif char == ",":
            cell, state = i + 1, "begin"
        elif text[i : i + 2] == "\r\n":
            pass
        elif char == "\r":
            return _line_end(text, cell if state == "quote" else i), False
        elif state == "quote":
            return _line_end(text, cell), False
        else:
            state = "quoted" if char == '"' and state == "begin" else "bare"
        i += 1
    return _line_end(text, cell), False


def _line_end(text: str, place: int) -> int:
    return text.index("\n", place) + 1


@given(
    _CONTENT,
    st.sampled_from([7, 28, 1000]),
    st.sampled_from([1, 12]),
    st.sampled_from([1, 3, 100]),
    st.integers(1, 20),
    st.sampled_from(["utf-8", "utf-16-le"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=500)
@example('"', 7, 1, 100, 1, "utf-8")
@example('"a\n"b', 28, 1, 100, 3, "utf-8")
@example('a\n"\n\n"\r', 28, 1, 100, 2, "utf-8")
@example('"\na\n""\n\n"', 7, 1, 100, 1, "utf-8")
@example('"\na\n""\n\n"\n', 7, 1, 100, 1, "utf-8")
@example('"\na\n"" \n"', 7, 1, 100, 1, "utf-8")
def test_rows_end_where_they_do_by_hand(
    content: str, most: int, least: int, n_lines: int, chunk_bytes: int, codec: str
) -> None:
    width = len("a".encode(codec))
    data = content.encode(codec)
    piece = FileSlice("a", "a", 0, len(data), 0, len(data), "", codec=codec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_scan, "_OPEN_QUOTE_BYTES", most * width)
        patch.setattr(row_scan, "_OPEN_QUOTE_LINES", n_lines)
        chunks = Chunks(io.BytesIO(data), piece, chunk_bytes)
        runs = list(scan_rows(chunks, RowGrammar(",", has_quotes=True), least * width))
    bounds = [(run.offset, run.end) for run in runs]
    assert [0, *(end for _, end in bounds)] == [*(start for start, _ in bounds), len(data)]
    ends = {end for run in runs for end in _ends(run.offset, run.end, data, codec, run.is_one_row)}
    expected = _rows_by_hand(content, least + 2, max(least, most) + 2, n_lines)
    assert sum(run.n_rows for run in runs) == len(expected)
    place, expected_ends = 0, set()
    for row, _ in expected:
        place = content.index(row, place) + len(row)
        expected_ends.add(place * width)
    assert expected_ends <= ends


def _ends(start: int, end: int, data: bytes, codec: str, is_one_row: bool) -> list[int]:
    """Where the rows of a run end: where it does, or where each of its lines does."""
    if is_one_row:
        return [end]
    text = data[start:end].decode(codec)
    width = len("a".encode(codec))
    return [start + (i + 1) * width for i, char in enumerate(text) if char == "\n"] + [end]


_CELL = st.text(st.sampled_from(["a", '"', ",", "\n", "\r", "良", " ", "\t"]), max_size=6)


# With line feeds alone, `csv` leaves a carriage return in a cell without quotes.
_STYLES = [("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_NONNUMERIC)]


@given(st.lists(st.tuples(_CELL, _CELL), max_size=12), st.sampled_from(_STYLES), st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_csv_writes_is_what_is_read(
    tmp_path: pathlib.Path, records: list[tuple[str, str]], style: tuple[str, Literal[0, 1, 2, 3]], target: int
) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator=style[0], quoting=style[1])
        writer.writerows([("id", "text"), *records])
    plan = plan_work(str(path), ReadOptions(id_field="id"), target, n_workers=2)
    blocks = checked(iter_blocks(plan))
    assert dead_letters(blocks) == []
    assert [row[2:] for row in rows(blocks)] == [(id_ or f"a.csv:{i}", text) for i, (id_, text) in enumerate(records)]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("place", [0, 4_999, 9_999])
def test_a_quote_that_never_closes_costs_its_own_line(tmp_path: pathlib.Path, ending: str, place: int) -> None:
    """10,000 rows, in one of which a field begins with a quotation mark."""
    path = tmp_path / f"a.{ending}"
    mark = {"csv": ",", "tsv": "\t"}[ending]
    lines = [f"{i}{mark}{'*' if i == place else ''}text {i}\n" for i in range(10_000)]
    path.write_text(f"id{mark}text\n" + "".join(lines).replace("*", '"'), "utf-8")
    blocks = read_file(path, ReadOptions(id_field="id"))
    good, bad = rows(blocks), dead_letters(blocks)
    if ending == "tsv":
        assert (len(good), good[place][3], bad) == (10_000, f'"text {place}', [])
        return
    assert [row[1] for row in good] == [i for i in range(10_000) if i != place]
    assert [(letter.position, letter.code, letter.n_lines) for letter in bad] == [(place, "BAD_CSV_ROW", 1)]
    assert bad[0].message == "A quote that opens in its last line is never closed, so the row ends there."
    assert bad[0].raw == f'{place},"text {place}'.encode()


def test_a_quote_is_not_looked_for_beyond_the_bound(tmp_path: pathlib.Path) -> None:
    """What closes it is 12 MB away; to a reader without a bound all lines between were one record."""
    path = tmp_path / "a.csv"
    filling = "".join(f"{i},text {i:06}\n" for i in range(700_000))
    path.write_text(f'id,text\nx,"open\n{filling}y,closed"\n', "utf-8")
    blocks = read_file(path, ReadOptions(id_field="id"))
    bad = dead_letters(blocks)
    assert sum(len(block.texts) for block in blocks) == 700_001
    assert [(letter.position, letter.message) for letter in bad] == [
        (0, "A quote that opens in its last line is never closed within 10,485,760 bytes, so the row ends there.")
    ]


@pytest.mark.parametrize(("limit", "n_good", "code"), [(3000, 399, "BAD_CSV_ROW"), (9000, 100, None)])
def test_the_bound_is_that_of_a_record(tmp_path: pathlib.Path, limit: int, n_good: int, code: str | None) -> None:
    """A quote closes 300 lines behind: these are one record if it may be so long, else the records they look like."""
    path = tmp_path / "a.csv"
    lines = [f"{i},{'*' if i == 50 else ''}text {i:06}{'*' if i == 350 else ''}\n" for i in range(400)]
    path.write_text("id,text\n" + "".join(lines).replace("*", '"'), "utf-8")
    blocks = read_file(path, ReadOptions(max_record_bytes=limit))
    assert [(letter.position, letter.code, letter.n_lines) for letter in dead_letters(blocks)] == (
        [(50, code, 1)] if code else []
    )
    assert len(rows(blocks)) == n_good


@pytest.mark.parametrize(("text", "n_lines"), [('1,"a\nb",c\n', 2), ('1,"' + "a\n" * 30 + '"\n', 31)])
def test_a_dead_letter_counts_its_lines(tmp_path: pathlib.Path, text: str, n_lines: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,text\n{text}2,b\n", "utf-8")
    (letter,) = dead_letters(read_file(path, ReadOptions(max_record_bytes=50)))
    assert letter.n_lines == n_lines
