"""How input is to be read: encoding, fields, limits."""

import codecs
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from saiten.model.errors import UsageError
from saiten.pipelines import defaults

# In all of these but UTF-16 the byte 0x0A is a line end and nothing else.
_ENCODINGS = (
    "utf-8",
    "cp932",
    "shift_jis",
    "shift_jis_2004",
    "shift_jisx0213",
    "euc_jp",
    "euc_jis_2004",
    "euc_jisx0213",
    "iso2022_jp",
    "iso2022_jp_1",
    "iso2022_jp_2",
    "iso2022_jp_3",
    "iso2022_jp_2004",
    "iso2022_jp_ext",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "ascii",
    "iso8859-1",
    "cp1252",
)

# What others call them, and Python does not; by their letters and digits alone.
_FURTHER_NAMES = {
    "windows31j": "cp932",
    "sjiswin": "cp932",
    "mscp932": "cp932",
    "jis": "iso2022_jp",
    "sjis2004": "shift_jis_2004",
    **{re.sub("[^a-z0-9]", "", name): name for name in _ENCODINGS},
}

_QUOTINGS = ("auto", "csv", "none")

KEPT_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class KeptField:
    """A field that is copied to the output.

    Attributes:
        type: The Arrow type asked for; None leaves a Parquet column its own and makes others strings.
    """

    name: str
    type: pa.DataType | None = None

    @property
    def is_string(self) -> bool:
        """Whether the values are kept as strings, outside of Parquet."""
        return self.type is None or pa.types.is_string(self.type) or pa.types.is_large_string(self.type)


@dataclass(frozen=True)
class ReadOptions:
    """How input becomes records.

    Attributes:
        input_format: The name of a format, or ``auto``: by the file's ending.
        encoding: Any name Python has for a supported encoding; Parquet has its own.
        quoting: Whether quotes mean anything in CSV and TSV: ``csv``, ``none``, or ``auto``: in CSV only.
        text_field: The field with the text, in structured input; None is ``text``, and says that nobody asked.
        id_field: The field with the record's id; None makes it ``source:position``.
        kept_fields: The fields that are carried to the output.
        kept_fields_flag: The flag that named them, for messages: training keeps its labels.
        max_record_bytes: A longer record (without its line end; in Parquet: a longer text) becomes a dead letter.
        allow_plain_text: Plain text may be among the input although a field is asked for.
        table_files: Read the files of a Delta or Iceberg table as they are, removed ones too.

    Raises:
        UsageError: An unknown encoding or quoting, with the nearest known one.
    """

    input_format: str = defaults.INPUT_FORMAT
    encoding: str = defaults.ENCODING
    quoting: str = defaults.QUOTING
    text_field: str | None = None
    id_field: str | None = None
    kept_fields: tuple[KeptField, ...] = ()
    max_record_bytes: int = defaults.MAX_RECORD_BYTES
    allow_plain_text: bool = False
    table_files: bool = False
    kept_fields_flag: str = "--keep_fields"

    def __post_init__(self) -> None:
        if _canonical(self.encoding) not in _ENCODINGS:
            raise UsageError(unknown_name("--encoding", self.encoding, _ENCODINGS))
        if self.quoting not in _QUOTINGS:
            raise UsageError(unknown_name("--quoting", self.quoting, _QUOTINGS))
        if self.max_record_bytes < 1:
            raise UsageError(f"--max_record_bytes must be 1 or more, not {self.max_record_bytes}.")

    @property
    def text_name(self) -> str:
        """The name of the field with the text."""
        return "text" if self.text_field is None else self.text_field

    @property
    def field_names(self) -> set[str]:
        """The fields asked for."""
        kept = (field.name for field in self.kept_fields)
        return {self.text_name, *kept} | ({self.id_field} if self.id_field is not None else set())

    @property
    def codec(self) -> str:
        """The encoding under Python's own name for it."""
        return _canonical(self.encoding)

    @property
    def is_wide(self) -> bool:
        """Whether a character takes two bytes, so that a file cannot be cut at any byte 0x0A."""
        return self.codec.startswith("utf-16")


def parse_kept_fields(text: str) -> tuple[KeptField, ...]:
    """Reads ``--keep_fields``: names, or ``name:type``, between commas.

    >>> parse_kept_fields("date,stars:int64")
    (KeptField(name='date', type=None), KeptField(name='stars', type=DataType(int64)))

    Raises:
        UsageError: An unknown type, an empty name, or a name given twice.
    """
    fields = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, colon, kind = item.rpartition(":")
        if colon and kind not in KEPT_TYPES:
            raise UsageError(unknown_name(f"--keep_fields: type of {name!r}", kind, tuple(KEPT_TYPES)))
        fields.append(KeptField(name, KEPT_TYPES[kind]) if colon else KeptField(item))
    names = [field.name for field in fields]
    if "" in names:
        raise UsageError(f"--keep_fields has a type without a name: {text!r}; write name:type.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"--keep_fields names {twice!r} twice; once is enough.")
    return tuple(fields)


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Returns the names, those most like `name` first, the others in their order."""
    folded = name.casefold()
    return sorted(names, key=lambda other: -difflib.SequenceMatcher(None, folded, other.casefold()).ratio())


def _canonical(encoding: str) -> str:
    try:
        plain = re.sub("^x-|[^a-z0-9]", "", encoding.lower())
        name = codecs.lookup(_FURTHER_NAMES.get(plain, encoding.lower().removeprefix("x-"))).name
    except (LookupError, ValueError):
        return encoding
    return "utf-8" if name == "utf-8-sig" else name


def unknown_name(what: str, value: str, known: Iterable[str]) -> str:
    """Returns the sentence that refuses a name, with the nearest one that is known."""
    known = tuple(known)
    best = nearest(value, known)[0]
    return f"{what} {value!r} is not known; did you mean {best!r}? There are: {', '.join(known)}."
