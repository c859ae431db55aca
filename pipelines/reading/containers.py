"""Files that are no text, nor any format that is read, by their first bytes or by the endings of their names."""

import contextlib
import tarfile
import zipfile
from typing import IO

# How much of a file's beginning, and of its end, tells what it is.
HEAD_BYTES, TAIL_BYTES = 1024, 16

# What no text begins with.
_BY_FIRST_BYTES = {
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x9d": "a file compressed with compress (.Z)",
    b"\x04\x22\x4d\x18": "a file compressed with LZ4",
    b"\xff\x06\x00\x00sNaPpY": "a file compressed with Snappy",
    b"LZIP\x01": "a file compressed with lzip",
    b"ARROW1\x00\x00": "an Arrow file (Feather)",
    b"\xff\xff\xff\xff": "an Arrow stream",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file (.xls, .doc, .ppt)",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x7fELF": "a program",
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
    b"%PDF-": "a PDF file",
    b"{\\rtf": "an RTF file",
    b"%!PS-Adobe": "a PostScript file",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"MSCF\0\0\0\0": "a cabinet archive",
    b"!<arch>\n": "an archive of ar, as Debian's packages are",
}
# What a text may begin with, but not end with too, with NUL bytes between: their last bytes from behind.
_BY_BOTH_ENDS = {
    b"ORC": (slice(-4, -1), "an ORC file"),
    b"FEA1": (slice(-4, None), "an old Feather file"),
    b"PARE": (slice(-4, None), "an encrypted Parquet file"),
}
_COMPRESSIONS = {
    b"\x1f\x8b\x08": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    # A frame that is passed over, as pzstd writes first.
    **{bytes([0x50 + i]) + b"\x2a\x4d\x18": "zstd" for i in range(16)},
    **{b"BZh%d1AY&SY" % level: "bz2" for level in range(1, 10)},
    **{b"BZh%d\x17rE8P\x90" % level: "bz2" for level in range(1, 10)},
}
_WITHIN_ZIP = {"xl/": "an Excel workbook", "word/": "a Word document", "ppt/": "a PowerPoint file"}

_BY_ENDING = {
    "an Excel workbook": (".xlsx", ".xlsm", ".xlsb", ".xls"),
    "a spreadsheet": (".ods", ".numbers"),
    "a Word document": (".docx", ".doc", ".odt", ".pages"),
    "a PowerPoint file": (".pptx", ".ppt", ".odp"),
    "a PDF file": (".pdf",),
    "a word processor's file": (".hwp", ".jtd", ".msg"),
    "an RTF file": (".rtf",),
    "an e-book": (".epub", ".mobi", ".azw", ".azw3", ".djvu"),
    "a PostScript file": (".ps", ".eps"),
    "an archive": (
        *(".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tlz", ".tzst", ".7z", ".rar", ".lzh", ".lha", ".cab"),
        *(".iso", ".dmg", ".cpio", ".jar", ".apk", ".deb", ".rpm", ".warc"),
    ),
    "compressed in a way that is not read": (
        *(".lz4", ".lz", ".lzma", ".lzo", ".z", ".br", ".sz", ".snappy", ".zlib", ".bz", ".zpaq"),
    ),
    "an encrypted file": (".gpg", ".pgp", ".age"),
    "an Arrow file": (".arrow", ".feather", ".ipc", ".arrows"),
    "an Avro file": (".avro",),
    "an ORC file": (".orc",),
    "a database": (".db", ".sqlite", ".sqlite3", ".duckdb", ".mdb", ".accdb", ".dbf"),
    "a Python pickle": (".pkl", ".pickle"),
    "an array": (".npy", ".npz", ".h5", ".hdf5", ".mat"),
    "a statistics package's file": (".sav", ".por", ".dta", ".sas7bdat", ".rds", ".rda", ".rdata"),
    "a file of binary records": (".bson", ".msgpack", ".cbor", ".tfrecord", ".tfrecords"),
    "a model": (".pt", ".pth", ".onnx", ".safetensors", ".keras"),
    "a program": (".exe", ".dll", ".so"),
    "sound or video": (".mp3", ".mp4", ".m4a", ".wav", ".flac", ".ogg", ".avi", ".mov", ".mkv", ".webm"),
    "an image": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".ico", ".psd"),
}
# Their lines can be read, but are no records.
_MARKUP_BY_ENDING = {
    "XML": (".xml", ".svg"),
    "HTML": (".html", ".htm", ".xhtml", ".mhtml"),
    "YAML": (".yaml", ".yml"),
    "SQL": (".sql",),
    "a notebook": (".ipynb",),
    "JSON of another kind": (".geojson", ".jsonld", ".json5", ".jsonc", ".avsc"),
    "a table with other separators": (".psv", ".ssv"),
    "a file of settings": (".toml", ".ini"),
    "mail": (".eml", ".mbox"),
}
# From so many control characters on, and from such a share of all bytes, a file is no text: bytes at random have one
# in ten.
_MIN_CONTROLS, _MIN_CONTROL_SHARE = 16, 0.08
_CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})


def compression_by_first_bytes(head: bytes) -> str | None:
    """Returns ``gzip``, ``bz2``, ``xz`` or ``zstd``; None for what begins otherwise."""
    return next((name for first, name in _COMPRESSIONS.items() if head.startswith(first)), None)


def container_by_marks(head: bytes, tail: bytes = b"", file: IO[bytes] | None = None) -> str | None:
    """Returns what a file is that holds no text as it stands, such as ``an Excel workbook``; None where it may.

    Args:
        head: Its first `HEAD_BYTES`.
        tail: Its last `TAIL_BYTES`, unless `head` is unpacked from it.
        file: The file, unless `head` is unpacked from it.
    """
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(file)
    if _is_tar(head):
        return "a tar archive"
    if b"\0" in head:
        for first, (place, name) in _BY_BOTH_ENDS.items():
            if head.startswith(first) and tail[place] == first:
                return name
    if head[8:12] == b"DUCK" and head[14:20] == bytes(6):  # behind the mark: the version, a number of 8 bytes
        return "a DuckDB database"
    if head[2:5] == b"-lh" and head[6:7] == b"-":
        return "an LHA archive"
    return next((name for first, name in _BY_FIRST_BYTES.items() if head.startswith(first)), None)


def is_binary(head: bytes) -> bool:
    """Tells whether a file in an encoding that contains ASCII begins with more control characters than any text."""
    if not head.strip(b"\0"):  # a hole that a crash left, with records behind it
        return False
    n_controls = len(head) - len(head.translate(None, _CONTROLS))
    return n_controls >= max(_MIN_CONTROLS, _MIN_CONTROL_SHARE * len(head))


def container_by_ending(stem: str) -> str | None:
    """Returns what a file is by the ending of its name, if that is nothing that is read."""
    return next((name for name, endings in _BY_ENDING.items() if stem.lower().endswith(endings)), None)


def markup_by_ending(stem: str) -> str | None:
    """Returns what a text file is by the ending of its name, if its lines are no records."""
    return next((name for name, endings in _MARKUP_BY_ENDING.items() if stem.lower().endswith(endings)), None)


def _is_tar(head: bytes) -> bool:
    with contextlib.suppress(tarfile.HeaderError):
        return len(head) >= tarfile.BLOCKSIZE and bool(
            tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape").name
        )
    return False


def _kind_of_zip(file: IO[bytes] | None) -> str:
    names: list[str] = []
    if file is not None:
        with contextlib.suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            names = zipfile.ZipFile(file).namelist()
    kinds = (kind for folder, kind in _WITHIN_ZIP.items() if any(name.startswith(folder) for name in names))
    kind = next(kinds, None)
    if kind is None and names[:1] == ["mimetype"]:
        kind = "an OpenDocument file"
    return kind or "a zip archive"
