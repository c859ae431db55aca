"""CSV and TSV."""

import gzip

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import SMALL, WITH_ID, OddInput

CSV = [
    OddInput("CSV", "a.csv", b"id,text\n1,a\n2,b\n", ((0, "a"), (1, "b")), ids=("1", "2"), options=WITH_ID),
    OddInput("TSV", "a.tsv", b"id\ttext\n1\ta,b\n", ((0, "a,b"),)),
    OddInput("a header alone", "a.csv", b"id,text\n"),
    OddInput("an empty CSV file", "a.csv", b""),
    OddInput("CSV behind a byte-order mark", "a.csv", b'\xef\xbb\xbf"text"\r\na\r\n', ((0, "a"),)),
    OddInput(
        "quoted line ends and quotes", "a.csv", b'text,n\n"a\r\nb\n""c""",1\nd,2\n', ((0, 'a\r\nb\n"c"'), (1, "d"))
    ),
    OddInput("blank lines are no rows", "a.csv", b"\ntext,n\n\na,1\n\r\nb,2\n\n", ((0, "a"), (1, "b"))),
    OddInput(
        "blank lines are rows of one column",
        "a.csv",
        b"\r\n\ntext\na\n\r\nb\n\n",
        ((0, "a"), (1, ""), (2, "b"), (3, "")),
    ),
    OddInput(
        "nulls that Polars writes in one column", "a.csv", b'text\na\n""\n\nb\n', tuple(enumerate(["a", "", "", "b"]))
    ),
    OddInput("nulls that Arrow writes in one column", "a.csv", b'"text"\n\n"a"\n', ((0, ""), (1, "a"))),
    OddInput("nulls in one column of TSV", "a.tsv", b"text\r\na\r\n\r\nb\r\n", ((0, "a"), (1, ""), (2, "b"))),
    OddInput(
        "nulls in one column in UTF-16",
        "a.csv",
        "text\na\n\nb\n".encode("utf-16"),
        ((0, "a"), (1, ""), (2, "b")),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput("nulls in one column in gzip", "a.csv.gz", gzip.compress(b"text\n\n\na\n"), ((0, ""), (1, ""), (2, "a"))),
    OddInput("an empty quoted text", "a.csv", b'text\n""\nb\n', ((0, ""), (1, "b"))),
    OddInput("last row without line end", "a.csv", b"text\na", ((0, "a"),)),
    OddInput("too many fields", "a.csv", b"id,text\n1,a,x\n2,b\n", ((1, "b"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("too few fields", "a.csv", b"id,text\n1\n2,b\n", ((1, "b"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("a letter behind a quote", "a.csv", b'text\n"a"x\nb\n', ((1, "b"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("a quote inside a field", "a.csv", b'text\na"b\n', ((0, 'a"b'),)),
    OddInput("an open quote at the end", "a.csv", b'text\na\n"b\nc\n', ((0, "a"), (2, "c")), ((1, "BAD_CSV_ROW"),)),
    OddInput("a CR outside of quotes", "a.csv", b"text\na\rb\nc\n", ((1, "c"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("invalid UTF-8 in a row", "a.csv", b"id,text\n1,\xff\n2,b\n", ((1, "b"),), ((0, "BAD_UTF8"),)),
    OddInput("invalid UTF-8 in a quoted line", "a.csv", b'text\n"a\n\xff"\nb\n', ((1, "b"),), ((0, "BAD_UTF8"),)),
    OddInput("NUL in a field", "a.csv", b"text\na\0b\n", ((0, "a\0b"),)),
    OddInput(
        "a row that is too long", "a.csv", b"text\n0123456789x\nb\n", ((1, "b"),), ((0, "TOO_LARGE"),), options=SMALL
    ),
    OddInput(
        "a row that is too long in quotes",
        "a.csv",
        b'text\n"01234\n56789\nabc"\nb\n',
        ((1, "b"),),
        ((0, "TOO_LARGE"),),
        options=SMALL,
    ),
    OddInput(
        "a long quoted line and more of the row",
        "a.csv",
        b'text\n"' + b"x" * 2_000_000 + b'\ny"\nb\n',
        ((1, "b"),),
        ((0, "TOO_LARGE"),),
        options=SMALL,
    ),
    OddInput("an empty id in CSV", "a.csv", b"id,text\n,a\n", ((0, "a"),), options=WITH_ID),
    OddInput(
        "CSV in cp932",
        "a.csv",
        "text,番号\n表示,1\n".encode("cp932"),
        ((0, "表示"),),
        options=ReadOptions(encoding="cp932"),
    ),
    OddInput(
        "CSV in UTF-16",
        "a.csv",
        'text\n"良\nい"\n'.encode("utf-16"),
        ((0, "良\nい"),),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput("compressed CSV", "a.csv.gz", gzip.compress(b"text\na\n"), ((0, "a"),)),
    OddInput(
        "a CSV without the field", "a.csv", b"id,txet\n1,a\n", error=UsageError, message="there are: 'txet', 'id'"
    ),
    OddInput(
        "a header that cannot be read", "a.csv", b'"id"x,text\n1,a\n', error=UsageError, message="no header can be read"
    ),
]
