"""A runner elsewhere: what is judged before a job goes there."""

import json
import os
import queue
import re
import socket
import threading
import urllib.parse
from collections.abc import Iterable, Sequence
from contextlib import suppress

import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.runner import create_runner

from saiten.model.errors import UsageError
from saiten.pipelines import storage
from saiten.pipelines.local.execute import Execution
from saiten.pipelines.reading.options import nearest

_LISTEN_SECS = 8.0
_MOUNTS = "/proc/mounts"
_STARTED_BY_BEAM = ("embed", "[auto]", "[local]")
# What several machines may see under one path.
_SHARED_FILESYSTEMS = ("nfs", "cifs", "smb", "9p", "ceph", "lustre", "gluster", "beegfs", "gpfs", "virtiofs", "fuse.")


def remote_execution(name: str, flags: Sequence[str]) -> Execution:
    """Returns an execution on Dataflow, Flink or another of Beam's runners.

    Nothing is asked of the runner yet, or of a store: `refuse_unseen` can judge the paths first, at once.

    Raises:
        UsageError: Beam has no such runner, or it is not installed.
    """
    options = PipelineOptions([*flags, f"--runner={name}"])
    try:
        runner = create_runner(name)
    except (ValueError, AttributeError) as error:
        meant = nearest(name, StandardOptions.KNOWN_RUNNER_NAMES)[0]
        raise UsageError(f"Beam has no --runner={name}; did you mean {meant}?") from error
    except ImportError as error:
        raise UsageError(f"--runner={name}: {_plain(error)}.") from error
    # Of a template nothing runs yet: whoever starts it, later, does not come back to this process.
    is_template = bool(options.view_as(GoogleCloudOptions).template_location)
    return Execution(runner, options, None, waits=not is_template)


def refuse_unready(execution: Execution) -> None:
    """Refuses a runner that cannot take the job; Beam asks Google for that, where the runner is Dataflow.

    Raises:
        UsageError: Its options will not do, or nobody listens where it is said to be.
    """
    problems = PipelineOptionsValidator(execution.options, execution.runner).validate()
    if problems:
        name = execution.options.view_as(StandardOptions).runner or type(execution.runner).__name__
        raise UsageError(f"--runner={name}: {_plain(problems[0])}.")
    for flag, address in addresses_of(execution.options):
        _check_listening(flag, address)


def _plain(message: object) -> str:
    """Returns Beam's message on one line, without a full stop, and options as the flags that they are."""
    return re.sub(r"\boption: (?=\w)", "option: --", " ".join(str(message).split()).rstrip("."))


def refuse_unseen(execution: Execution, flag: str, paths: Iterable[str]) -> None:
    """Refuses paths on this machine's own disks where the workers are on others.

    Args:
        flag: What named the paths.

    Raises:
        UsageError: The first such path.
    """
    runner = type(execution.runner).__name__
    hosts = [address.hostname for _, address in addresses_of(execution.options)] + _workers(execution.options)
    if runner != "DataflowRunner" and all(map(_is_this_machine, hosts)):
        return
    for path in paths:
        if not storage.is_remote(path) and not _is_shared(path):
            raise UsageError(
                f"--{flag} has {path}, which is on this machine, where the workers of {runner} cannot see it: give a "
                "place that all see, such as gs://bucket/path."
            )


def _workers(options: PipelineOptions) -> list[str | None]:
    """Returns where workers are that are there already; nothing of a name that only they themselves know."""
    portable = options.view_as(PortableOptions)
    if portable.environment_type != "EXTERNAL" or not portable.environment_config:
        return []
    config = str(portable.environment_config)
    with suppress(ValueError, TypeError, KeyError):  # Beam takes an address, or JSON that holds one
        config = json.loads(config)["url"]
    with suppress(ValueError, OSError):
        host = urllib.parse.urlsplit(f"//{config}").hostname
        socket.getaddrinfo(host, None)
        return [host]
    return []


def addresses_of(options: PipelineOptions) -> list[tuple[str, urllib.parse.SplitResult]]:
    """Returns the flags that say where a runner is, with their addresses.

    Raises:
        UsageError: One is no address.
    """
    named = {
        "job_endpoint": options.view_as(PortableOptions).job_endpoint,
        "flink_master": options.view_as(FlinkRunnerOptions).flink_master,
    }
    given = {flag: value for flag, value in named.items() if value and value not in _STARTED_BY_BEAM}
    try:
        return [
            (flag, urllib.parse.urlsplit(value if "://" in value else f"//{value}")) for flag, value in given.items()
        ]
    except ValueError as error:
        raise UsageError(f"A runner's address will not do: {error}.") from error


def _check_listening(flag: str, address: urllib.parse.SplitResult) -> None:
    """Beam itself would wait for 300 s, without a word."""
    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def connect() -> None:
        try:
            _connect(flag, address)
        except Exception as error:  # noqa: BLE001 - the socket's, the resolver's, gRPC's
            answers.put(error)
        else:
            answers.put(None)

    threading.Thread(target=connect, daemon=True).start()  # a name may take longer to resolve than anyone waits
    try:
        error = answers.get(timeout=_LISTEN_SECS)
    except queue.Empty:
        error = TimeoutError(f"no answer in {_LISTEN_SECS:g} s")
    if error:
        reason = _plain(error) or type(error).__name__
        raise UsageError(f"--{flag}={address.netloc}: nobody listens there ({reason}); start it first.") from error


def _connect(flag: str, address: urllib.parse.SplitResult) -> None:
    default = 443 if address.scheme == "https" else 8081
    socket.create_connection((address.hostname or "", address.port or default), timeout=_LISTEN_SECS).close()
    if flag == "job_endpoint":
        with grpc.insecure_channel(address.netloc) as channel:
            grpc.channel_ready_future(channel).result(_LISTEN_SECS)


def _is_this_machine(host: str | None) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    for family, *_, address in found:
        with socket.socket(family) as probe:
            try:
                probe.bind((address[0], 0))  # as only an address of this machine can be
            except OSError:
                return False
    return True


def _is_shared(path: str) -> bool:
    """Whether a path lies on a filesystem that other machines may have mounted too."""
    real = os.path.realpath(path)
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            mounts = [line.split(" ")[1:3] for line in lines]
    except OSError:  # no Linux: taken at its word
        return True
    above = [(len(place), kind) for place, kind in mounts if (real + "/").startswith(place.rstrip("/") + "/")]
    return max(above)[1].startswith(_SHARED_FILESYSTEMS)
