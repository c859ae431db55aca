"""What a file is: its format, compression and encoding, by what was asked for, its first bytes and its name."""

import dataclasses
import os
import re
from typing import IO, NoReturn

from saiten.model.errors import DamagedFileError, UsageError
from saiten.pipelines.reading.containers import (
    HEAD_BYTES,
    TAIL_BYTES,
    compression_by_first_bytes,
    container_by_ending,
    container_by_marks,
    is_binary,
    markup_by_ending,
)
from saiten.pipelines.reading.format import Format
from saiten.pipelines.reading.formats import asked_format, format_by_ending, format_by_marks
from saiten.pipelines.reading.lines.decompress import compression_of, decompress
from saiten.pipelines.reading.lines.text import TEXT
from saiten.pipelines.reading.options import ReadOptions
from saiten.pipelines.records import FileSlice

# The longer ones first: UTF-32's begins with UTF-16's.
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"\xef\xbb\xbf": "utf-8",
}
# From so many NUL bytes on, each second byte one, ASCII is written in UTF-16.
_MIN_NULS = 8
# Their bytes for letters may be those of control characters.
_WITH_CONTROLS = ("utf-16", "iso2022")
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
# The ending of a format within a name: a.csv.bak, a.csv_old, a.csv (1), a.jsonl.gz.1, a.tsv~.
_WITHIN_NAME = re.compile(r"\.[a-z]+(?![a-z-])")


def identify(file: IO[bytes], whole: FileSlice, options: ReadOptions) -> FileSlice:
    """Returns a file with its format, compression and codec.

    Args:
        file: Open.

    Raises:
        UsageError: It is nothing that is read, or not what was asked for, in one sentence that says what it is.
        DamagedFileError: It is compressed, and damaged in its beginning; or empty where it cannot be.
    """
    file.seek(0)
    head, tail = file.read(HEAD_BYTES), b""
    compression = compression_by_first_bytes(head) or compression_of(whole.path)
    if compression is None:
        file.seek(max(0, whole.size - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
        _refuse_container(whole, container_by_marks(head, tail, file))
    else:
        if whole.size == 0:
            raise DamagedFileError(f"{whole.source} is empty, so it is no whole {compression} file.")
        head = _unpacked_head(file, compression, whole.source)
        if compression_by_first_bytes(head) is not None:
            raise UsageError(f"{whole.source} is compressed twice; unpack it once.")
        _refuse_container(whole, container_by_marks(head))
    format_ = _format_of(whole, format_by_marks(head, tail), compression, options)
    codec = options.codec if format_.is_binary else _codec_of(head, whole, options)
    if options.input_format == "auto" and not format_.is_binary and not codec.startswith(_WITH_CONTROLS):
        _refuse_binary(whole, head)
    return dataclasses.replace(whole, format=format_.name, compression=compression, codec=codec)


def _unpacked_head(file: IO[bytes], compression: str, source: str) -> bytes:
    head = b""
    file.seek(0)
    for _, data in decompress(file, compression, source):
        head += data
        if len(head) >= HEAD_BYTES:
            break
    return head[:HEAD_BYTES]


def _refuse_container(whole: FileSlice, container: str | None) -> None:
    if container is not None:
        _refuse(whole, f"is {container}, which is not read")


def _refuse(whole: FileSlice, what: str) -> NoReturn:
    raise UsageError(f"{whole.source} {what}; give the records as text, JSON Lines, CSV, TSV or Parquet.")


def _format_of(whole: FileSlice, marked: Format | None, compression: str | None, options: ReadOptions) -> Format:
    stem = whole.path.rpartition(".")[0] if compression_of(whole.path) else whole.path
    asked = asked_format(options)
    if asked is not None and marked is not None and asked is not marked:
        raise UsageError(
            f"{whole.source} is a {marked.name.capitalize()} file, not --input_format={asked.name}; leave that out."
        )
    if asked is None and marked is None:
        container, markup = container_by_ending(stem), markup_by_ending(stem)
        if container is not None:
            _refuse(whole, f"is {container} by its name, which is not read")
        if markup is not None:
            _refuse(whole, f"is {markup} by its name, whose lines are no records (--input_format=text reads lines)")
    found = asked or marked or format_by_ending(stem) or TEXT
    if found is TEXT and asked is None:
        _refuse_second_ending(whole, stem)
    if found.is_binary and compression is not None:
        raise UsageError(
            f"{whole.source} is a compressed {found.name.capitalize()} file; unpack it first: it is read from its end."
        )
    if found.is_binary and whole.size == 0:
        raise DamagedFileError(f"{whole.source} is empty, so it is no whole {found.name.capitalize()} file.")
    return found


def _refuse_second_ending(whole: FileSlice, stem: str) -> None:
    """Refuses ``a.csv.bak``, ``a.jsonl.gz.1``, ``a.csv.txt``: by the last ending its lines would be scored as texts."""
    for found in _WITHIN_NAME.finditer(os.path.basename(stem).lower()):
        format_ = format_by_ending(found.group())
        if format_ is not None and format_ is not TEXT:
            raise UsageError(
                f"{whole.source} may be {format_.name.upper()} by its name, or text; "
                f"say --input_format={format_.name} or --input_format=text."
            )


def _refuse_binary(whole: FileSlice, head: bytes) -> None:
    if is_binary(head):
        raise UsageError(
            f"{whole.source} is no text: its first {len(head):,} bytes are full of control characters; "
            "say the --input_format where it is."
        )


def _codec_of(head: bytes, whole: FileSlice, options: ReadOptions) -> str:
    """Returns the codec, which a byte-order mark must not contradict."""
    codec = options.codec
    mark = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if codec == "utf-16":
        # Without a mark it is what Windows writes.
        codec = mark if mark in ("utf-16-be", "utf-16-le") else "utf-16-le"
    if mark is not None and mark != codec:
        remedy = "convert it to UTF-8" if mark == "utf-32" else f"say --encoding={mark[:6].rstrip('-')}"
        raise UsageError(
            f"{whole.source} begins with the byte-order mark of {mark.upper()}, and is no {options.encoding}; {remedy}."
        )
    if not codec.startswith("utf-16") and _looks_wide(head):
        raise UsageError(
            f"{whole.source} looks like UTF-16 without a byte-order mark; say --encoding=utf-16-le or -be."
        )
    return codec


def _looks_wide(head: bytes) -> bool:
    """Tells whether bytes are UTF-16: by ASCII in it, or by Japanese in it in lines."""
    nuls = [head[i::2].count(0) for i in range(2)]
    is_ascii = min(nuls) == 0 and max(nuls) >= max(_MIN_NULS, len(head) // 4)
    return is_ascii or any(_has_wide_lines(head, codec) for codec in ("utf-16-le", "utf-16-be"))


def _has_wide_lines(head: bytes, codec: str) -> bool:
    text = head[: len(head) // 2 * 2].decode(codec, "replace")
    return 2 * text.count("\n") > head.count(b"\n") and _JAPANESE.search(text) is not None
