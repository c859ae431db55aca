"""A file within a zip archive that is stored as it is, read in place."""

import io
import os
import zipfile
from typing import IO

_LOCAL_HEADER_BYTES = 30


class StoredMember(io.RawIOBase):
    """A view of a member's bytes, which may be read in any order, at no cost.

    What `zipfile` opens reads from the member's beginning again whenever it is asked to go back, which h5py does often.

    Args:
        archive: The archive's file.
        member: A member that is not compressed.

    Raises:
        zipfile.BadZipFile: The archive's header of the member is not where its directory says.
    """

    def __init__(self, archive: IO[bytes], member: zipfile.ZipInfo) -> None:
        archive.seek(member.header_offset)
        header = archive.read(_LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\3\4"):
            raise zipfile.BadZipFile(f"{member.filename} has no header")
        # The last two numbers of the header are how long the name and the extra field behind it are.
        lengths = int.from_bytes(header[-4:-2], "little") + int.from_bytes(header[-2:], "little")
        self._archive, self._size, self._position = archive, member.file_size, 0
        self._start = member.header_offset + _LOCAL_HEADER_BYTES + lengths

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        left = max(0, self._size - self._position)
        self._archive.seek(self._start + self._position)
        read = self._archive.read(min(len(buffer), left))
        buffer[: len(read)] = read
        self._position += len(read)
        return len(read)
