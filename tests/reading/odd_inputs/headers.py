"""Headers that cannot be read, or lack or repeat what is asked for; quotes that do not close."""

import gzip

import zstandard

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import KeptField, ReadOptions
from tests.reading.odd_inputs.case import SMALL, WITH_ID, OddInput

_TSV_ID = ReadOptions(id_field="id", input_format="tsv")
_QUOTED = ReadOptions(quoting="csv")
_UNQUOTED = ReadOptions(quoting="none")
_KEPT = ReadOptions(kept_fields=(KeptField("n"),))


def _refused(name: str, file: str, content: bytes | str, message: str, options: ReadOptions | None = None) -> OddInput:
    data = content.encode() if isinstance(content, str) else content
    return OddInput(name, file, data, error=UsageError, message=message, options=options or ReadOptions())


HEADERS = [
    _refused(
        "a quote that opens in the header",
        "a.csv",
        'id,"text\n1,良い\n2,悪い\n',
        "a.csv: no header can be read (A quote that opens in its last line is never closed, so the row ends there); "
        "mend it, or say --quoting=none where quotes mean nothing.",
    ),
    _refused("a quote that opens in a compressed header", "a.csv.gz", gzip.compress(b'"text\na\n'), "no header can"),
    _refused("a quote that opens in a TSV header", "a.tsv", 'id\t"text\n1\ta\n', "no header can be read", _QUOTED),
    _refused("a header in another encoding", "a.csv", "本文,番号\n".encode("cp932"), "is it in another --encoding?"),
    _refused("a TSV header in another encoding", "a.tsv", "本文\t番号\n".encode("euc_jp"), "in another --encoding?"),
    _refused("a header with semicolons", "a.csv", "id;text\n1;a\n", "there is 'id;text' alone: its columns are sep"),
    _refused("a header with tabs in CSV", "a.csv", "id\ttext\n1\ta\n", "separated by '\\t'; say --input_format=tsv."),
    _refused("a header with commas in TSV", "a.tsv", "id,text\n1,a\n", "separated by ','; say --input_format=csv."),
    _refused("a header with bars", "a.csv", "id|text\n1|a\n", "there is 'id|text' alone: its columns are separated"),
    _refused("a line for Excel", "a.csv", "sep=,\nid,text\n1,a\n", "the first line is 'sep=', which is for Excel"),
    _refused("another line for Excel", "a.csv", "sep=;\nid;text\n", "the first line is 'sep=;', which is for Excel"),
    _refused(
        "a field with a space before it",
        "a.csv",
        "id, text\n1,a\n",
        "there is ' text', which is written otherwise than 'text'",
    ),
    _refused(
        "a second mark before a field", "a.csv", "\ufeff\ufefftext,n\na,1\n", "which is written otherwise than 'text'"
    ),
    _refused("a field with what is not seen", "a.tsv", "id\ttext\u200b\n1\ta\n", "('text\\u200b'), which is written"),
    _refused(
        "a field in capitals",
        "a.csv",
        "ID,TEXT\n1,a\n",
        "a.csv has no field 'text', and no --text_field names another; there is",
    ),
    _refused(
        "a field with decomposed characters",
        "a.csv",
        "id,タ\u30a4フ\u309a\n1,a\n",
        "there is 'タイフ\u309a' ('\\u30bf\\u30a4\\u30d5\\u309a'), which is written otherwise than "
        "'\\u30bf\\u30a4\\u30d7'",
        ReadOptions(text_field="タイプ"),
    ),
    _refused(
        "an id with decomposed characters",
        "a.jsonl",
        '{"text":"a","か\u3099":1}\n',
        "there is 'か\u3099'",
        ReadOptions(id_field="が"),
    ),
    *(
        _refused(
            f"a field within another, as {name}",
            "a.jsonl",
            '{"review":{"text":"a"},"n":1}\n',
            "'n'; what is within 'review' has to be a field of its own, as jq can make it.",
            ReadOptions(text_field=name),
        )
        for name in ("review.text", "$.review.text", "/review/text", "review[text]", "review->text")
    ),
    _refused("text twice in CSV", "a.csv", "text,id,text\na,1,b\n", "a.csv has the field 'text' twice; rename one"),
    _refused("text twice in TSV", "a.tsv", "text\tid\ttext\na\t1\tb\n", "a.tsv has the field 'text' twice"),
    _refused("text twice in gzip", "a.csv.gz", gzip.compress(b"text,text\na,b\n"), "has the field 'text' twice"),
    _refused("text twice in a header alone", "a.csv", "text,text\n", "has the field 'text' twice"),
    _refused("id twice", "a.csv", "text,id,id\na,1,2\n", "has the field 'id' twice", WITH_ID),
    _refused("a kept field twice", "a.csv", "text,n,n\na,1,2\n", "has the field 'n' twice", _KEPT),
    OddInput("a field twice that nobody asks for", "a.csv", b"text,n,n\na,1,2\n", ((0, "a"),)),
    OddInput("two columns without a name", "a.csv", b"text,,\na,1,2\n", ((0, "a"),)),
    _refused("a header without the id", "a.csv", "text,n\na,1\n", "a.csv has no field 'id' of --id_field", WITH_ID),
    _refused(
        "a header alone without the text",
        "a.csv",
        "id\n",
        "a.csv has no field 'text', and no --text_field names another",
    ),
    OddInput("blank lines alone", "a.csv", b"\n\r\n\n"),
    OddInput("a header longer than a record may be", "a.csv", b"a_long_name,text\n1,a\n", ((0, "a"),), options=SMALL),
    OddInput("a header over two lines", "a.csv", b'"a\nb",text\n1,x\n', ((0, "x"),)),
    OddInput(
        "TSV with quotes is no CSV", "a.tsv", b'id\ttext\n1\t"She said.\n2\tYes."\n', ((0, '"She said.'), (1, 'Yes."'))
    ),
    OddInput("a quote alone in TSV", "a.tsv", b'text\n"\na\n""\n', ((0, '"'), (1, "a"), (2, '""'))),
    OddInput("a quote in a TSV header", "a.tsv", b'"id\ttext\n1\ta\n', ((0, "a"),)),
    OddInput("TSV with quotes if asked for", "a.tsv", b'id\ttext\n1\t"a\tb\nc"\n', ((0, "a\tb\nc"),), options=_QUOTED),
    OddInput(
        "CSV without quotes if asked for", "a.csv", b'id,text\n1,"a\n2,b"\n', ((0, '"a'), (1, 'b"')), options=_UNQUOTED
    ),
    OddInput("a CR in a cell without quotes", "a.tsv", b"text\na\rb\nc\n", ((0, "a\rb"), (1, "c"))),
    OddInput("TSV in zstd with a quote", "a.tsv.zst", zstandard.compress(b'text\n"a\nb\n'), ((0, '"a'), (1, "b"))),
    OddInput("TSV by its other ending", "a.tab", b"id\ttext\n1\ta\n", ((0, "a"),)),
    OddInput("TSV by what is asked for", "a.log", b"id\ttext\n1\ta\n", ((0, "a"),), ids=("1",), options=_TSV_ID),
    OddInput("a row of too many tabs", "a.tsv", b"text\tn\na\tb\tc\nd\te\n", ((1, "d"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("invalid UTF-8 in TSV", "a.tsv", b'text\n"\xff\nb\n', ((1, "b"),), ((0, "BAD_UTF8"),)),
    OddInput("a long row of TSV", "a.tsv", b"text\n0123456789x\nb\n", ((1, "b"),), ((0, "TOO_LARGE"),), options=SMALL),
    OddInput(
        "an open quote in the first row", "a.csv", b'text\n"a\nb\nc\n', ((1, "b"), (2, "c")), ((0, "BAD_CSV_ROW"),)
    ),
    OddInput("an open quote in the last row", "a.csv", b'text\na\n"b', ((0, "a"),), ((1, "BAD_CSV_ROW"),)),
    OddInput(
        "an open quote before quoted rows",
        "a.csv",
        b'id,text\n1,"open\n2,b\n3,"c"\n4,"d ""e"""\n',
        ((1, "b"), (2, "c"), (3, 'd "e"')),
        ((0, "BAD_CSV_ROW"),),
    ),
    OddInput(
        "two open quotes",
        "a.csv",
        b'id,text\n1,"a\n2,b\n3,"c\n4,d\n',
        ((1, "b"), (3, "d")),
        ((0, "BAD_CSV_ROW"), (2, "BAD_CSV_ROW")),
    ),
    OddInput(
        "a row over two lines before an open quote",
        "a.csv",
        b'id,text\n"1\n1","open\n2,b\n',
        ((1, "b"),),
        ((0, "BAD_CSV_ROW"),),
    ),
    OddInput("an open quote in gzip", "a.csv.gz", gzip.compress(b'text\n"a\nb\n'), ((1, "b"),), ((0, "BAD_CSV_ROW"),)),
    OddInput(
        "an open quote in UTF-16",
        "a.csv",
        'text\n"a\nb\n'.encode("utf-16"),
        ((1, "b"),),
        ((0, "BAD_CSV_ROW"),),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput(
        "an open quote in cp932",
        "a.csv",
        'text\n"表\nソ\n'.encode("cp932"),
        ((1, "ソ"),),
        ((0, "BAD_CSV_ROW"),),
        options=ReadOptions(encoding="cp932"),
    ),
]
