"""What becomes of a field's value in a column of each type."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from saiten.model.errors import RecordError
from saiten.pipelines.reading.field_values import Number, as_string, make_converter, text_of
from saiten.pipelines.reading.options import KEPT_TYPES
from saiten.pipelines.records import Code

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "a", "a"),
        ("string", "", ""),
        ("string", True, "true"),
        ("string", 7, "7"),
        ("string", Number("1.50"), "1.50"),
        ("string", {"a": [1, "あ"]}, '{"a":[1,"あ"]}'),
        ("string", Decimal("1.20"), "1.20"),
        ("int64", 7, 7),
        ("int64", -(2**63), -(2**63)),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("int64", 7.0, 7),
        ("int64", " +7 ", 7),
        ("int64", "5.0", 5),
        ("int64", "1e3", 1000),
        ("int64", "-0.0", 0),
        ("int64", "9007199254740993.00", 9007199254740993),
        ("int64", True, 1),
        ("float64", 7, 7.0),
        ("float64", "1e-3", 0.001),
        ("float64", " .5", 0.5),
        ("float64", False, 0.0),
        ("bool", True, True),
        ("bool", 0, False),
        ("bool", " TRUE", True),
        ("bool", "0", False),
        ("timestamp", "2026-11-22T12:00:00Z", _NOON),
        ("timestamp", "2026-11-22 21:00:00+09:00", _NOON),
        ("timestamp", "2026-11-22T21:00:00+0900", _NOON),
        ("timestamp", "2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("timestamp", _NOON.timestamp(), _NOON),
        *((kind, None, None) for kind in KEPT_TYPES),
    ],
)
def test_converts(kind: str, value: object, expected: object) -> None:
    converted = make_converter(KEPT_TYPES[kind], "f")(value)
    assert converted == expected
    assert type(converted) is type(expected)
    assert pa.array([converted], KEPT_TYPES[kind]).to_pylist() == [expected]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int64", 2**63),
        ("int64", 1.5),
        ("int64", 1e300),
        ("int64", "1.5"),
        ("int64", "1e-3"),
        ("int64", "1e999999999"),
        ("int64", "1e-999999999"),
        ("int64", "1e99999999999999999999"),
        ("int64", "0x10"),
        ("int64", "nan"),
        ("int64", "１"),
        ("int64", "1_000"),
        ("int64", "9" * 19),
        ("int64", ""),
        ("int64", [1]),
        ("float64", "nan"),
        ("float64", "inf"),
        ("float64", "1e999"),
        ("float64", "1_0.0"),
        ("float64", {}),
        ("bool", 2),
        ("bool", "yes"),
        ("timestamp", "22.11.2026"),
        ("timestamp", 1e300),
        ("timestamp", float("nan")),
        ("timestamp", True),
        ("timestamp", []),
        ("string", [float("inf")]),
    ],
)
def test_does_not_convert(kind: str, value: object) -> None:
    with pytest.raises(RecordError) as raised:
        make_converter(KEPT_TYPES[kind], "f")(value)
    assert raised.value.code == Code.BAD_FIELD


def test_an_error_does_not_show_the_value() -> None:
    with pytest.raises(RecordError) as raised:
        make_converter(pa.int64(), "n")("a secret")
    assert raised.value.message == "The field 'n' is no int64."


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        (None, "TEXT_MISSING", "The text is missing or null."),
        (1, "TEXT_NOT_STRING", "The text is a number, not a string."),
        (Number("1"), "TEXT_NOT_STRING", "The text is a number, not a string."),
        (True, "TEXT_NOT_STRING", "The text is a bool, not a string."),
        ([], "TEXT_NOT_STRING", "The text is a list, not a string."),
        ({}, "TEXT_NOT_STRING", "The text is an object, not a string."),
        (_NOON, "TEXT_NOT_STRING", "The text is of type datetime, not a string."),
    ],
)
def test_what_is_no_text(value: object, code: str, message: str) -> None:
    with pytest.raises(RecordError) as raised:
        text_of(value)
    assert (raised.value.code, raised.value.message) == (code, message)


def test_nested_numbers_are_written_as_json() -> None:
    assert as_string([1, 2.5, None, 10**30]) == f"[1,2.5,null,{10**30}]"
