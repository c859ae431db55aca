"""Byte-order marks, encodings that contradict them, and JSON that is no object a line."""

import codecs
import gzip

import zstandard

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import GOOD, SMALL, WITH_ID, OddInput

_UTF16, _CP932 = ReadOptions(encoding="utf-16"), ReadOptions(encoding="cp932")
_BODY = ReadOptions(text_field="body")
_MARK = codecs.BOM_UTF8


def _refused(name: str, file: str, content: bytes | str, message: str, options: ReadOptions | None = None) -> OddInput:
    data = content.encode() if isinstance(content, str) else content
    return OddInput(name, file, data, error=UsageError, message=message, options=options or ReadOptions())


_IS_UTF16 = "begins with the byte-order mark of UTF-16-LE, and is no utf-8; say --encoding=utf-16."
_ARRAY = "is one JSON array, not an object a line; convert it: jq -c '.[]' writes one a line."
MARKS = [
    _refused("UTF-16 as UTF-8", "a.txt", "良い\n悪い\n".encode("utf-16"), f"a.txt {_IS_UTF16}"),
    _refused("UTF-16 as UTF-8 in CSV", "a.csv", "text\n良い\n".encode("utf-16"), f"a.csv {_IS_UTF16}"),
    _refused("UTF-16 as UTF-8 in TSV", "a.tsv", "text\n良い\n".encode("utf-16"), f"a.tsv {_IS_UTF16}"),
    _refused("UTF-16 as UTF-8 in JSON", "a.jsonl", GOOD.encode("utf-16"), f"a.jsonl {_IS_UTF16}"),
    _refused("UTF-16 as UTF-8 in gzip", "a.txt.gz", gzip.compress("良い\n".encode("utf-16")), f"a.txt.gz {_IS_UTF16}"),
    _refused("UTF-16 big-endian as UTF-8", "a.txt", b"\xfe\xff" + "a\n".encode("utf-16-be"), "mark of UTF-16-BE"),
    _refused("UTF-16 as cp932", "a.txt", "良い\n".encode("utf-16"), "and is no cp932; say --encoding=utf-16.", _CP932),
    _refused(
        "UTF-16 of the other order",
        "a.txt",
        "a\n".encode("utf-16"),
        "and is no utf-16-be",
        ReadOptions(encoding="utf-16-be"),
    ),
    _refused("UTF-8 with a mark as cp932", "a.txt", _MARK + "表\n".encode(), "say --encoding=utf-8.", _CP932),
    _refused("UTF-8 with a mark as UTF-16", "a.csv", _MARK + b"text\na\n", "say --encoding=utf-8.", _UTF16),
    _refused("UTF-32", "a.txt", "a\n".encode("utf-32"), "mark of UTF-32, and is no utf-8; convert it to UTF-8."),
    _refused("UTF-32 as UTF-16", "a.txt", "a\n".encode("utf-32"), "mark of UTF-32", _UTF16),
    _refused("ASCII in UTF-16 without a mark", "a.txt", "hello world\n".encode("utf-16-le"), "looks like UTF-16"),
    _refused("CSV in UTF-16 without a mark", "a.csv", "text\nhello world\n".encode("utf-16-be"), "looks like UTF-16"),
    *(
        _refused(f"Japanese in {codec} without a mark: {text!r}", name, pack(text.encode(codec)), "looks like UTF-16")
        for codec in ("utf-16-le", "utf-16-be")
        for name, pack, text in (
            ("a.txt", bytes, "ありがとうございます\n"),
            ("a.txt", bytes, "また\r\nきます\r\n"),
            ("a.tsv", bytes, "番号\t本文\n一\tよい品\n"),
            ("a.txt.gz", gzip.compress, "よい\n\u3000わるい\n"),
        )
    ),
    OddInput("NUL behind a line feed is no UTF-16", "a.tsv", b"text\tn\n\0\t1\n", ((0, "\0"),)),
    *(
        _refused(f"JSON in {name}", "a.jsonl", b'{"text":"a\\tb"}\n', "whose backslash", ReadOptions(encoding=name))
        for name in ("shift_jis_2004", "shift_jisx0213", "sjis_2004", "sjis2004")
    ),
    OddInput(
        "CSV in shift_jis_2004",
        "a.csv",
        "text\n表示ソ\n".encode("shift_jis_2004"),
        ((0, "表示ソ"),),
        options=ReadOptions(encoding="shift_jis_2004"),
    ),
    OddInput(
        "a backslash in JSON in cp932",
        "a.jsonl",
        '{"text":"表\\tソ"}\n'.encode("cp932"),
        ((0, "表\tソ"),),
        options=_CP932,
    ),
    *(
        OddInput(
            f"the encoding {name}",
            "a.csv",
            "text\n良い\n".encode(name),
            ((0, "良い"),),
            options=ReadOptions(encoding=name),
        )
        for name in ("sjis", "Shift_JIS", "ms932", "euc-jp", "eucjp", "utf8", "UTF-8-SIG", "utf-16le", "mskanji")
    ),
    *(
        OddInput(
            f"the encoding {name}, which Python does not know",
            "a.txt",
            "良い\n".encode(codec),
            ((0, "良い"),),
            options=ReadOptions(encoding=name),
        )
        for name, codec in (
            ("UTF16LE", "utf-16-le"),
            ("windows31j", "cp932"),
            ("Windows_31J", "cp932"),
            ("SJIS-win", "cp932"),
            ("x-ms-cp932", "cp932"),
            ("x-euc-jp", "euc_jp"),
            ("JIS", "iso2022_jp"),
        )
    ),
    OddInput(
        "text in iso-2022-jp",
        "a.txt",
        "良い\n".encode("iso-2022-jp"),
        ((0, "良い"),),
        options=ReadOptions(encoding="iso-2022-jp"),
    ),
    OddInput(
        "text in windows-31j", "a.txt", "①\n".encode("cp932"), ((0, "①"),), options=ReadOptions(encoding="windows-31j")
    ),
    OddInput(
        "JSON files put together", "a.jsonl", b'{"text":"a"}\n' + _MARK + b'{"text":"b"}\n', ((0, "a"), (13, "b"))
    ),
    OddInput("JSON with two marks", "a.jsonl", _MARK * 2 + b'{"text":"a"}\n', ((0, "a"),)),
    OddInput(
        "a mark and no more in JSON", "a.jsonl", b'{"text":"a"}\n' + _MARK + b'\n{"text":"b"}\n', ((0, "a"), (17, "b"))
    ),
    OddInput(
        "JSON files in UTF-16 put together",
        "a.jsonl",
        GOOD.encode("utf-16") * 2,
        ((0, "良い"), (32, "良い")),
        options=_UTF16,
    ),
    OddInput("text files put together", "a.txt", b"a\n" + _MARK + b"b\n", ((0, "a"), (2, "\ufeffb"))),
    _refused("a JSON array in a line", "a.json", '[{"text":"a"},{"text":"b"}]\n', f"a.json {_ARRAY}"),
    _refused("a JSON array over lines", "a.json", '[\n{"text":"a"},\n{"text":"b"}\n]\n', f"a.json {_ARRAY}"),
    _refused("a JSON array, printed", "a.json", '[\n  {\n    "text": "a"\n  }\n]\n', f"a.json {_ARRAY}"),
    _refused("a JSON array behind a mark", "a.jsonl", _MARK + b'[{"text":"a"}]', f"a.jsonl {_ARRAY}"),
    _refused("a JSON array in zstd", "a.jsonl.zst", zstandard.compress(b'[{"text":"a"}]'), _ARRAY),
    _refused("a JSON array in UTF-16", "a.json", '[{"text":"a"}]'.encode("utf-16"), _ARRAY, _UTF16),
    _refused("a JSON array longer than a record", "a.json", '[{"text":"abcdefg"}]', _ARRAY, SMALL),
    _refused("an empty JSON array", "a.json", "[]\n", _ARRAY),
    _refused("a JSON array of numbers", "a.json", "[1, 2]\n", _ARRAY),
    _refused("a JSON array with commas before its records", "a.json", '[{"text":"a"}\n,{"text":"b"}\n]', _ARRAY),
    *(
        OddInput(
            f"a line of a log before JSON: {line}",
            "a.jsonl",
            f'{line}\n{{"text":"a"}}\n'.encode(),
            ((len(line) + 1, "a"),),
            ((0, "BAD_JSON"),),
        )
        for line in ("[INFO] started", "[2026-01-01 12:00] started", "[1] started", "[x]")
    ),
    _refused(
        "a JSON object over lines", "a.json", '{\n  "text": "a"\n}\n', "a.json is one JSON object, not an object a line"
    ),
    _refused(
        "a JSON object with records in it",
        "a.json",
        '{"data":[\n{"text":"a"},\n{"text":"b"}\n]}\n',
        "a.json is one JSON object, not an object a line; convert it: jq -c '.' writes one a line.",
    ),
    _refused(
        "a large JSON object over lines",
        "a.json",
        '{"data":[\n' + '{"text":"a"},\n' * 9000 + "1]}",
        "is one JSON object",
    ),
    _refused("a JSON object over lines in gzip", "a.json.gz", gzip.compress(b'{"a":{\n"b":\n1}}'), "one JSON object"),
    OddInput(
        "a cut line of JSON first",
        "a.jsonl",
        b'{"text":\n{"text":"b"}\n',
        ((9, "b"),),
        ((0, "BAD_JSON"),),
    ),
    OddInput("a cut line of JSON alone", "a.jsonl", b'{"text":"a', (), ((0, "BAD_JSON"),)),
    OddInput("two cut lines of JSON", "a.jsonl", b'{"text":"a\n{"text":"b\n', (), ((0, "BAD_JSON"), (11, "BAD_JSON"))),
    OddInput("JSON by the ending jl", "a.jl", GOOD.encode(), ((0, "良い"),)),
    OddInput("JSON by the ending jsonlines", "a.jsonlines", GOOD.encode(), ((0, "良い"),)),
    OddInput("JSON by the ending jl in gzip", "a.jl.gz", gzip.compress(GOOD.encode()), ((0, "良い"),)),
    _refused(
        "a text field of plain text",
        "a.txt",
        GOOD,
        "a.txt is plain text, which has no field 'body' for --text_field; leave it out, or say the --input_format.",
        _BODY,
    ),
    _refused("a text field of a file without ending", "data", GOOD, "data is plain text, which has no field", _BODY),
    _refused("an id field of plain text", "a.txt", "a\n", "has no field 'id' for --id_field", WITH_ID),
    _refused("text that is named as such", "a.txt", "a\n", "has no field 'text'", ReadOptions(text_field="text")),
]
