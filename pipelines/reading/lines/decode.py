"""Bytes of lines to texts."""

from collections.abc import Sequence

from saiten.pipelines.records import Code

BYTE_ORDER_MARK = "\ufeff"
# Their lines begin in a state that only the line itself says.
_STATEFUL = ("iso2022", "utf-16")


def decode_lines(lines: Sequence[bytes], codec: str) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """Decodes lines, all at once where all are good.

    Args:
        lines: Without their line ends.

    Returns:
        The texts, with U+FFFD for bad bytes, and code and message of the bad ones by index.
    """
    texts, errors = _decode_at_once(lines, codec), {}
    if texts is None:
        texts = []
        for i, line in enumerate(lines):
            try:
                texts.append(line.decode(codec))
            except UnicodeDecodeError as error:
                texts.append(line.decode(codec, "replace"))
                errors[i] = _code_and_message(error)
    return texts, errors


def _decode_at_once(lines: Sequence[bytes], codec: str) -> list[str] | None:
    if codec.startswith(_STATEFUL):
        return None
    try:
        texts = b"\n".join(lines).decode(codec).split("\n")
    except UnicodeDecodeError:
        return None
    return texts if len(texts) == len(lines) else None


def _code_and_message(error: UnicodeDecodeError) -> tuple[str, str]:
    if error.encoding.startswith("utf-16"):
        try:
            error.object.decode(error.encoding, "surrogatepass")
        except UnicodeDecodeError:
            pass
        else:
            return Code.BAD_UNICODE, f"Half of a surrogate pair at byte {error.start} of the record."
    return Code.BAD_UTF8, f"Byte {error.start} of the record is not valid {error.encoding}."
