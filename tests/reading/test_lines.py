"""Lines are the same whatever the chunks they come in, and however the file is cut."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saiten.pipelines.reading.lines.breaks import LineBreaks
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.lines import LineBatch, LongLine, read_lines
from saiten.pipelines.reading.rows import BLOCK_RECORDS
from saiten.pipelines.records import FileSlice

_CODECS = ("cp932", "utf-8", "utf-16-le", "utf-16-be")
_ENDS = ("\n", "\r")
# Few different bytes, so that line ends, halves of them and long lines come often.
_CONTENT = st.lists(st.sampled_from([b"\n", b"\r", b"\0", b"a", b'"', b"\x0a\x00", b"\x00\x0a"]), max_size=60).map(
    b"".join
)


def _chunks(
    content: bytes, breaks: LineBreaks, chunk_bytes: int = 1000, start: int = 0, end: int | None = None
) -> Chunks:
    size = len(content)
    stop = size if end is None else end
    piece = FileSlice("a", "a", start, stop, 0, size, "", codec=breaks.codec, line_end=breaks.end)
    return Chunks(io.BytesIO(content), piece, chunk_bytes)


def _lines_by_hand(content: bytes, breaks: LineBreaks) -> list[tuple[int, bytes]]:
    """Position and bytes of each line, found character by character."""
    lines, start = [], 0
    for i in range(0, len(content), breaks.width):
        if content[i : i + breaks.width] == breaks.end_bytes:
            lines.append((start, content[start:i]))
            start = i + breaks.width
    return [*lines, (start, content[start:])] if start < len(content) else lines


def _flat(batches: list[LineBatch | LongLine]) -> list[tuple[int, bytes]]:
    lines = []
    for batch in batches:
        assert isinstance(batch, LineBatch)
        lines += zip(batch.positions, batch.lines, strict=True)
    return lines


@given(_CONTENT, st.sampled_from(_CODECS), st.sampled_from(_ENDS), st.integers(1, 18))
def test_chunks_do_not_change_lines(content: bytes, codec: str, end: str, chunk_bytes: int) -> None:
    breaks = LineBreaks(codec, end)
    batches = list(read_lines(_chunks(content, breaks, chunk_bytes), 1000))
    assert _flat(batches) == _lines_by_hand(content, breaks)


@given(_CONTENT, st.sampled_from(_CODECS), st.sampled_from(_ENDS), st.integers(1, 18), st.integers(1, 8))
@example(b"\n\n\n\n\n\n\0", "utf-16-le", "\n", 18, 1)
def test_long_lines_keep_head_and_true_length(
    content: bytes, codec: str, end: str, chunk_bytes: int, limit: int
) -> None:
    breaks = LineBreaks(codec, end)
    found: list[tuple[int, bytes, int]] = []
    for batch in read_lines(_chunks(content, breaks, chunk_bytes), limit):
        if isinstance(batch, LongLine):
            assert batch.n_bytes > limit
            found.append((batch.position, batch.head[: batch.n_bytes], batch.n_bytes))
        else:
            stripped = breaks.strip_all(batch.lines)
            found += [(start, line, len(line)) for start, line in zip(batch.positions, stripped, strict=True)]
    expected = [(start, breaks.strip(line)) for start, line in _lines_by_hand(content, breaks)]
    assert found == [(start, line, len(line)) for start, line in expected]


@given(
    _CONTENT,
    st.sampled_from(_CODECS),
    st.sampled_from(_ENDS),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 9),
)
def test_a_line_belongs_where_its_first_byte_lies(
    content: bytes, codec: str, line_end: str, one: int, other: int, chunk_bytes: int
) -> None:
    breaks = LineBreaks(codec, line_end)
    start, end = sorted(min(place * breaks.width, len(content)) for place in (one, other))
    batches = list(read_lines(_chunks(content, breaks, chunk_bytes, start, end), 1000)) if end > start else []
    assert _flat(batches) == [line for line in _lines_by_hand(content, breaks) if start <= line[0] < end]


def test_batches_are_of_bounded_length() -> None:
    content = b"\n" * (2 * BLOCK_RECORDS + 1)
    batches = list(read_lines(_chunks(content, LineBreaks(), len(content)), 1000))
    assert [len(batch.lines) for batch in batches if isinstance(batch, LineBatch)] == [BLOCK_RECORDS, BLOCK_RECORDS, 1]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_beyond_all_chunks_is_counted_not_kept(end: bytes) -> None:
    (line,) = read_lines(_chunks(b"x" * 2_000_000 + end, LineBreaks(), 50_000), 100)
    assert line == LongLine(0, b"x" * 65536, 2_000_000)


def test_a_view_of_utf16_keeps_ascii_only() -> None:
    """Bytes of a line feed or of a quote that stand across characters, or within one, are none."""
    text = 'a\n"\u0a0a\u2222\u000a\u0a00,😀'
    for codec in ("utf-16-le", "utf-16-be"):
        assert LineBreaks(codec).ascii_view(text.encode(codec) + b"\n") == b'a\n"xx\nx,xxx'
