"""JSON Lines: every line that is not blank a record, an object."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import orjson

from saiten.model.errors import RecordError
from saiten.pipelines.reading.field_values import Number
from saiten.pipelines.reading.files import open_unchanged
from saiten.pipelines.reading.format import SAMPLE_RECORDS, FileFields
from saiten.pipelines.reading.lines.decode import decode_lines
from saiten.pipelines.reading.lines.line_format import LineFormat
from saiten.pipelines.reading.lines.lines import LineBreaks, LongLine
from saiten.pipelines.reading.lines.slices import Lines, slice_lines
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.reading.rows import RowCollector, Rows
from saiten.pipelines.records import Code, FileSlice

_BLANK = " \t\r"
# All that a blank line has, but in UTF-16 other lines have no more either.
_BLANK_BYTES = b" \t\r\0"
# Python refuses to convert longer integers.
_MAX_DIGITS = 4300


class JSONLFormat(LineFormat):
    """Lines that are not blank are the records; where a key stands twice in an object, the last counts."""

    name = "jsonl"
    endings = (".jsonl", ".ndjson", ".json")

    def read_fields(self, file: FileSlice, options: ReadOptions) -> FileFields | None:
        """Looks at the first records, or at as few as show that all fields asked for are there."""
        names: dict[str, int] = {}
        n_records = 0
        with open_unchanged(file) as opened:
            lines = slice_lines(opened, file, options, cut_anywhere=True)
            for fields in _objects(lines):
                names = names | {name: n_records for name in fields if name not in names}
                n_records += 1
                if n_records == SAMPLE_RECORDS or options.field_names <= names.keys():
                    break
        return FileFields(names, is_complete=False, n_records=n_records)

    def read_lines(self, lines: Lines, source: str, options: ReadOptions) -> Iterator[Rows]:
        collector = RowCollector(source, options)
        breaks = LineBreaks.of(lines.codec)
        parse = LineParser(lines.codec, options)
        for batch in lines.batches:
            if isinstance(batch, LongLine):
                collector.add_too_large(batch.position, batch.head, batch.n_bytes, options.max_record_bytes)
                yield collector.take()
                continue
            for position, line in zip(batch.positions, batch.lines, strict=True):
                if not line.strip(_BLANK_BYTES) and not line.decode(lines.codec, "replace").strip(_BLANK):
                    continue
                raw = breaks.strip(line)
                try:
                    text, record_id, *kept_fields = parse(raw, position)
                except RecordError as error:
                    collector.add_dead_letter(position, raw, error.code, error.message)
                else:
                    collector.add(position, raw, text, record_id, kept_fields)
            yield collector.take()


def _objects(lines: Lines) -> Iterator[dict[str, object]]:
    """Yields the records that can be read: the others will be dead letters, which say more than a missing field."""
    for batch in lines.batches:
        if isinstance(batch, LongLine):
            continue
        texts, _ = decode_lines(batch.lines, batch.positions[0], lines.codec)
        for text in texts:
            with contextlib.suppress(RecordError):
                yield parse_json(text)


class LineParser:
    """Reads the wanted fields of a line.

    orjson reads all that is common at five times the speed of `json`. What it refuses though it is JSON
    (half surrogate pairs, numbers beyond float64), and numbers that it would round, `json` reads.
    """

    def __init__(self, codec: str, options: ReadOptions) -> None:
        self._codec = codec
        self._names = [options.text_field, options.id_field, *(field.name for field in options.kept_fields)]
        self._as_written = [False, options.id_field is not None, *(field.is_string for field in options.kept_fields)]
        self._may_round = [i for i, as_written in enumerate(self._as_written) if as_written]

    def __call__(self, line: bytes, position: int) -> list[Any]:
        """Returns text, id and kept fields; None for what is missing.

        Raises:
            RecordError: ``BAD_UTF8``, ``BAD_JSON``, ``NOT_AN_OBJECT`` or ``BAD_UNICODE``.
        """
        try:
            record = orjson.loads(line if self._codec == "utf-8" else line.decode(self._codec))
        except ValueError:
            return self._read_slowly(line, position)
        if type(record) is not dict:
            raise RecordError(Code.NOT_AN_OBJECT, "The line is JSON, but no object.")
        values = [record.get(name) for name in self._names]
        for i in self._may_round:
            if type(values[i]) in (float, list, dict):
                return self._read_slowly(line, position)
        return values

    def _read_slowly(self, line: bytes, position: int) -> list[Any]:
        (text,), errors = decode_lines([line], position, self._codec)
        if errors:
            raise RecordError(*errors[0])
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
        record = json.loads(
            text, parse_int=number or _to_int, parse_float=number or float, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise RecordError(Code.BAD_JSON, f"Not valid JSON at character {error.pos} of the line.") from error
    except ValueError as error:
        raise RecordError(Code.BAD_JSON, "Not valid JSON: NaN and Infinity are no JSON numbers.") from error
    except RecursionError as error:
        raise RecordError(Code.BAD_JSON, "The JSON is nested too deep.") from error
    if not isinstance(record, dict):
        raise RecordError(Code.NOT_AN_OBJECT, "The line is JSON, but no object.")
    return record


def _to_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_surrogates(values: Sequence[object]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RecordError(Code.BAD_UNICODE, "A field holds half of a surrogate pair.") from error


JSONL = JSONLFormat()
