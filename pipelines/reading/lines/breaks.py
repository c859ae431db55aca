"""Where lines end in a file, in bytes of its encoding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Stands for all characters beyond ASCII where only ASCII ones are looked for.
_OTHER = ord("x")


@dataclass(frozen=True)
class LineBreaks:
    """Where lines end: at a line feed, or at a carriage return in a file that has no line feed.

    All bytes given to the methods start at a whole character.

    Attributes:
        codec: ``utf-16-le``, ``utf-16-be``, or an encoding that contains ASCII.
        end: The character that ends lines.
    """

    codec: str = "utf-8"
    end: str = "\n"

    @property
    def width(self) -> int:
        """Bytes that an ASCII character takes."""
        return 2 if self.codec.startswith("utf-16") else 1

    @property
    def end_bytes(self) -> bytes:
        """The end of a line."""
        return self.end.encode(self.codec)

    @property
    def byte_order_mark(self) -> bytes:
        """The mark that a file may begin with; empty in an encoding without one."""
        return "\ufeff".encode(self.codec) if self.codec.startswith("utf") else b""

    def ascii_view(self, data: bytes) -> bytes:
        """Returns a byte a character (in UTF-16: a code unit), in which ASCII is what it is.

        In UTF-16 all else is an ``x``, half a character at the end too. In other encodings these are the bytes
        themselves: none of their characters has a quotation mark, comma, tab or line end among its bytes.
        """
        if self.width == 1:
            return data
        units = np.frombuffer(data, "<u2" if self.codec == "utf-16-le" else ">u2", len(data) // 2)
        view = np.where(units < 128, units, _OTHER).astype(np.uint8).tobytes()
        return view + b"x" * (len(data) % 2)

    def next_end(self, data: bytes) -> int:
        """Returns the index behind the first line end; 0 where there is none."""
        return (self.ascii_view(data).find(self.end.encode()) + 1) * self.width

    def last_end(self, data: bytes) -> int:
        """Returns the index behind the last line end; 0 where there is none."""
        return (self.ascii_view(data).rfind(self.end.encode()) + 1) * self.width

    def split(self, data: bytes) -> list[bytes]:
        """Returns the lines without their ends; a last line without one counts."""
        if self.width == 1:
            lines = data.split(self.end_bytes)
            return lines if lines[-1] else lines[:-1]
        lines, start = [], 0
        for line in self.ascii_view(data).split(self.end.encode()):
            stop = start + len(line) * self.width
            lines.append(data[start:stop])
            start = stop + self.width
        return lines if lines[-1] else lines[:-1]

    def strip(self, line: bytes) -> bytes:
        """Returns the line without the one carriage return before its line feed."""
        return line.removesuffix("\r".encode(self.codec))

    def strip_all(self, lines: Sequence[bytes]) -> list[bytes]:
        """Returns the lines, each without the one carriage return before its line feed."""
        carriage_return = "\r".encode(self.codec)
        return [line.removesuffix(carriage_return) for line in lines]
