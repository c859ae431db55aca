"""JSON Lines."""

import zstandard

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import GOOD, SMALL, WITH_ID, OddInput

JSONL = [
    OddInput("one object", "a.jsonl", GOOD.encode(), ((0, "良い"),)),
    OddInput("an ending of JSON lines", "a.ndjson", GOOD.encode(), ((0, "良い"),)),
    OddInput("blank lines are no records", "a.jsonl", b'\n \t\r\n{"text":"a"}\n\n', ((5, "a"),)),
    OddInput(
        "JSON with CRLF and without the last line end",
        "a.jsonl",
        b'{"text":"a"}\r\n{"text":"b"}',
        ((0, "a"), (14, "b")),
    ),
    OddInput("JSON behind a byte-order mark", "a.jsonl", b'\xef\xbb\xbf{"text":"a"}\n', ((0, "a"),)),
    OddInput("escaped line feed and pair", "a.jsonl", b'{"text":"a\\nb\\ud83d\\ude00"}\n', ((0, "a\nb😀"),)),
    OddInput("escaped NUL", "a.jsonl", b'{"text":"a\\u0000b"}\n', ((0, "a\0b"),)),
    OddInput("empty text", "a.jsonl", b'{"text":""}\n', ((0, ""),)),
    OddInput("a key twice: the last counts", "a.jsonl", b'{"text":"a","text":"b"}\n', ((0, "b"),)),
    OddInput("text missing", "a.jsonl", (GOOD + "{}\n").encode(), ((0, "良い"),), ((19, "TEXT_MISSING"),)),
    OddInput("text null", "a.jsonl", b'{"text":null}\n', (), ((0, "TEXT_MISSING"),)),
    OddInput("text a number", "a.jsonl", b'{"text":1.5}\n', (), ((0, "TEXT_NOT_STRING"),)),
    OddInput("text a bool", "a.jsonl", b'{"text":true}\n', (), ((0, "TEXT_NOT_STRING"),)),
    OddInput("text a list", "a.jsonl", b'{"text":["a"]}\n', (), ((0, "TEXT_NOT_STRING"),)),
    OddInput("text an object", "a.jsonl", b'{"text":{"a":1}}\n', (), ((0, "TEXT_NOT_STRING"),)),
    OddInput("half a surrogate pair", "a.jsonl", b'{"text":"\\ud83d"}\n', (), ((0, "BAD_UNICODE"),)),
    OddInput("half a pair elsewhere", "a.jsonl", b'{"text":"a","b":"\\ud83d"}\n', ((0, "a"),)),
    OddInput(
        "half a pair in the id",
        "a.jsonl",
        b'{"text":"a","id":"\\udc00"}\n',
        (),
        ((0, "BAD_UNICODE"),),
        options=WITH_ID,
    ),
    OddInput("invalid UTF-8 in JSON", "a.jsonl", b'{"text":"\xff"}\n{"text":"b"}\n', ((13, "b"),), ((0, "BAD_UTF8"),)),
    OddInput("broken JSON", "a.jsonl", b'{"text":"a"\n{"text":"b"}\n', ((12, "b"),), ((0, "BAD_JSON"),)),
    OddInput("two objects in a line", "a.jsonl", b'{"text":"a"} {"text":"b"}\n', (), ((0, "BAD_JSON"),)),
    OddInput("single quotes", "a.jsonl", b"{'text':'a'}\n", (), ((0, "BAD_JSON"),)),
    OddInput("a control character in a string", "a.jsonl", b'{"text":"a\tb"}\n', (), ((0, "BAD_JSON"),)),
    OddInput("NaN that nobody asks for", "a.jsonl", b'{"text":"a","n":NaN}\n', ((0, "a"),)),
    OddInput("minus Infinity that nobody asks for", "a.jsonl", b'{"text":"a","n":[-Infinity]}\n', ((0, "a"),)),
    OddInput("NaN as text", "a.jsonl", b'{"text":NaN}\n', (), ((0, "TEXT_NOT_STRING"),)),
    OddInput("NaN as id", "a.jsonl", b'{"text":"a","id":NaN}\n', ((0, "a"),), ids=("NaN",), options=WITH_ID),
    OddInput("NUL bytes as a line", "a.jsonl", b'\0\0\0\n{"text":"a"}\n', ((4, "a"),), ((0, "BAD_JSON"),)),
    OddInput("a list", "a.jsonl", b'["text"]\n{"text":"a"}\n', ((9, "a"),), ((0, "NOT_AN_OBJECT"),)),
    OddInput("a string", "a.jsonl", b'"text"\n', (), ((0, "NOT_AN_OBJECT"),)),
    OddInput("nested 200,000 deep", "a.jsonl", b'{"text":"a","b":' + b"[" * 200_000 + b"\n", (), ((0, "BAD_JSON"),)),
    OddInput("a number beyond float64", "a.jsonl", b'{"text":"a","n":1e999}\n', ((0, "a"),)),
    OddInput("5,000 digits", "a.jsonl", b'{"text":"a","n":' + b"9" * 5000 + b"}\n", ((0, "a"),)),
    OddInput(
        "id null, id missing",
        "a.jsonl",
        b'{"text":"a","id":null}\n{"text":"b"}\n',
        ((0, "a"), (23, "b")),
        options=WITH_ID,
    ),
    OddInput(
        "ids that are no strings",
        "a.jsonl",
        b'{"text":"a","id":1.50}\n{"text":"b","id":true}\n{"text":"c","id":123456789012345678901234567890}\n',
        ((0, "a"), (23, "b"), (46, "c")),
        ids=("1.50", "true", "123456789012345678901234567890"),
        options=WITH_ID,
    ),
    OddInput("an empty id", "a.jsonl", b'{"text":"a","id":""}\n', ((0, "a"),), ids=("",), options=WITH_ID),
    OddInput("JSON in cp932", "a.jsonl", GOOD.encode("cp932"), ((0, "良い"),), options=ReadOptions(encoding="cp932")),
    OddInput(
        "JSON in UTF-16", "a.jsonl", GOOD.encode("utf-16"), ((0, "良い"),), options=ReadOptions(encoding="utf-16")
    ),
    OddInput(
        "UTF-16 of bytes that are blanks elsewhere",
        "a.jsonl",
        (GOOD + "\u2020\n \u2009\n").encode("utf-16-le"),
        ((0, "良い"),),
        ((30, "BAD_JSON"), (34, "BAD_JSON")),
        options=ReadOptions(encoding="utf-16-le"),
    ),
    OddInput("compressed JSON", "a.jsonl.zst", zstandard.compress(GOOD.encode()), ((0, "良い"),)),
    OddInput(
        "a field that no record has",
        "a.jsonl",
        b'{"txt":"a","body":"b"}\n',
        error=UsageError,
        message="'text', and no --text_field names another; there are: 'txt', 'body'",
    ),
    OddInput(
        "a line of JSON that is too long",
        "a.jsonl",
        b'{"text":"aaaa"}\n{"text":1}\n',
        (),
        ((0, "TOO_LARGE"), (16, "TEXT_NOT_STRING")),
        options=SMALL,
    ),
]
