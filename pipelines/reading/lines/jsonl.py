"""JSON Lines: every line that is not blank a record, an object."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import orjson

from saiten.model.errors import RecordError, UsageError
from saiten.pipelines.reading.field_values import Number
from saiten.pipelines.reading.format import SAMPLE_RECORDS, FileFields
from saiten.pipelines.reading.lines.chunks import Chunks
from saiten.pipelines.reading.lines.decode import BYTE_ORDER_MARK, decode_lines
from saiten.pipelines.reading.lines.line_format import LineFormat, with_progress
from saiten.pipelines.reading.lines.lines import LongLine, read_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import RowCollector, Rows
from saiten.pipelines.records import Code, FileSlice

_BLANK = " \t\r\ufeff"
# All that a blank line has, but in UTF-16 other lines have no more either.
_BLANK_BYTES = b" \t\r\0\xef\xbb\xbf\xff\xfe"
# How much of a file is read for a first look.
_SAMPLE_BYTES = 64 * 1024
# Not "[INFO] started" or "[2026-01-01] started", which a log may begin with.
_BEGINS_ARRAY = re.compile(r'\[\s*([\[{"\]]|$)')
# Python refuses to convert longer integers.
_MAX_DIGITS = 4300


class JSONLFormat(LineFormat):
    """Lines that are not blank are the records; where a key stands twice in an object, the last counts."""

    name = "jsonl"
    endings = (".jsonl", ".ndjson", ".jsonlines", ".jl", ".json")

    def look_at(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileSlice:
        if not options.is_wide and b"\\".decode(whole.codec) != "\\":
            raise UsageError(
                f"{whole.source} is JSON, whose backslash --encoding={options.encoding} does not have; "
                "say cp932, or convert it to UTF-8."
            )
        return super().look_at(file, whole, options)

    def read_fields(self, file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileFields | None:
        """Looks at the first records, or at as few as show that all fields asked for are there."""
        names: dict[str, int] = {}
        n_records = n_chars = 0
        first: list[str] = []
        for line in _first_lines(file, whole, options):
            text = line.strip(_BLANK)
            if text and n_chars < _SAMPLE_BYTES:
                first.append(text)
                n_chars += len(text)
            try:
                record = parse_json(text)
            except RecordError:
                # It will be a dead letter, which says more than a missing field.
                continue
            names |= {name: n_records for name in record if name not in names}
            n_records += 1
            if options.field_names <= names.keys():
                break
        _refuse_one_value(whole.source, first, n_records)
        return FileFields(names, is_complete=False, n_records=n_records)

    def read(self, file: IO[bytes], file_slice: FileSlice, options: ReadOptions) -> Iterator[tuple[Rows, int]]:
        chunks = Chunks(file, file_slice)
        return with_progress(self._rows(chunks, file_slice, options), chunks, file_slice, options)

    def _rows(self, chunks: Chunks, file_slice: FileSlice, options: ReadOptions) -> Iterator[Rows]:
        collector = RowCollector(file_slice.source, options)
        parse = LineParser(file_slice.codec, options)
        for batch in read_lines(chunks, options.max_record_bytes):
            if isinstance(batch, LongLine):
                collector.add_too_large(batch.position, batch.head, batch.n_bytes, options.max_record_bytes)
                yield collector.take()
                continue
            for position, line in zip(batch.positions, batch.lines, strict=True):
                if not line.strip(_BLANK_BYTES) and not line.decode(file_slice.codec, "replace").strip(_BLANK):
                    continue
                raw = chunks.breaks.strip(line)
                try:
                    text, record_id, *kept_fields = parse(raw)
                except RecordError as error:
                    collector.add_dead_letter(position, raw, error.code, error.message)
                else:
                    collector.add(position, raw, text, record_id, kept_fields)
            yield collector.take()


def _first_lines(file: IO[bytes], whole: FileSlice, options: ReadOptions) -> Iterator[str]:
    """Yields so many lines as records are looked at; of too long ones the beginning."""
    n_left = SAMPLE_RECORDS
    for batch in read_lines(Chunks(file, whole, _SAMPLE_BYTES), options.max_record_bytes):
        if isinstance(batch, LongLine):
            texts = [batch.head.decode(whole.codec, "replace")]
        else:
            texts, _ = decode_lines(batch.lines[:n_left], whole.codec)
        yield from texts
        n_left -= len(texts)
        if n_left <= 0:
            return


def _refuse_one_value(source: str, lines: Sequence[str], n_records: int) -> None:
    """Refuses a file that is one JSON array, or one object, over all its lines.

    Args:
        lines: The first ones.
        n_records: How many of the lines that follow are records.

    Raises:
        UsageError: With the remedy.
    """
    if not lines:
        return
    is_whole = _is_json(lines[0])
    is_array = lines[0].startswith("[") and (n_records == 0 if is_whole else bool(_BEGINS_ARRAY.match(lines[0])))
    is_object = lines[0].startswith("{") and not is_whole and _goes_on(lines)
    if is_array or is_object:
        kind, command = ("array", ".[]") if is_array else ("object", ".")
        raise UsageError(
            f"{source} is one JSON {kind}, not an object a line; convert it: jq -c '{command}' writes one a line."
        )


def _goes_on(lines: Sequence[str]) -> bool:
    """Tells whether lines are the beginning of one value that goes on behind the first, and may behind all of them."""
    text = "\n".join(lines)
    try:
        _, end = json.JSONDecoder(parse_int=_to_int).raw_decode(text)
    except json.JSONDecodeError as error:
        # A line that was cut off, and a record behind it, may look like that too.
        return error.pos == len(text) and len(lines) > 1 and not _is_json(lines[1])
    except RecursionError:
        return False
    return end > len(lines[0])


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=_to_int)
    except (ValueError, RecursionError):
        return False
    return True


class LineParser:
    """Reads the wanted fields of a line.

    orjson reads all that is common at five times the speed of `json`. What it refuses though it is JSON
    (half surrogate pairs, numbers beyond float64), and numbers that it would round, `json` reads.
    """

    def __init__(self, codec: str, options: ReadOptions) -> None:
        self._codec = codec
        self._names = [options.text_name, options.id_field, *(field.name for field in options.kept_fields)]
        self._as_written = [False, options.id_field is not None, *(field.is_string for field in options.kept_fields)]
        self._may_round = [i for i, as_written in enumerate(self._as_written) if as_written]

    def __call__(self, line: bytes) -> list[Any]:
        """Returns text, id and kept fields; None for what is missing.

        Raises:
            RecordError: ``BAD_UTF8``, ``BAD_JSON``, ``NOT_AN_OBJECT`` or ``BAD_UNICODE``.
        """
        try:
            record = orjson.loads(line if self._codec == "utf-8" else line.decode(self._codec))
        except ValueError:
            return self._read_slowly(line)
        if type(record) is not dict:
            raise RecordError(Code.NOT_AN_OBJECT, "The line is JSON, but no object.")
        values = [record.get(name) for name in self._names]
        for i in self._may_round:
            if type(values[i]) in (float, list, dict):
                return self._read_slowly(line)
        return values

    def _read_slowly(self, line: bytes) -> list[Any]:
        (text,), errors = decode_lines([line], self._codec)
        if errors:
            raise RecordError(*errors[0])
        # Files that were put together have a mark where each begins.
        text = text.lstrip(BYTE_ORDER_MARK)
        record = parse_json(text)
        written = parse_json(text, Number)
        values = [
            (written if as_written and isinstance(written.get(name), Number) else record).get(name)
            for name, as_written in zip(self._names, self._as_written, strict=True)
        ]
        _check_surrogates(values)
        return values


def parse_json(text: str, number: Callable[[str], object] | None = None) -> dict[Any, Any]:
    """Returns the object that a line holds.

    Args:
        number: Makes a number of what is written; None makes int and float.

    Raises:
        RecordError: ``BAD_JSON`` or ``NOT_AN_OBJECT``.
    """
    try:
        # NaN is no JSON number, but in a field that nobody asks for it does no harm.
        record = json.loads(text, parse_int=number or _to_int, parse_float=number or float, parse_constant=number)
    except json.JSONDecodeError as error:
        raise RecordError(Code.BAD_JSON, f"Not valid JSON at character {error.pos} of the line.") from error
    except RecursionError as error:
        raise RecordError(Code.BAD_JSON, "The JSON is nested too deep.") from error
    if not isinstance(record, dict):
        raise RecordError(Code.NOT_AN_OBJECT, "The line is JSON, but no object.")
    return record


def _to_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _check_surrogates(values: Sequence[object]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RecordError(Code.BAD_UNICODE, "A field holds half of a surrogate pair.") from error


JSONL = JSONLFormat()
