"""Lines that end in a carriage return alone, as old Macs and some exports of Excel write them."""

import gzip

import zstandard

from saiten.model.errors import UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import SMALL, WITH_ID, OddInput

_CSV = "id,text\rr1,良い\rr2,悪い\r"
_ROWS = ((0, "良い"), (1, "悪い"))
_IDS = ("r1", "r2")

CR_LINES = [
    OddInput("CSV in lines of CR", "X.csv", _CSV.encode(), _ROWS, ids=_IDS, options=WITH_ID),
    OddInput("TSV in lines of CR", "X.tsv", _CSV.replace(",", "\t").encode(), _ROWS, ids=_IDS, options=WITH_ID),
    OddInput("CSV in lines of CR, the last one without", "X.csv", _CSV[:-1].encode(), _ROWS),
    OddInput("CSV in lines of CR behind a mark", "X.csv", ("\ufeff" + _CSV).encode(), _ROWS, ids=_IDS, options=WITH_ID),
    OddInput("CSV in lines of CR in gzip", "X.csv.gz", gzip.compress(_CSV.encode()), _ROWS),
    OddInput(
        "CSV in lines of CR in cp932", "X.csv", _CSV.encode("cp932"), _ROWS, options=ReadOptions(encoding="cp932")
    ),
    OddInput(
        "CSV in lines of CR in UTF-16", "X.csv", _CSV.encode("utf-16"), _ROWS, options=ReadOptions(encoding="utf-16")
    ),
    OddInput("a cell over two lines of CR", "X.csv", b'text\r"a\rb"\rc\r', ((0, "a\rb"), (1, "c"))),
    OddInput("an open quote in lines of CR", "X.csv", b'text\r"a\rb\r', ((1, "b"),), ((0, "BAD_CSV_ROW"),)),
    OddInput("blank lines of CR are no rows", "X.csv", b"text,n\r\ra,1\r\r", ((0, "a"),)),
    OddInput("blank lines of CR are rows of one column", "X.csv", b"text\r\ra\r", ((0, ""), (1, "a"))),
    OddInput("text in lines of CR", "X.txt", b"a\rb\r", ((0, "a"), (2, "b"))),
    OddInput("text in lines of CR, some empty", "X.txt", b"\ra\r\rb", ((0, ""), (1, "a"), (3, ""), (4, "b"))),
    OddInput("text in lines of CR in zstd", "X.txt.zst", zstandard.compress(b"a\rb\r"), ((0, "a"), (2, "b"))),
    OddInput(
        "text in lines of CR in UTF-16",
        "X.txt",
        "良\rい\r".encode("utf-16-be"),
        ((0, "良"), (4, "い")),
        options=ReadOptions(encoding="utf-16-be"),
    ),
    OddInput("a long line of CR", "X.txt", b"0123456789x\ra\r", ((12, "a"),), ((0, "TOO_LARGE"),), options=SMALL),
    OddInput("JSON in lines of CR", "X.jsonl", b'{"text":"a"}\r{"text":"b"}\r', ((0, "a"), (13, "b"))),
    OddInput("JSON in blank lines of CR", "X.jsonl", b'\r{"text":"a"}\r\r', ((1, "a"),)),
    OddInput("one LF makes CR no line end", "X.txt", b"a\rb\rc\nd\r", ((0, "a\rb\rc"), (6, "d"))),
    OddInput(
        "a header in lines of CR before one of LF",
        "X.csv",
        b"id,text\r1,a\r2,b\n",
        error=UsageError,
        message="X.csv: no header can be read (Not a valid row: a carriage return is outside of quotes); "
        "end all lines in one way, LF or CR LF.",
    ),
    *(
        OddInput(
            f"a header in lines of CR before one of LF, {kind}",
            file,
            content,
            error=UsageError,
            message="no header can be read (Not a valid row: a carriage return is outside of quotes); end all lines",
            options=ReadOptions(quoting=quoting),
        )
        for kind, file, content, quoting in (
            ("TSV", "X.tsv", b"text\tid\ra\t1\rb\t2\n", "auto"),
            ("CSV without quotes", "X.csv", b"text,id\ra,1\rb,2\n", "none"),
            ("TSV in gzip", "X.tsv.gz", gzip.compress(b"text\tid\ra\t1\n"), "auto"),
        )
    ),
    OddInput("a CR more at the end of each line", "X.tsv", b"text\tid\r\r\na\t1\r\r\n", ((0, "a"),)),
]
