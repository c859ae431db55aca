"""Dataclasses to JSON files and back, every field's type judged."""

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from saiten.pipelines import storage

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Data = TypeVar("Data")

# No string holds a line break as such.
_NUMBERS = re.compile(r"\[\n[-+.,\seE0-9]+\]")


def to_json(data: "DataclassInstance", *, for_people: bool = False) -> bytes:
    """Returns a dataclass as JSON: in ASCII, as a path may hold what UTF-8 cannot, unless it is `for_people`.

    For those it stands in many lines, but numbers that belong together in one.
    """
    fields = dataclasses.asdict(data)
    if not for_people:
        return json.dumps(fields).encode()
    lines = json.dumps(fields, ensure_ascii=False, indent=1)
    return _NUMBERS.sub(lambda numbers: " ".join(numbers[0].split()), lines).encode()


def parse_json(content: bytes) -> Any:
    """Returns what JSON says.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_json(path: str, kind: type[Data]) -> Data | None:
    """Returns the dataclass that a file holds, None where there is no such file; leaves out keys that it does not have.

    Raises:
        ValueError: It is no JSON, or a field is missing or of another type; says which.
    """
    content = storage.read_bytes(path)
    return None if content is None else msgspec.convert(parse_json(content), kind)
