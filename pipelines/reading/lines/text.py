"""Plain text: every line a record."""

from collections.abc import Iterator

from saiten.pipelines.reading.format import FileFields
from saiten.pipelines.reading.lines.decode import decode_lines
from saiten.pipelines.reading.lines.line_format import LineFormat
from saiten.pipelines.reading.lines.lines import LineBreaks, LongLine
from saiten.pipelines.reading.lines.slices import Lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import RowCollector, Rows
from saiten.pipelines.records import FileSlice


class TextFormat(LineFormat):
    """The lines are the records, an empty line an empty text."""

    name = "text"
    endings = (".txt",)

    def read_fields(self, file: FileSlice, options: ReadOptions) -> FileFields | None:
        return None

    def read_lines(self, lines: Lines, source: str, options: ReadOptions) -> Iterator[Rows]:
        collector = RowCollector(source, options)
        breaks = LineBreaks.of(lines.codec)
        for batch in lines.batches:
            if isinstance(batch, LongLine):
                collector.add_too_large(batch.position, batch.head, batch.n_bytes, options.max_record_bytes)
                yield collector.take()
                continue
            raws = breaks.strip_all(batch.lines)
            texts, errors = decode_lines(raws, batch.positions[0], lines.codec)
            collector.add_texts(batch.positions, raws, texts, errors)
            yield collector.take()


TEXT = TextFormat()
