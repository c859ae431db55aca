"""Faults of the operating system, in every Python process that finds this folder on PYTHONPATH.

SAITEN_FAULT       full-parts, full-manifest, rename, fsync or read-only
SAITEN_FAULT_AT    before so many operations of that kind nothing happens
SAITEN_FAULT_UNDER the folder whose files it concerns
SAITEN_FAULT_MARK  a file that appears when it happens

A disk that is full, or can only be read, stays so for this process.
"""

import errno
import io
import os
import pathlib
from collections.abc import Callable
from typing import Any

_FAULT = os.environ.get("SAITEN_FAULT", "")
_AT = int(os.environ.get("SAITEN_FAULT_AT", "0"))
_UNDER = os.environ.get("SAITEN_FAULT_UNDER", "")
_MARK = os.environ.get("SAITEN_FAULT_MARK", "")
_NAMES = {"full-parts": ".part-", "full-manifest": ".manifest.json."}

_open, _mkdir = pathlib.Path.open, pathlib.Path.mkdir
_replace, _fsync, _unlink = os.replace, os.fsync, os.unlink
_count = 0


def _happens(*, stays: bool) -> bool:
    global _count  # noqa: PLW0603 - one process, one fault
    _count += 1
    if _count <= _AT or (_count > _AT + 1 and not stays):
        return False
    descriptor = os.open(_MARK, os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    return True


def _error(number: int, path: object = None) -> OSError:
    return OSError(number, os.strerror(number), str(path) if path else None)


class _FullDisk(io.FileIO):
    def write(self, data: Any) -> int:
        raise _error(errno.ENOSPC)


def _concerns(path: object) -> bool:
    return str(path).startswith(_UNDER)


def _open_on_full_disk(self: pathlib.Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
    writes = set(mode) & set("wxa") and _concerns(self)
    if writes and ((_count > _AT) or _NAMES[_FAULT] in self.name) and _happens(stays=True):
        return io.BufferedWriter(_FullDisk(self, mode.replace("b", "")))
    return _open(self, mode, *arguments, **named)


def _failing(call: Callable[..., Any], number: int, *, stays: bool) -> Callable[..., Any]:
    def failing(first: Any, *arguments: Any, **named: Any) -> Any:
        if (isinstance(first, int) or _concerns(first)) and _happens(stays=stays):
            raise _error(number, first)
        return call(first, *arguments, **named)

    return failing


def _open_read_only(self: pathlib.Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
    if set(mode) & set("wxa") and _concerns(self) and _happens(stays=True):
        raise _error(errno.EROFS, self)
    return _open(self, mode, *arguments, **named)


if _FAULT in _NAMES:
    pathlib.Path.open = _open_on_full_disk  # type: ignore[method-assign]
elif _FAULT == "rename":
    os.replace = _failing(_replace, errno.EIO, stays=False)
elif _FAULT == "fsync":
    os.fsync = _failing(_fsync, errno.EIO, stays=False)
elif _FAULT == "read-only":
    pathlib.Path.open = _open_read_only  # type: ignore[method-assign]
    pathlib.Path.mkdir = _failing(_mkdir, errno.EROFS, stays=True)  # type: ignore[method-assign]
    os.replace = _failing(_replace, errno.EROFS, stays=True)
    os.unlink = _failing(_unlink, errno.EROFS, stays=True)
