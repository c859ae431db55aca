"""Plain text: every line a record."""

from collections.abc import Iterator
from typing import IO

from saiten.pipelines.reading.format import FileFields
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.decode import BYTE_ORDER_MARK, decode_lines
from saiten.pipelines.reading.lines.line_format import LineFormat, with_progress
from saiten.pipelines.reading.lines.lines import LongLine, read_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import RowCollector, Rows
from saiten.pipelines.records import FileSlice


class TextFormat(LineFormat):
    """The lines are the records, an empty line an empty text."""

    name = "text"
    endings = (".txt",)

    def read_fields(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileFields | None:
        return None

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        chunks = Chunks(file, file_slice)
        return with_progress(self._rows(chunks, file_slice, options), chunks, file_slice, options)

    def _rows(self, chunks: Chunks, file_slice: FileSlice, options: ReadOptions) -> Iterator[Rows]:
        collector = RowCollector(file_slice.source, options)
        for batch in read_lines(chunks, options.max_record_bytes):
            if isinstance(batch, LongLine):
                collector.add_too_large(batch.position, batch.head, batch.n_bytes, options.max_record_bytes)
            else:
                raw_records = chunks.breaks.strip_all(batch.lines)
                texts, errors = decode_lines(raw_records, file_slice.codec)
                if batch.positions[0] == 0:
                    texts[0] = texts[0].removeprefix(BYTE_ORDER_MARK)
                collector.add_texts(batch.positions, raw_records, texts, errors)
            yield collector.take()


TEXT = TextFormat()
