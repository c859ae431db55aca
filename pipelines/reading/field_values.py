"""The values of a record's fields: its text, its id, what is kept."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from saiten.model.errors import RecordError
from saiten.pipelines.records import Code

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Beyond it a float64 does not tell two integers apart.
_MAX_EXACT = 2**53
# An int64 has no more digits; a number with fewer before its point is cheap to make whole.
_MAX_INT_DIGITS = 19


class Number(str):
    """A JSON number as it is written, where a float would lose digits."""

    __slots__ = ()


def text_of(value: object) -> str:
    """Returns the text to score.

    Raises:
        RecordError: ``TEXT_MISSING`` for None, ``TEXT_NOT_STRING`` for what is no string.
    """
    if type(value) is str:
        return value
    if value is None:
        raise RecordError(Code.TEXT_MISSING, "The text is missing or null.")
    raise RecordError(Code.TEXT_NOT_STRING, f"The text is {_kind(value)}, not a string.")


def id_of(value: object) -> str | None:
    """Returns a record's id as a string; None where it has none."""
    return None if value is None else as_string(value)


def as_string(value: object) -> str:
    """Returns a value as a string: a string as it is, anything else as JSON writes it, or Python where JSON cannot.

    Raises:
        RecordError: ``BAD_FIELD``, a number in it is NaN, or beyond what JSON readers take.
    """
    # The commonest types by identity: this runs for every record.
    if type(value) is str:
        return value
    if type(value) is int or not isinstance(value, bool | float | list | dict):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    except ValueError as error:
        raise RecordError(Code.BAD_FIELD, "A number in it is NaN, or too large.") from error


def make_converter(kind: pa.DataType, name: str) -> Callable[[object], object]:
    """Returns what makes a kept field's value what its column's type wants; None stays None.

    A bool counts as 1 or 0 in a column of numbers. A column of timestamps takes ISO 8601 (without an
    offset: UTC) or seconds since 1970. Numbers must be finite. Types beyond `KEPT_TYPES` take all.

    Returns:
        A function that raises `RecordError` (``BAD_FIELD``) where a value does not convert.
    """
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    to_kind = as_string if is_string else _CONVERTERS.get(kind, _as_it_is)

    def convert(value: object) -> object:
        if value is None:
            return None
        try:
            return to_kind(value)
        except (ValueError, ArithmeticError, OSError) as error:
            raise RecordError(Code.BAD_FIELD, f"The field {name!r} is no {kind}.") from error

    return convert


def _as_it_is(value: object) -> object:
    return value


def _to_int(value: object) -> int:
    if isinstance(value, float):
        if not value.is_integer() or abs(value) >= _MAX_EXACT:
            raise ValueError
        return int(value)
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value.strip()):
            raise ValueError
        number = Decimal(value.strip())
        if number.adjusted() >= _MAX_INT_DIGITS or number != number.to_integral_value():
            raise ValueError
        return _to_int(int(number))
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError
    return int(value)


def _to_float(value: object) -> float:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.strip()):
        raise ValueError
    if not isinstance(value, str | int | float):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _to_bool(value: object) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    word = value.strip().lower() if isinstance(value, str) else as_string(value)
    if word not in known:
        raise ValueError
    return known[word]


def _to_timestamp(value: object) -> datetime:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if not isinstance(value, str):
        raise ValueError
    moment = datetime.fromisoformat(value.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_CONVERTERS: dict[pa.DataType, Callable[[object], object]] = {
    pa.int64(): _to_int,
    pa.float64(): _to_float,
    pa.bool_(): _to_bool,
    pa.timestamp("us", tz="UTC"): _to_timestamp,
}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, int | float | Number):
        return "a number"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return f"of type {type(value).__name__}"
