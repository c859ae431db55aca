"""Processes that outlive the command that starts them, known by a file with their number."""

import contextlib
import functools
import itertools
import json
import os
import pathlib
import signal
import socket
import time
import zlib
from collections.abc import Callable, Mapping, Sequence

BUILD = pathlib.Path(__file__).parents[2] / "build" / "engines"
HOST = "127.0.0.1"
# A pool of workers for each of Flink's task managers listens at an address of its own, on one port.
POOL_HOSTS = ("127.0.0.11", "127.0.0.12")
_PORTS = "ports.json"
PORT_NAMES = (
    "flink-rpc",
    "flink-rest",
    "flink-blobs",
    "flink-jobs",
    "flink-artifacts",
    "flink-pools",
    "prism-jobs",
    "prism-pool",
    "pubsub",
    "pubsub-left",
)
# Below those that a kernel gives to whoever asks for none.
_PORT_RANGE = range(10_000, 30_000)
_KILL_SECS = 20.0
_POLL_SECS = 0.1


class ClusterError(Exception):
    """A process did not start, or something that it needs is missing."""


def end_on_signals() -> None:
    """Lets a program that is terminated end as one that is interrupted does, with all that it started.

    A shell lets what it starts behind its back ignore Ctrl-C; launchers would inherit that.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def choose_ports() -> None:
    """Chooses a free port for each name; two checkouts begin to look at different ones."""
    first = zlib.crc32(str(BUILD).encode()) % len(_PORT_RANGE)
    looked_at = itertools.chain(_PORT_RANGE[first:], _PORT_RANGE[:first])
    free = (number for number in looked_at if all(_is_free(host, number) for host in (HOST, *POOL_HOSTS)))
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / _PORTS).write_text(json.dumps(dict(zip(PORT_NAMES, free, strict=False))))
    port.cache_clear()


@functools.cache
def port(name: str) -> int:
    """Returns the port of that name, which was chosen before what listens there was started."""
    if not (BUILD / _PORTS).is_file():
        choose_ports()
    return int(json.loads((BUILD / _PORTS).read_text())[name])


def _is_free(host: str, number: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((host, number))
        return True
    return False


def start(folder: pathlib.Path, name: str, command: Sequence[str], environment: Mapping[str, str] = {}) -> None:
    """Starts a process in a group of its own, with its log and its number in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    streams = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    try:
        # Not `subprocess`, which warns of a process that goes on when its object goes.
        pid = os.posix_spawnp(
            command[0], list(command), {**os.environ, **environment}, file_actions=streams, setsid=True
        )
    finally:
        os.close(log)
        os.close(nothing)
    (folder / f"{name}.pid").write_text(f"{pid} {_started(pid)}")


def is_running(folder: pathlib.Path, name: str) -> bool:
    """Whether the process of that name runs; another one that was given its number later is not it."""
    return process_id(folder, name) is not None


def kill(folder: pathlib.Path, name: str, number: int = signal.SIGKILL) -> None:
    """Ends a process with its whole group, and returns when it is gone; one that is gone already is no error."""
    pid = process_id(folder, name)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        wait_for(lambda: process_id(folder, name) is None, f"{name} does not end", _KILL_SECS)
    (folder / f"{name}.pid").unlink(missing_ok=True)


def wait_for(condition: Callable[[], object], failure: str, secs: float, poll_secs: float = _POLL_SECS) -> None:
    """Waits until something is so.

    Looks are counted, not the clock's seconds: while a machine stands still, nothing else on it can come either.

    Raises:
        ClusterError: It was not in time; `failure` is its message.
    """
    for _ in range(round(secs / poll_secs)):
        if condition():
            return
        time.sleep(poll_secs)
    raise ClusterError(f"{failure} (waited {secs:.0f} s)")


def listens(address: str) -> bool:
    """Whether somebody takes connections at HOST:PORT."""
    host, port = address.rsplit(":", 1)
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def last_lines(folder: pathlib.Path, name: str, count: int = 5) -> str:
    """Returns the end of a process's log."""
    with contextlib.suppress(OSError):
        return "\n".join((folder / f"{name}.log").read_text(errors="replace").splitlines()[-count:])
    return ""


def process_id(folder: pathlib.Path, name: str) -> int | None:
    """Returns the number of the process of that name; None where it does not run."""
    with contextlib.suppress(OSError, ValueError):
        pid, started = (folder / f"{name}.pid").read_text().split()
        with contextlib.suppress(ChildProcessError):  # a child of this process would stay behind as a zombie
            os.waitpid(int(pid), os.WNOHANG)
        if _started(int(pid)) == started:
            return int(pid)
    return None


def _started(pid: int) -> str:
    """When a process was started, in the kernel's clock: two processes of one number differ in it."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]
