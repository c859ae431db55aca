"""Apache Flink on the loopback: `python -m tests.clusters.flink up|down`, which `scripts/flink` calls.

One job manager, two task managers, a pool of Beam workers for each of these, and Beam's job server. A job names
one address for the workers of all task managers, `saiten-workers` and a port; each of them looks that name up in a file
of hosts of its own, and so finds its own pool.
"""

import functools
import json
import os
import sys
import urllib.request
from typing import Any

from tests.clusters.emulator import environment
from tests.clusters.flink_config import emptied, java, write_config
from tests.clusters.install import FLINK_VERSION, PROGRAMS, install_flink, install_worker
from tests.clusters.processes import (
    BUILD,
    HOST,
    POOL_HOSTS,
    ClusterError,
    choose_ports,
    is_running,
    kill,
    last_lines,
    listens,
    port,
    start,
    wait_for,
)

POOL_NAME = "saiten-workers"
FOLDER = BUILD / "flink"
_START_SECS = 120.0
JOB_MANAGER, JOB_SERVER = "job-manager", "job-server"
TASK_MANAGERS = ("task-manager-1", "task-manager-2")
POOLS = ("worker-pool-1", "worker-pool-2")
PARTS = (*POOLS, JOB_MANAGER, *TASK_MANAGERS, JOB_SERVER)


def flags(parallelism: int = 2) -> list[str]:
    """Returns what sends a job of `saiten score` to this cluster."""
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={HOST}:{port('flink-jobs')}",
        "--environment_type=EXTERNAL",
        f"--environment_config={POOL_NAME}:{port('flink-pools')}",
        f"--parallelism={parallelism}",
    ]


def up() -> None:
    """Starts what does not run yet, and returns when jobs are taken.

    Raises:
        ClusterError: Something is missing or did not start; names it.
    """
    install_flink()
    install_worker()
    for name in PARTS:
        start_part(name)
    wait_until_whole()


def start_part(name: str) -> None:
    """Starts one of the cluster's processes, unless it runs."""
    if not is_running(FOLDER, name):
        start(FOLDER, name, _command(name), _environment(name))


def kill_part(name: str) -> None:
    """Ends one of the cluster's processes, as a machine that dies would; a pool's workers end with it."""
    kill(FOLDER, name)


def wait_until_whole() -> None:
    """Returns when both task managers, both pools and the job server are there."""
    for name, address in (
        *((pool, f"{host}:{port('flink-pools')}") for pool, host in zip(POOLS, POOL_HOSTS, strict=True)),
        (JOB_SERVER, f"{HOST}:{port('flink-jobs')}"),
    ):
        wait_for(functools.partial(_is_up, name, address), f"the {name} does not listen", _START_SECS)
    wait_for(_are_all_up, "the task managers have not all come", _START_SECS)


def down() -> None:
    """Ends all of the cluster's processes; those that are gone already are no error."""
    for name in reversed(PARTS):
        kill(FOLDER, name)


def jobs() -> dict[str, str]:
    """Returns the state of each job that the cluster has had, by its id."""
    return {job["id"]: job["status"] for job in rest("/jobs")["jobs"]}


def rest(path: str) -> Any:
    """Returns what Flink's REST interface says."""
    with urllib.request.urlopen(f"http://{HOST}:{port('flink-rest')}{path}", timeout=10) as answer:
        return json.load(answer)


def _is_up(name: str, address: str) -> bool:
    _refuse_ended(name)
    return listens(address)


def _are_all_up() -> bool:
    _refuse_ended(JOB_MANAGER, *TASK_MANAGERS)
    try:
        return len(rest("/taskmanagers")["taskmanagers"]) == len(TASK_MANAGERS)
    except (OSError, ValueError):
        return False


def _refuse_ended(*names: str) -> None:
    for name in names:
        if not is_running(FOLDER, name):
            raise ClusterError(f"the {name} ended at once: {last_lines(FOLDER, name)}")


def _command(name: str) -> list[str]:
    if name in POOLS:
        python = BUILD / "worker" / "bin" / "python"
        return [
            str(python),
            "-P",
            str(PROGRAMS / "worker_pool.py"),
            POOL_HOSTS[POOLS.index(name)],
            str(port("flink-pools")),
        ]
    flink, beam = install_flink()
    pool = POOL_HOSTS[TASK_MANAGERS.index(name)] if name in TASK_MANAGERS else HOST
    config = write_config(FOLDER, name, f"{HOST} localhost\n{pool} {POOL_NAME}\n")
    package = "org.apache.flink.runtime"
    if name == JOB_MANAGER:
        main = [f"{package}.entrypoint.StandaloneSessionClusterEntrypoint", f"--configDir={config}"]
        return java(config, [flink], [*main, "--executionMode=cluster"])
    if name in TASK_MANAGERS:
        return java(config, [flink], [f"{package}.taskexecutor.TaskManagerRunner", f"--configDir={config}"])
    # Without flink-dist: the job server sends its whole class path along with each job.
    main = [
        "org.apache.beam.runners.flink.FlinkJobServerDriver",
        f"--flink-master={HOST}:{port('flink-rest')}",
        f"--job-host={HOST}",
        f"--job-port={port('flink-jobs')}",
        f"--artifact-port={port('flink-artifacts')}",
        "--expansion-port=0",
        f"--artifacts-dir={emptied(FOLDER / 'artifacts')}",
        f"--flink-conf-dir={config}",
    ]
    return java(config, [*flink.glob("log4j-*.jar"), beam], main)


def _environment(name: str) -> dict[str, str]:
    if name not in POOLS:
        return {}
    # The pool starts its workers as plain `python`, which would look for modules in the folder it stands in first.
    path = f"{BUILD / 'worker' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**environment(), "PATH": path, "PYTHONPATH": "", "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}


def main(arguments: list[str]) -> int:
    """Starts or stops the cluster."""
    if arguments not in (["up"], ["down"]):
        print("flink: say up or down.", file=sys.stderr)
        return 2
    if arguments == ["down"]:
        down()
        return 0
    if not any(is_running(FOLDER, name) for name in PARTS):
        choose_ports()
    try:
        up()
    except ClusterError as error:
        down()
        print(f"flink: {error}.", file=sys.stderr)
        return 1
    print(f"Flink {FLINK_VERSION} runs at http://{HOST}:{port('flink-rest')}; jobs are sent to it by")
    print(f"  saiten score … {' '.join(flags())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
