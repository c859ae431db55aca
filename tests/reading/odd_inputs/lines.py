"""Lines and encodings."""

from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import SMALL, OddInput

LINES = [
    OddInput("no bytes at all", "a.txt", b""),
    OddInput("a line feed alone is an empty record", "a.txt", b"\n", ((0, ""),)),
    OddInput("empty lines are empty records", "a.txt", b"a\n\n\nb\n", ((0, "a"), (2, ""), (3, ""), (4, "b"))),
    OddInput("last line without line feed", "a.txt", b"a\nb", ((0, "a"), (2, "b"))),
    OddInput("CRLF", "a.txt", b"a\r\nb\r\n", ((0, "a"), (3, "b"))),
    OddInput("only one CR goes", "a.txt", b"a\r\r\n", ((0, "a\r"),)),
    OddInput("a CR alone ends no line", "a.txt", b"a\rb\n", ((0, "a\rb"),)),
    OddInput("last line ends in CR", "a.txt", b"a\r", ((0, "a"),)),
    OddInput("mixed line ends", "a.txt", b"a\nb\r\nc", ((0, "a"), (2, "b"), (5, "c"))),
    OddInput("white space stays", "a.txt", " \t　\n".encode(), ((0, " \t　"),)),
    OddInput("NUL and control characters stay", "a.txt", b"a\x00b\x0b\x0c\x1f\n", ((0, "a\x00b\x0b\x0c\x1f"),)),
    OddInput("Unicode line ends end no line", "a.txt", "a\u2028b\u0085c\n".encode(), ((0, "a\u2028b\u0085c"),)),
    OddInput("emoji and half-width kana", "a.txt", "😀ﾃｽﾄ\n👨‍👩‍👧\n".encode(), ((0, "😀ﾃｽﾄ"), (14, "👨‍👩‍👧"))),
    OddInput("a name without an ending is text", "README", b"a\n", ((0, "a"),)),
    OddInput("an unknown ending is text", "a.log", b"a\n", ((0, "a"),)),
    OddInput("a line of 10 MB", "a.txt", b"x" * 10_000_000 + b"\ny\n", ((0, "x" * 10_000_000), (10_000_001, "y"))),
    OddInput("as long as allowed", "a.txt", b"0123456789\r\n1\n", ((0, "0123456789"), (12, "1")), options=SMALL),
    OddInput("one byte longer", "a.txt", b"0123456789x\n1\n", ((12, "1"),), ((0, "TOO_LARGE"),), options=SMALL),
    OddInput("too long and last", "a.txt", b"1\n" + b"x" * 99, ((0, "1"),), ((2, "TOO_LARGE"),), options=SMALL),
    OddInput(
        "too long by far",
        "a.txt",
        b"1\n" + b"x" * 3_000_000 + b"\r\n2\n",
        ((0, "1"), (3_000_004, "2")),
        ((2, "TOO_LARGE"),),
        options=SMALL,
    ),
]


def _wide(text: str, codec: str = "utf-16") -> bytes:
    return text.encode(codec)


ENCODINGS = [
    OddInput("byte-order mark", "a.txt", "\ufeff良い\n悪い\n".encode(), ((0, "良い"), (10, "悪い"))),
    OddInput("byte-order mark alone", "a.txt", b"\xef\xbb\xbf"),
    OddInput("byte-order mark and an empty line", "a.txt", b"\xef\xbb\xbf\n", ((0, ""),)),
    OddInput("a second mark stays", "a.txt", "\ufeff\ufeffa\n".encode(), ((0, "\ufeffa"),)),
    OddInput("a mark later on stays", "a.txt", "a\n\ufeffb\n".encode(), ((0, "a"), (2, "\ufeffb"))),
    OddInput("invalid UTF-8", "a.txt", b"a\n\xff\xfe\nb\n", ((0, "a"), (5, "b")), ((2, "BAD_UTF8"),)),
    OddInput("UTF-8 cut in a character", "a.txt", "良".encode()[:2], (), ((0, "BAD_UTF8"),)),
    OddInput("surrogate in UTF-8", "a.txt", b"\xed\xa0\x80\nb\n", ((4, "b"),), ((0, "BAD_UTF8"),)),
    OddInput("overlong UTF-8", "a.txt", b"\xc0\xaf\n", (), ((0, "BAD_UTF8"),)),
    OddInput("cp932 read as UTF-8", "a.txt", "良い\n".encode("cp932"), (), ((0, "BAD_UTF8"),)),
    OddInput(
        "cp932 with 0x5C as second byte",
        "a.txt",
        "表示①\nソ～\n".encode("cp932"),
        ((0, "表示①"), (7, "ソ～")),
        options=ReadOptions(encoding="cp932"),
    ),
    OddInput(
        "cp932 with half a character",
        "a.txt",
        b"\x95\n" + "表\n".encode("cp932"),
        ((2, "表"),),
        ((0, "BAD_UTF8"),),
        options=ReadOptions(encoding="ms932"),
    ),
    OddInput(
        "EUC-JP",
        "a.txt",
        "良い\nﾃｽﾄ\n".encode("euc_jp"),
        ((0, "良い"), (5, "ﾃｽﾄ")),
        options=ReadOptions(encoding="EUC-JP"),
    ),
    OddInput(
        "ISO-2022-JP",
        "a.txt",
        "良い\nabc\n".encode("iso2022_jp"),
        ((0, "良い"), (11, "abc")),
        options=ReadOptions(encoding="iso-2022-jp"),
    ),
    OddInput(
        "UTF-16 with mark",
        "a.txt",
        _wide("良い\n悪い\n"),
        ((0, "良い"), (8, "悪い")),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput(
        "UTF-16 big-endian with mark",
        "a.txt",
        b"\xfe\xff" + _wide("良い\n", "utf-16-be"),
        ((0, "良い"),),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput(
        "UTF-16 without mark is little-endian",
        "a.txt",
        _wide("a\r\nb", "utf-16-le"),
        ((0, "a"), (6, "b")),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput(
        "UTF-16 with line feed bytes across characters",
        "a.txt",
        _wide("\u0a0a\u000a\u0a00\u000a", "utf-16-le"),
        ((0, "\u0a0a"), (4, "\u0a00")),
        options=ReadOptions(encoding="utf-16-le"),
    ),
    OddInput(
        "UTF-16 cut in a character",
        "a.txt",
        _wide("a\nb", "utf-16-le")[:-1],
        ((0, "a"),),
        ((4, "BAD_UTF8"),),
        options=ReadOptions(encoding="utf-16"),
    ),
    OddInput(
        "UTF-16 with half a surrogate pair",
        "a.txt",
        _wide("a\n", "utf-16-le") + b"\x00\xd8\n\x00" + _wide("b\n", "utf-16-le"),
        ((0, "a"), (8, "b")),
        ((4, "BAD_UNICODE"),),
        options=ReadOptions(encoding="utf-16"),
    ),
]
