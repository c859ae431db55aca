"""Lines are the same whatever the chunks they come in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saiten.pipelines.reading.lines.lines import LineBatch, LineBreaks, LongLine, read_lines
from saiten.pipelines.reading.rows import BLOCK_RECORDS

_CODECS = ("cp932", "utf-8", "utf-16-le", "utf-16-be")
# Few different bytes, so that line ends, halves of them and long lines come often.
_CONTENT = st.lists(st.sampled_from([b"\n", b"\r", b"\0", b"a", b'"', b"\x0a\x00", b"\x00\x0a"]), max_size=60).map(
    b"".join
)


def _lines_by_hand(content: bytes, codec: str) -> list[tuple[int, bytes]]:
    """Position and bytes of each line, found character by character."""
    breaks = LineBreaks.of(codec)
    lines, start = [], 0
    for i in range(0, len(content), breaks.width):
        if content[i : i + breaks.width] == breaks.feed:
            lines.append((start, content[start:i]))
            start = i + breaks.width
    return [*lines, (start, content[start:])] if start < len(content) else lines


def _flat(batches: list[LineBatch | LongLine]) -> list[tuple[int, bytes]]:
    lines = []
    for batch in batches:
        assert isinstance(batch, LineBatch)
        lines += zip(batch.positions, batch.lines, strict=True)
    return lines


@given(_CONTENT, st.sampled_from(_CODECS), st.integers(1, 9))
def test_chunks_do_not_change_lines(content: bytes, codec: str, half_chunk: int) -> None:
    chunks = [content[i : i + 2 * half_chunk] for i in range(0, len(content), 2 * half_chunk)]
    batches = list(read_lines(chunks, 0, None, LineBreaks.of(codec), 1000))
    assert _flat(batches) == _lines_by_hand(content, codec)


@given(_CONTENT, st.sampled_from(_CODECS), st.integers(1, 9), st.integers(1, 8))
@example(b"\n\n\n\n\n\n\0", "utf-16-le", 9, 1)
def test_long_lines_keep_head_and_true_length(content: bytes, codec: str, half_chunk: int, limit: int) -> None:
    breaks = LineBreaks.of(codec)
    chunks = [content[i : i + 2 * half_chunk] for i in range(0, len(content), 2 * half_chunk)]
    found: list[tuple[int, bytes, int]] = []
    for batch in read_lines(chunks, 0, None, breaks, limit):
        if isinstance(batch, LongLine):
            assert batch.n_bytes > limit
            found.append((batch.position, batch.head[: batch.n_bytes], batch.n_bytes))
        else:
            stripped = breaks.strip_all(batch.lines)
            found += [(start, line, len(line)) for start, line in zip(batch.positions, stripped, strict=True)]
    expected = [(start, breaks.strip(line)) for start, line in _lines_by_hand(content, codec)]
    assert found == [(start, line, len(line)) for start, line in expected]


@given(_CONTENT, st.sampled_from(_CODECS))
def test_quotes_of_long_lines_are_counted(content: bytes, codec: str) -> None:
    breaks = LineBreaks.of(codec)
    for batch in read_lines([content], 0, None, breaks, 1):
        if isinstance(batch, LongLine):
            end = batch.position + batch.n_bytes
            line = content[batch.position : end]
            assert batch.n_quotes == sum(
                line[i : i + breaks.width] == breaks.quote for i in range(0, len(line), breaks.width)
            )


@given(_CONTENT, st.integers(0, 60), st.integers(1, 9))
def test_a_line_belongs_where_its_first_byte_lies(content: bytes, end: int, chunk: int) -> None:
    chunks = [content[i : i + chunk] for i in range(0, len(content), chunk)]
    batches = list(read_lines(chunks, 0, end, LineBreaks(), 1000)) if end else []
    assert _flat(batches) == [line for line in _lines_by_hand(content, "cp932") if line[0] < end]


def test_batches_are_of_bounded_length() -> None:
    content = b"\n" * (2 * BLOCK_RECORDS + 1)
    batches = list(read_lines([content], 0, None, LineBreaks(), 1000))
    assert [len(batch.lines) for batch in batches if isinstance(batch, LineBatch)] == [BLOCK_RECORDS, BLOCK_RECORDS, 1]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_beyond_all_chunks_is_counted_not_kept(end: bytes) -> None:
    chunks = [b"x" * 50_000] * 40 + [end]
    (line,) = read_lines(chunks, 0, None, LineBreaks(), 100)
    assert line == LongLine(0, b"x" * 65536, 2_000_000, 0)
