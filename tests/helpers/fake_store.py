"""An object store in memory, for Beam's filesystems: `memory://bucket/name`."""

import io
from collections.abc import Iterator
from typing import ClassVar

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem


class FakeStore(FileSystem):  # type: ignore[misc]
    """Objects by URL; all of them share one time of change."""

    objects: ClassVar[dict[str, bytes]] = {}
    changed: ClassVar[float] = 1.0

    @classmethod
    def scheme(cls) -> str:
        return "memory"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def has_dirs(self) -> bool:
        return False

    def mkdirs(self, path: str) -> None:
        raise NotImplementedError

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        for path in sorted(self.objects):
            if path.startswith(dir_or_prefix):
                yield self.metadata(path)

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> io.BufferedReader:
        assert compression_type == CompressionTypes.UNCOMPRESSED, "Beam would unpack, and lose what is truncated"
        return io.BufferedReader(io.BytesIO(self.objects[path]))  # type: ignore[type-var]

    def exists(self, path: str) -> bool:
        return path in self.objects

    def metadata(self, path: str) -> FileMetadata:
        if path not in self.objects:
            raise BeamIOError("Metadata operation failed", {path: "not found"})
        return FileMetadata(path, len(self.objects[path]), self.changed)

    def size(self, path: str) -> int:
        return len(self.objects[path])

    def last_updated(self, path: str) -> float:
        return self.changed

    def checksum(self, path: str) -> str:
        raise NotImplementedError

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> io.BytesIO:
        raise NotImplementedError

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        raise NotImplementedError

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        raise NotImplementedError

    def delete(self, paths: list[str]) -> None:
        raise NotImplementedError
