"""Files that are no text as they stand, or not what their name says."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
import zlib

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.orc as orc
import pyarrow.parquet as pq
import zstandard

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.options import ReadOptions
from tests.reading.odd_inputs.case import OddInput

_JSON = b'{"text":"a"}\n{"text":"b"}\n'
_AB = ((0, "a"), (13, "b"))
_TABLE = pa.table({"text": ["a", "b"]})


def _tar(mode: str = "w", format_: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=format_) as archive:  # type: ignore[call-overload]
        about = tarfile.TarInfo("corpus/a.txt")
        about.size = 2
        archive.addfile(about, io.BytesIO(b"a\n"))
    return file.getvalue()


def _zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "a\n")
    return file.getvalue()


def _arrow(stream: bool) -> bytes:
    file = io.BytesIO()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(file, _TABLE.schema) as writer:
        writer.write_table(_TABLE)
    return file.getvalue()


def _written(write: object) -> bytes:
    file = io.BytesIO()
    write(_TABLE, file)  # type: ignore[operator]
    return file.getvalue()


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table texts (text)")
        return database.serialize()


def _refused(name: str, file: str, content: bytes, what: str, options: ReadOptions | None = None) -> OddInput:
    message = f"{file} {what}"
    return OddInput(name, file, content, error=UsageError, message=message, options=options or ReadOptions())


_PARQUET = _written(pq.write_table)
_IS_TAR = "is a tar archive, which is not read; give the records as text, JSON Lines, CSV, TSV or Parquet."
_AS_TEXT = ReadOptions(input_format="text")
_NOISE = bytes(range(1, 9)) * 4 + b"abc"
_SKIPPED = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"

CONTAINERS = [
    *(
        _refused(
            f"another ending behind that of a format: {file}",
            file,
            b'text\n{"text":"a"}\n',
            f"may be {name.upper()} by its name, or text; say --input_format={name} or --input_format=text.",
        )
        for file, name in (
            ("a.csv.bak", "csv"),
            ("a.csv.1", "csv"),
            ("a.CSV.txt", "csv"),
            ("a.tsv~", "tsv"),
            ("a.jsonl.part", "jsonl"),
            ("a.ndjson.2026-01-01", "jsonl"),
        )
    ),
    *(
        _refused(f"another ending behind others: {file}", file, content, "may be ")
        for content, files in (
            (b"text\n", ("a.csv.2026.bak", "a.csv_old", "a.csv (1)", "a.csv copy", "a.tsv.orig.txt", "a.jsonl_2")),
            (gzip.compress(b"text\n"), ("a.csv.gz.1", "a.jsonl.gz~", "a.jsonl.gz.part", "a.tsv.gzip")),
        )
        for file in files
    ),
    OddInput("a copy that has its ending", "a - コピー (1).csv", b"text\na\n", ((0, "a"),)),
    _refused("another ending in gzip", "a.csv.old.gz", gzip.compress(b"text\na\n"), "may be CSV by its name, or text;"),
    OddInput(
        "another ending that is asked for as CSV",
        "a.csv.bak",
        b"text\na\n",
        ((0, "a"),),
        options=ReadOptions(input_format="csv"),
    ),
    OddInput(
        "another ending that is asked for as text", "a.csv.bak", b"text\na\n", ((0, "text"), (5, "a")), options=_AS_TEXT
    ),
    OddInput("dots in the name of a text file", "a.2026.csv-less.txt", b"a\n", ((0, "a"),)),
    _refused("a tar archive", "corpus.tar", _tar(), _IS_TAR),
    _refused("a tar archive as text", "corpus.txt", _tar(), _IS_TAR),
    _refused("a tar archive that is asked for as text", "corpus.tar", _tar(), _IS_TAR, _AS_TEXT),
    _refused("an old tar archive", "corpus.txt", _tar(format_=tarfile.USTAR_FORMAT), _IS_TAR),
    _refused("a GNU tar archive", "corpus.txt", _tar(format_=tarfile.GNU_FORMAT), _IS_TAR),
    *(
        _refused(f"a tar archive in {ending}", f"corpus.tar{ending}", pack(_tar()), _IS_TAR)
        for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress))
    ),
    _refused("a tar archive in zstd", "corpus.jsonl.zst", zstandard.compress(_tar()), _IS_TAR),
    _refused("a compressed tar archive in one ending", "corpus.tgz", _tar("w:gz"), _IS_TAR),
    _refused("a zip archive", "corpus.zip", _zip("a.txt"), "is a zip archive"),
    _refused("a zip archive as CSV", "corpus.csv", _zip("a.csv"), "is a zip archive"),
    _refused("an empty zip archive", "corpus.txt", _zip(), "is an empty zip archive"),
    _refused("a damaged zip archive", "corpus.txt", _zip("a.txt")[:40], "is a zip archive"),
    _refused("a zip archive in gzip", "corpus.txt.gz", gzip.compress(_zip("a.txt")), "is a zip archive"),
    _refused("an Excel workbook", "a.xlsx", _zip("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook"),
    _refused("an Excel workbook as CSV", "a.csv", _zip("[Content_Types].xml", "xl/workbook.xml"), "is an Excel"),
    _refused(
        "a Word document as text", "a.txt", _zip("[Content_Types].xml", "word/document.xml"), "is a Word document"
    ),
    _refused("slides as text", "a.txt", _zip("[Content_Types].xml", "ppt/presentation.xml"), "is a PowerPoint file"),
    _refused("an OpenDocument text", "a.txt", _zip("mimetype", "content.xml"), "is an OpenDocument file"),
    _refused("an old Excel file as CSV", "a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "is an old Office"),
    _refused("an Arrow file", "a.arrow", _arrow(stream=False), "is an Arrow file (Feather)"),
    _refused("an Arrow file as text", "a.txt", _arrow(stream=False), "is an Arrow file (Feather)"),
    _refused("an Arrow stream as text", "a.txt", _arrow(stream=True), "is an Arrow stream"),
    _refused("a Feather file", "a.feather", _written(feather.write_feather), "is an Arrow file (Feather)"),
    _refused("an old Feather file as text", "a.txt", b"FEA1" + bytes(40) + b"FEA1", "is an old Feather file"),
    _refused("an ORC file as text", "a.txt", _written(orc.write_table), "is an ORC file"),
    _refused("an SQLite database", "a.db", _sqlite(), "is an SQLite database"),
    _refused("an SQLite database as text", "a.txt", _sqlite(), "is an SQLite database"),
    _refused("an SQLite database in gzip", "a.txt.gz", gzip.compress(_sqlite()), "is an SQLite database"),
    _refused("a PDF file as text", "a.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF file"),
    _refused("a pickle as text", "a.txt", pickle.dumps(["a"], 5), "is a Python pickle"),
    _refused("an Avro file as JSON", "a.json", b"Obj\x01\x04\x14avro.codec", "is an Avro file"),
    _refused("a PNG image as text", "a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG image"),
    _refused("a 7-Zip archive as text", "a.txt", b"7z\xbc\xaf\x27\x1c\0\x04", "is a 7-Zip archive"),
    _refused("an LZ4 file as text", "a.txt", b"\x04\x22\x4d\x18\x64\x40\xa7", "is a file compressed with LZ4"),
    _refused("a GIF image as text", "a.txt", b"GIF89a\x01\0\x01\0\x80", "is a GIF image"),
    _refused("an LHA archive as text", "a.txt", b"\x24\x9a-lh5-\x30\0", "is an LHA archive"),
    _refused("a cabinet as text", "a.txt", b"MSCF\0\0\0\0\x10", "is a cabinet archive"),
    _refused("a Debian package as text", "a.txt", b"!<arch>\ndebian-binary   1", "is an archive of ar"),
    *(
        _refused(f"a DuckDB database of version {version}", "a.txt", head, "is a DuckDB database")
        for version in (64, 999)
        for head in (b"8 bytes." + b"DUCK" + version.to_bytes(8, "little") + bytes(40),)
    ),
    *(
        _refused(
            f"what is no text: {file}", file, pack(_NOISE), f"is no text: its first {len(_NOISE)} bytes are full", how
        )
        for file, pack, how in (
            ("a", bytes, None),
            ("a.csv", bytes, None),
            ("a.jsonl.gz", gzip.compress, None),
            ("a.txt", bytes, ReadOptions(encoding="cp932")),
        )
    ),
    OddInput("what is no text, if it is asked for as text", "a", _NOISE, ((0, _NOISE.decode()),), options=_AS_TEXT),
    OddInput(
        "a hole before records",
        "a.jsonl",
        bytes(2000) + b"\n" + _JSON,
        ((2001, "a"), (2014, "b")),
        ((0, "BAD_JSON"),),
    ),
    OddInput("a file of colours and pages is text", "a.log", b"\x1b[1ma\x1b[0m\x0c\n", ((0, "\x1b[1ma\x1b[0m\x0c"),)),
    _refused("an RTF file as text", "a.txt", b"{\\rtf1\\ansi a}", "is an RTF file"),
    *(
        _refused(f"an ending that is not read: {ending}", f"a{ending}", b"a\n", what)
        for ending, what in (
            (".xlsx", "is an Excel workbook by its name, which is not read; give the records as text,"),
            (".XLS", "is an Excel workbook by its name"),
            (".docx", "is a Word document by its name"),
            (".pdf", "is a PDF file by its name"),
            (".zip", "is an archive by its name"),
            (".lz4", "is compressed in a way that is not read by its name"),
            (".avro", "is an Avro file by its name"),
            (".orc", "is an ORC file by its name"),
            (".feather", "is an Arrow file by its name"),
            (".pkl", "is a Python pickle by its name"),
            (".sqlite", "is a database by its name"),
            (".lzh", "is an archive by its name"),
            (".mp4", "is sound or video by its name"),
            (".bson", "is a file of binary records by its name"),
            (".gpg", "is an encrypted file by its name"),
            (".geojson", "is JSON of another kind by its name, whose lines are no records"),
            (".psv", "is a table with other separators by its name, whose lines"),
            (".eml", "is mail by its name, whose lines"),
            (".xml", "is XML by its name, whose lines are no records (--input_format=text reads lines)"),
            (".html", "is HTML by its name"),
            (".ipynb", "is a notebook by its name"),
        )
    ),
    OddInput("the lines of an XML file", "a.xml", b"<a>\n</a>\n", ((0, "<a>"), (4, "</a>")), options=_AS_TEXT),
    OddInput("text that begins like an ORC file", "a.txt", b"ORCID\nORC\n", ((0, "ORCID"), (6, "ORC"))),
    OddInput("text that begins like a Parquet file", "a.txt", b"PAR1\nPAR1\n", ((0, "PAR1"), (5, "PAR1"))),
    OddInput("text that begins like a bzip2 file", "a.txt", b"BZh9 a\n", ((0, "BZh9 a"),)),
    OddInput("gzip by another name", "a.jsonl", gzip.compress(_JSON), _AB),
    OddInput("bzip2 by another name", "a.jsonl", bz2.compress(_JSON), _AB),
    OddInput("xz by another name", "a.jsonl", lzma.compress(_JSON), _AB),
    OddInput("zstd by another name", "a.jsonl", zstandard.compress(_JSON), _AB),
    *(
        OddInput(f"zstd with a frame to be passed over {where}: {file}", file, content, _AB)
        for file in ("a.jsonl.zst", "a.jsonl")
        for where, content in (
            ("first", _SKIPPED + zstandard.compress(_JSON)),
            ("between", zstandard.compress(_JSON[:13]) + _SKIPPED + zstandard.compress(_JSON[13:])),
            ("last", zstandard.compress(_JSON) + _SKIPPED),
        )
    ),
    OddInput("zstd by the name of gzip", "a.jsonl.gz", zstandard.compress(_JSON), _AB),
    OddInput("gzipped CSV by another name", "a.csv", gzip.compress(b"text\na\n"), ((0, "a"),)),
    OddInput("gzip cut short by another name", "a.txt", gzip.compress(_JSON)[:-4], error=DamagedFileError, message="a"),
    _refused("gzip in gzip", "a.txt.gz", gzip.compress(gzip.compress(_JSON)), "is compressed twice; unpack it once."),
    _refused("zlib without a head", "a.zlib", zlib.compress(_JSON), "is compressed in a way that is not read"),
    OddInput("Parquet without an ending", "000000_0", _PARQUET, ((0, "a"), (1, "b"))),
    OddInput("Parquet by the name of CSV", "a.csv", _PARQUET, ((0, "a"), (1, "b"))),
    OddInput("Parquet by another ending", "a.parq", _PARQUET, ((0, "a"), (1, "b"))),
    _refused(
        "Parquet that is asked for as CSV",
        "a.csv",
        _PARQUET,
        "is a Parquet file, not --input_format=csv; leave that out.",
        ReadOptions(input_format="csv"),
    ),
    _refused("Parquet in gzip by another name", "a.txt.gz", gzip.compress(_PARQUET), "is a compressed Parquet file"),
]
